/**
 * Published holes of Incus, and where they are closed. A row has only what one of its sources says. `doctor` compares
 * the installed package with this table (holeChecks.ts), and names the table's date: a newer hole is not in it.
 */

export interface IncusHole {
  /** What an attacker gains, and from where. */
  readonly what: string;
  readonly ids: readonly string[];
  /**
   * First upstream releases with all fixes: of long-term lines first, and at the end of the monthly releases. Empty if
   * not known.
   */
  readonly upstream: readonly string[];
  /**
   * Debian's packages of 6.0.4 (trixie, and bookworm-backports): the first revision with all fixes; or the last one
   * whose changelog lacks them, if the first with them is not known.
   */
  readonly debian: { readonly closedFrom: string } | { readonly openUpTo: string };
  readonly sources: readonly string[];
}

/** The day on which the sources were read. */
export const incusHolesDate = '2026-11-29';

const changelog = "Debian's changelog of incus 6.0.4-2+deb13u7~bpo12+1";
const advisory = (id: string): string => `https://github.com/advisories/${id}`;

export const incusHoles: readonly IncusHole[] = [
  {
    what: 'host files read through instance logs and templates, guests mistaken for others (by API users)',
    ids: [
      'CVE-2025-54286',
      'CVE-2025-54287',
      'CVE-2025-54288',
      'CVE-2025-54289',
      'CVE-2025-54290',
      'CVE-2025-54291',
      'CVE-2025-54293',
    ],
    upstream: [],
    debian: { closedFrom: '6.0.4-2+deb13u1' },
    sources: [changelog, advisory('GHSA-472f-vmf2-pr3h'), advisory('GHSA-7232-97c6-j525')],
  },
  {
    what: 'root on the host through a shifted custom volume (by a local user together with root in a container)',
    ids: ['CVE-2025-64507'],
    upstream: ['6.0.6', '6.19'],
    debian: { closedFrom: '6.0.4-2+deb13u2' },
    sources: [changelog, advisory('GHSA-56mx-8g9f-5crf'), 'https://github.com/flatcar/Flatcar/issues/1945'],
  },
  {
    what: 'host files read and written through image templates and environment keys (by images and API users)',
    ids: ['CVE-2026-23953', 'CVE-2026-23954'],
    upstream: ['6.0.6', '6.21'],
    debian: { closedFrom: '6.0.4-2+deb13u4' },
    sources: [
      changelog,
      advisory('GHSA-x6jc-phwx-hp32'),
      advisory('GHSA-7f67-crqm-jgh7'),
      'https://github.com/flatcar/Flatcar/issues/1945',
    ],
  },
  {
    what: 'commands and host files through compression settings and templates (by images and API users)',
    ids: ['CVE-2026-28384', 'CVE-2026-33542', 'CVE-2026-33743', 'CVE-2026-33897'],
    upstream: ['6.23'],
    debian: { closedFrom: '6.0.4-2+deb13u5' },
    sources: [
      changelog,
      advisory('GHSA-83xr-5xxr-mh92'),
      advisory('GHSA-4rmf-rcp8-2r9g'),
      'https://github.com/golang/vulndb/issues/4886',
    ],
  },
  {
    what: 'project restrictions bypassed through crafted backups and certificates (by API users)',
    ids: ['CVE-2026-34178', 'CVE-2026-34179'],
    upstream: [],
    debian: { closedFrom: '6.0.4-2+deb13u6' },
    sources: [changelog, advisory('GHSA-q96j-3fmm-7fv4'), advisory('GHSA-c3h3-89qf-jqm5')],
  },
  {
    what: 'the daemon crashed through crafted backups, its disk filled, a false OVN database trusted (by API users)',
    ids: [
      'CVE-2026-40195',
      'CVE-2026-40197',
      'CVE-2026-40243',
      'CVE-2026-40251',
      'CVE-2026-41647',
      'CVE-2026-41648',
      'CVE-2026-41684',
      'CVE-2026-41685',
    ],
    upstream: ['7.0.0'],
    debian: { closedFrom: '6.0.4-2+deb13u7' },
    sources: [changelog, 'https://github.com/flatcar/Flatcar/issues/2063', advisory('GHSA-4m88-wxj4-9qj6')],
  },
  {
    what: 'host files read and written through links in malicious images and backups',
    ids: ['CVE-2026-48749', 'CVE-2026-48750', 'CVE-2026-48752', 'CVE-2026-48769'],
    upstream: ['7.0.1', '7.2'],
    debian: { openUpTo: '6.0.4-2+deb13u7' },
    sources: [
      changelog,
      advisory('GHSA-2q3f-q5pq-g8wv'),
      advisory('GHSA-vxp5-584q-c479'),
      'https://github.com/WitteShadovv/incus-rocky/blob/main/SECURITY.md',
    ],
  },
  {
    what: 'commands on the host through arguments in the compression of backups (by API users)',
    ids: ['CVE-2026-48755'],
    upstream: ['7.0.1', '7.1'],
    debian: { openUpTo: '6.0.4-2+deb13u7' },
    sources: [
      changelog,
      advisory('GHSA-v6mj-8pf4-hhw4'),
      'https://github.com/WitteShadovv/incus-rocky/blob/main/SECURITY.md',
    ],
  },
  {
    what: 'project restrictions bypassed by copies and snapshots, up to commands on the host (by API users)',
    ids: ['CVE-2026-48751', 'CVE-2026-55621', 'CVE-2026-55622'],
    upstream: ['7.0.1', '7.2'],
    debian: { openUpTo: '6.0.4-2+deb13u7' },
    sources: [
      changelog,
      advisory('GHSA-48q5-w887-33wv'),
      'https://github.com/WitteShadovv/incus-rocky/blob/main/SECURITY.md',
    ],
  },
  {
    what: 'host files written through metadata, fingerprints and paths in malicious images and backups',
    ids: ['CVE-2026-63125', 'CVE-2026-63343', 'GHSA-p2v3-6wvc-cv3p', 'GHSA-26gp-p5fw-3r2h', 'GHSA-67qw-68v3-36h6'],
    // 7.0.1 lacks the fixes; a later release of that line is not known.
    upstream: ['7.3'],
    debian: { openUpTo: '6.0.4-2+deb13u7' },
    sources: [
      changelog,
      'https://github.com/flatcar/Flatcar/issues/2325',
      'https://github.com/WitteShadovv/incus-rocky/blob/main/SECURITY.md',
    ],
  },
];
