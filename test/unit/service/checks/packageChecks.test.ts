/** The checks of packages and of known holes. A stand-in for dpkg compares the versions of these tests. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import type { PackagePolicy, Packages } from '../../../../src/host/packages.ts';
import { checkHoles, stateOf, upstreamOf } from '../../../../src/service/checks/holeChecks.ts';
import { incusHoles, incusHolesDate, type IncusHole } from '../../../../src/service/checks/incusHoles.ts';
import { checkKernelPackage, checkNode, checkPackages } from '../../../../src/service/checks/packageChecks.ts';
import type { HostContext } from '../../../../src/service/instances/context.ts';

const now = new Date('2030-06-15T00:00:00Z');
const signal = new AbortController().signal;

/** Compares as dpkg does where versions have digits, dots, `+`, `-` and `~` (deb-version(7)). */
function isOlder(left: string, right: string): boolean {
  const rank = (character: string | undefined): number =>
    character === '~'
      ? -1
      : character === undefined || /\d/.test(character)
        ? 0
        : character.charCodeAt(0) + (/[a-z]/i.test(character) ? 0 : 256);
  const [a, b] = [left.match(/\d+|\D/g) ?? [], right.match(/\d+|\D/g) ?? []];
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const [x, y] = [a[at], b[at]];
    if (x === y) continue;
    if (x !== undefined && y !== undefined && /^\d/.test(x) && /^\d/.test(y)) return Number(x) < Number(y);
    return rank(x?.[0]) < rank(y?.[0]);
  }
  return false;
}

interface Machine {
  readonly policies?: Readonly<Record<string, PackagePolicy>>;
  readonly kernels?: readonly { readonly name: string; readonly version: string }[];
  readonly listsReadAt?: Date | undefined;
  readonly owner?: string;
}

const packagesOf = ({ policies = {}, kernels = [], owner, ...machine }: Machine): Packages =>
  ({
    policies: (names: readonly string[]) =>
      Promise.resolve(new Map(Object.entries(policies).filter(([name]) => names.includes(name)))),
    isOlder: (left: string, right: string) => Promise.resolve(isOlder(left, right)),
    kernels: () => Promise.resolve(kernels),
    ownerOf: () => Promise.resolve(owner),
    listsReadAt: () => Promise.resolve('listsReadAt' in machine ? machine.listsReadAt : now),
  }) as unknown as Packages;

const context = (simulated = false, version = '6.0.4'): HostContext =>
  ({
    host: { simulated, why: 'a test' },
    now: () => now,
    incus: { server: () => Promise.resolve({ auth: 'trusted', environment: { server_version: version } }) },
  }) as unknown as HostContext;

const current = (version: string): PackagePolicy => ({ installed: version, candidate: version });
const both = { 'incus-base': current('6.0.4-2'), 'openssh-server': current('1:9.2p1-2') };

describe('the check of packages', () => {
  const check = (machine: Machine) => checkPackages(context(), { packages: packagesOf(machine) }, signal);

  it('is ok if Incus and sshd are the newest that the sources have', async () => {
    expect(await check({ policies: both })).toEqual({
      severity: 'ok',
      detail: "incus-base 6.0.4-2, openssh-server 1:9.2p1-2: the newest in the machine's package sources",
      next: null,
    });
  });

  it('is a warning that names each newer package', async () => {
    const policies = { ...both, 'incus-base': { installed: '6.0.4-2', candidate: '6.0.4-2+deb13u7' } };
    expect(await check({ policies })).toMatchObject({
      severity: 'warning',
      detail: 'newer packages are available: incus-base 6.0.4-2+deb13u7',
      next: 'apt-get install --only-upgrade incus-base',
    });
  });

  it('is a warning if the package lists are a week old, or of unknown age', async () => {
    const read = (days: number) => new Date(now.getTime() - days * 86_400_000);
    expect(await check({ policies: both, listsReadAt: read(6) })).toMatchObject({ severity: 'ok' });
    expect(await check({ policies: both, listsReadAt: read(7) })).toMatchObject({
      severity: 'warning',
      detail: expect.stringContaining('the package lists are 7 days old') as string,
      next: 'apt-get update',
    });
    expect(await check({ policies: both, listsReadAt: undefined })).toMatchObject({ severity: 'warning' });
  });

  it('is a warning if Incus does not come from a package', async () => {
    const policies = { 'openssh-server': both['openssh-server'], incus: { installed: null, candidate: '6.0.4-2' } };
    expect(await check({ policies })).toMatchObject({
      severity: 'warning',
      detail: expect.stringContaining('Incus does not come from a package') as string,
    });
  });

  it('is not used by the simulated host, like its neighbours', async () => {
    const tools = { packages: packagesOf({}), kernel: () => expect.fail('asked'), node: { version: '', path: '' } };
    const [host, none] = [context(true), 'not used by the simulated host'];
    expect(await checkPackages(host, tools, signal)).toMatchObject({ severity: 'ok', detail: none });
    expect(await checkKernelPackage(host, tools, signal)).toMatchObject({ severity: 'ok', detail: none });
    expect(await checkNode(host, tools, signal)).toMatchObject({ severity: 'ok', detail: none });
    expect(await checkHoles(host, tools, signal)).toMatchObject({ severity: 'ok', detail: none });
  });
});

