/** The keys by which clients know this server. */
import { z } from 'zod';
import type { HostKeyChange, HostKeyInfo, HostKeyList } from '../../domain/results/hostKeys.ts';
import { showTime } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block, Rows, ViewContext } from '../declaration/view.ts';

const restart = 'restart the server (systemctl restart containarium)';

function blocks({ keys, named }: HostKeyList, context: ViewContext): Block[] {
  const toReplace = [
    ...(named ? [] : ['known_hosts line']),
    ...(keys.some(({ sshfp }) => sshfp.startsWith('JUMP-HOST ')) ? ['SSHFP record'] : []),
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
        inUse ? 'yes' : 'from the next start on',
      ]),
      empty: 'There is no host key',
    },
    { kind: 'verbatim', title: 'For ~/.ssh/known_hosts', text: keys.map(({ knownHosts }) => knownHosts).join('\n') },
    {
      kind: 'verbatim',
      title: 'For the zone of the name, where it is signed (DNSSEC)',
      text: keys.map(({ sshfp }) => sshfp).join('\n'),
    },
    ...(toReplace.length === 0
      ? []
      : [
          {
            kind: 'text',
            tone: 'quiet',
            text: `Replace JUMP-HOST in the ${toReplace.join(' and the ')} by the name of this host, or set jump.hostname on it`,
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

const ends = { usage: 'a key file cannot be read, or others can read it' } as const;

export const hostKey = defineVerb({
  name: 'host-key',
  aliases: ['host-key list'],
  summary: 'Show the host keys of port 2222, to compare and to publish',
  description: [
    'The fingerprint is what ssh shows at the first login. The lines below the table are for ~/.ssh/known_hosts and for DNS (SSHFP records, RFC 4255; ssh reads them with VerifyHostKeyDNS). The keys of the host itself, port 22, are not among them.',
    'A server uses the keys that it was started with: a key that was changed since is in use from the next start on.',
  ],
  ends,
  examples: [
    { line: 'host-key', says: 'what a client should see, and for how long it has been so' },
    { line: 'host-key --json', says: 'the same, for scripts that publish it' },
  ],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: z.strictObject({}),
  view: blocks,
  rows: ({ keys }: HostKeyList) => rows(keys),
});

export const hostKeyRotate = defineVerb({
  name: 'host-key rotate',
  summary: 'Make the next host key, which clients learn before it is used',
  description: [
    `From the next start of the server on it is announced at each login: ${restart}. OpenSSH notes it by itself (UpdateHostKeys, ssh_config(5)); publish its SSHFP record and known_hosts line for others. \`host-key switch\` puts it to use.`,
  ],
  ends: { ...ends, conflict: 'there is a next key already' },
  examples: [
    { line: 'host-key rotate', says: 'the first of two steps; the second is host-key switch, some weeks later' },
  ],
  access: { manage: 'admin' },
  changes: true,
  danger: 'none',
  parameters: [],
  input: z.strictObject({}),
  view: (result: HostKeyChange, context) => [
    { kind: 'text', tone: 'good', text: `${result.fingerprint} is the next host key` },
    { kind: 'text', text: `To announce it to clients, ${restart}. Once they have logged in: host-key switch` },
    ...blocks(result, context),
  ],
  rows: ({ keys }) => rows(keys),
});

export const hostKeySwitch = defineVerb({
  name: 'host-key switch',
  summary: 'Put the next host key in the place of the present one',
  description: [
    `It is used from the next start of the server on: ${restart}. Clients that have not learned the next key are warned, and do not connect until somebody has compared the fingerprint; so it needs \`--yes\`. The present key is kept as keys/host_ed25519.previous.`,
  ],
  ends: {
    usage: 'a next key is there and --yes is missing; or a key file cannot be read, or others can read it',
    conflict: 'there is no next key',
  },
  examples: [{ line: 'host-key switch --yes', says: 'once clients have seen the next key' }],
  access: { manage: 'admin' },
  changes: true,
  danger: 'none',
  parameters: [
    {
      kind: 'option',
      name: 'yes',
      long: ['yes'],
      short: 'y',
      summary: 'clients that have not seen the next key may be warned',
    },
  ],
  input: z.strictObject({ yes: z.boolean().optional() }),
  view: (result: HostKeyChange, context) => [
    { kind: 'text', tone: 'good', text: `${result.fingerprint} is the present host key now` },
    { kind: 'text', text: `To use it, ${restart}` },
    ...blocks(result, context),
  ],
  rows: ({ keys }) => rows(keys),
});
