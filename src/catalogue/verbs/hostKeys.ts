/** The verbs about host keys. */
import * as z from 'zod';
import { unknownHost } from '../../domain/results/access.ts';
import type { HostKeyChange, HostKeyInfo, HostKeyList } from '../../domain/results/hostKeys.ts';
import { showTime } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block, Rows, ViewContext } from '../declaration/view.ts';

const restart = 'restart the server (systemctl restart containarium)';

function blocks({ keys, named }: HostKeyList, context: ViewContext): Block[] {
  const toReplace = [
    ...(named ? [] : ['known_hosts line']),
    ...(keys.some(({ sshfp }) => sshfp.startsWith(`${unknownHost} `)) ? ['SSHFP record'] : []),
  ];
  return [
    {
      kind: 'table',
      columns: [{ title: 'KEY' }, { title: 'TYPE' }, { title: 'FINGERPRINT' }, { title: 'MADE' }, { title: 'IN USE' }],
      rows: keys.map(({ which, type, fingerprint, madeAt, inUse }) => [
        which,
        type,
        fingerprint,
        showTime(madeAt, context),
        inUse ? 'yes' : 'after the next restart',
      ]),
      empty: 'No host key',
    },
    { kind: 'verbatim', title: 'For ~/.ssh/known_hosts', text: keys.map(({ knownHosts }) => knownHosts).join('\n') },
    {
      kind: 'verbatim',
      title: 'For the DNS zone, if it is signed (DNSSEC)',
      text: keys.map(({ sshfp }) => sshfp).join('\n'),
    },
    ...(toReplace.length === 0
      ? []
      : [
          {
            kind: 'text',
            tone: 'quiet',
            text: `Replace ${unknownHost} in the ${toReplace.join(' and the ')} with the name of this host, or set jump.hostname in the configuration`,
          } as const,
        ]),
  ];
}

function rows(keys: readonly HostKeyInfo[]): Rows {
  return {
    columns: ['key', 'type', 'fingerprint', 'made_at', 'in_use', 'known_hosts', 'sshfp'],
    rows: keys.map(({ which, type, fingerprint, madeAt, inUse, knownHosts, sshfp }) => [
      which,
      type,
      fingerprint,
      madeAt,
      inUse,
      knownHosts,
      sshfp,
    ]),
  };
}

const ends = { usage: 'a key file is unreadable, or readable by others' } as const;

export const hostKey = defineVerb({
  name: 'host-key',
  aliases: ['host-key list'],
  summary: 'Show the host keys of this SSH server, to compare and publish',
  description: [
    "At the first connection, ssh shows the fingerprint for comparison. The lines below the table are for ~/.ssh/known_hosts and for DNS (SSHFP records, RFC 4255, which ssh uses with VerifyHostKeyDNS). The keys of the host's own sshd are not included.",
    'The server loads its keys at startup: a changed key takes effect after the next restart.',
  ],
  ends,
  examples: [
    { line: 'host-key', says: 'the fingerprint that clients should see, and its age' },
    { line: 'host-key --json', says: 'the same, for scripts' },
  ],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: () => z.strictObject({}),
  view: blocks,
  copy: ({ keys }) => keys.map(({ knownHosts }) => knownHosts).join('\n'),
  rows: ({ keys }: HostKeyList) => rows(keys),
});

export const hostKeyRotate = defineVerb({
  name: 'host-key rotate',
  summary: 'Create the next host key, which clients learn before it is used',
  description: [
    `To announce the new key at every login, ${restart}. OpenSSH clients then store it automatically (UpdateHostKeys in ssh_config(5)). For other clients, publish its SSHFP record and known_hosts line. \`host-key switch\` puts it into use.`,
  ],
  ends: { ...ends, conflict: 'a next key already exists' },
  examples: [
    { line: 'host-key rotate', says: 'the first of two steps; the second is host-key switch, some weeks later' },
  ],
  access: { manage: 'admin' },
  changes: true,
  grantsAccess: true,
  danger: 'none',
  parameters: [],
  input: () => z.strictObject({}),
  view: (result: HostKeyChange, context) => [
    { kind: 'text', tone: 'good', text: `${result.fingerprint} is the next host key` },
    { kind: 'text', text: `To announce it to clients, ${restart}. After they have logged in, run host-key switch` },
    ...blocks(result, context),
  ],
  rows: ({ keys }) => rows(keys),
});

export const hostKeySwitch = defineVerb({
  name: 'host-key switch',
  summary: 'Replace the present host key with the next one',
  description: [
    `To use the new key, ${restart}. Clients that have not learned it will warn and refuse to connect until their users have checked the fingerprint. Therefore \`--yes\` is required. The old key is kept as keys/host_ed25519.previous.`,
  ],
  ends: {
    usage: 'the option --yes is missing; or a key file is unreadable, or readable by others',
    conflict: 'there is no next key',
  },
  examples: [{ line: 'host-key switch --yes', says: 'once clients have learned the next key' }],
  access: { manage: 'admin' },
  changes: true,
  grantsAccess: true,
  danger: 'none',
  parameters: [
    {
      kind: 'option',
      name: 'yes',
      long: ['yes'],
      short: 'y',
      summary: 'proceed although some clients may not have learned the next key',
    },
  ],
  input: () => z.strictObject({ yes: z.boolean().optional() }),
  view: (result: HostKeyChange, context) => [
    { kind: 'text', tone: 'good', text: `${result.fingerprint} is now the present host key` },
    { kind: 'text', text: `To use it, ${restart}` },
    ...blocks(result, context),
  ],
  rows: ({ keys }) => rows(keys),
});