describe('the check of the kernel', () => {
  const check = (machine: Machine, version = '#1 SMP PREEMPT_DYNAMIC Debian 6.1.153-1 (2025-09-20)') =>
    checkKernelPackage(
      context(),
      { packages: packagesOf(machine), kernel: () => ({ release: '6.1.0-40-amd64', version }) },
      signal,
    );
  const old = { name: 'linux-image-6.1.0-40-amd64', version: '6.1.153-1' };
  const next = { name: 'linux-image-6.1.0-41-amd64', version: '6.1.158-1' };
  const policies = (candidate: string | null) => ({ 'linux-image-amd64': { installed: null, candidate } });

  it('is ok if the running kernel is the newest', async () => {
    expect(await check({ kernels: [old], policies: policies('6.1.153-1') })).toMatchObject({
      severity: 'ok',
      detail: "kernel 6.1.0-40-amd64 (6.1.153-1) is the newest in the machine's package sources",
    });
  });

  it('is a warning if a newer kernel is installed and waits for a reboot', async () => {
    expect(await check({ kernels: [old, next], policies: policies('6.1.158-1') })).toMatchObject({
      severity: 'warning',
      detail: expect.stringContaining(
        'linux-image-6.1.0-41-amd64 (6.1.158-1) is installed but does not run yet',
      ) as string,
      next: expect.stringMatching(/^reboot/) as string,
    });
    // The package of the same name was replaced under the running kernel.
    const replaced = { ...old, version: '6.1.154-1' };
    expect(await check({ kernels: [replaced], policies: policies('6.1.154-1') })).toMatchObject({
      severity: 'warning',
    });
  });

  it('is a warning if the sources have a newer kernel', async () => {
    expect(await check({ kernels: [old], policies: policies('6.1.158-1') })).toMatchObject({
      severity: 'warning',
      detail: expect.stringContaining('linux-image-amd64 6.1.158-1 is available') as string,
      next: 'apt-get install linux-image-amd64, then reboot',
    });
  });

  it("is a warning, and no pass, if the kernel or its sources are not the system's", async () => {
    expect(await check({ kernels: [next] }, '#1 SMP custom')).toMatchObject({
      severity: 'warning',
      detail: expect.stringContaining('comes from no package') as string,
    });
    expect(await check({ kernels: [old], policies: policies(null) })).toMatchObject({ severity: 'warning' });
  });
});

describe('the check of Node.js', () => {
  const check = (machine: Machine) =>
    checkNode(context(), { packages: packagesOf(machine), node: { version: 'v24.9.0', path: '/bin/sh' } }, signal);

  it('compares a Node.js from a package with the sources', async () => {
    expect(await check({ owner: 'nodejs', policies: { nodejs: current('24.9.0-1') } })).toMatchObject({
      severity: 'ok',
    });
    const policies = { nodejs: { installed: '24.9.0-1', candidate: '24.9.1-1' } };
    expect(await check({ owner: 'nodejs', policies })).toMatchObject({ severity: 'warning' });
  });

  it('does not claim that a Node.js from elsewhere is current', async () => {
    expect(await check({})).toMatchObject({ severity: 'warning' });
  });
});

describe('the check of known holes', () => {
  const packages = packagesOf({});
  const hole = (over: Partial<IncusHole>): IncusHole => ({
    what: 'x',
    ids: ['CVE-1'],
    upstream: [],
    debian: { closedFrom: '6.0.4-2+deb13u7' },
    sources: ['s'],
    ...over,
  });

  it.each([
    ['6.0.4-2+deb13u7', 'closed'],
    ['6.0.4-2+deb13u7~bpo12+1', 'closed'],
    ['6.0.4-2+deb13u10', 'closed'],
    ['6.0.4-2+deb13u6~bpo12+1', 'open'],
    ['6.0.4-2', 'open'],
    ['6.0.4-2ubuntu0.1', 'unknown'],
  ])("judges Debian's package by its revision: %s is %s", async (version, state) => {
    expect(await stateOf(hole({}), version, packages)).toBe(state);
  });

  it.each([
    ['6.0.4-2+deb13u7~bpo12+1', 'open'],
    ['6.0.4-2+deb13u7', 'open'],
    ['6.0.4-2+deb13u8', 'unknown'],
  ])('does not guess which revision closed a hole: %s is %s', async (version, state) => {
    expect(await stateOf(hole({ debian: { openUpTo: '6.0.4-2+deb13u7' } }), version, packages)).toBe(state);
  });

  it.each([
    ['6.0.6', 'closed'],
    ['6.0.5', 'open'],
    ['6.20', 'open'],
    ['6.21', 'closed'],
    ['7.0.0', 'closed'],
    ['6.0.6-1', 'closed'],
    ['6.0.0-1ubuntu0.3', 'unknown'],
  ])('judges other versions by the upstream release with the fix: %s is %s', async (version, state) => {
    expect(await stateOf(hole({ upstream: ['6.0.6', '6.21'] }), version, packages)).toBe(state);
  });

  it('does not call a release open if its long-term line may have a fix that the table lacks', async () => {
    expect(await stateOf(hole({ upstream: ['7.3'] }), '7.0.2', packages)).toBe('unknown');
    expect(await stateOf(hole({}), '6.0.9', packages)).toBe('unknown');
  });

  it('names open holes, unknown ones, and the date of the table', async () => {
    const policies = { 'incus-base': current('6.0.4-2+deb13u7~bpo12+1') };
    const found = await checkHoles(context(), { packages: packagesOf({ policies }) }, signal);
    expect(found).toMatchObject({ severity: 'warning', next: expect.stringContaining('update Incus') as string });
    expect(found.detail).toMatch(
      new RegExp(`^Incus 6\\.0\\.4-2\\+deb13u7~bpo12\\+1, by the table of ${incusHolesDate}; open: .*malicious images`),
    );
    expect(found.detail).not.toContain('CVE-2025-64507');
    expect(await checkHoles(context(false, '7.9'), { packages }, signal)).toMatchObject({
      detail: expect.stringContaining('not known whether') as string,
    });
  });

  it('rejects if dpkg cannot compare', async () => {
    const broken = { isOlder: () => Promise.reject(new Failure('program-missing', { what: 'dpkg', why: 'gone' })) };
    await expect(stateOf(hole({}), '6.0.4-2', broken)).rejects.toThrow('gone');
  });

  it('has a source for each row, and no row twice', () => {
    for (const { sources, ids, what } of incusHoles) {
      expect(sources.length, what).toBeGreaterThan(0);
      expect(ids.length, what).toBeGreaterThan(0);
    }
    const ids = incusHoles.flatMap((each) => each.ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('takes the upstream release from a version of a package', () => {
    expect(['6.0.4-2+deb13u7', '1:6.19-debian13-202511', '6.21', '7.0.1-5~bpo13+1'].map(upstreamOf)).toEqual([
      '6.0.4',
      '6.19-debian13',
      '6.21',
      '7.0.1',
    ]);
  });
});
