/** The ssh configuration of a container: `export` for admins, `config` for its owner. */
import { z } from 'zod';
import type { SshAccess } from '../../domain/results/access.ts';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { parsedBy, username } from '../declaration/schema.ts';
import { defineVerb, type Option } from '../declaration/verb.ts';
import type { Block } from '../declaration/view.ts';
import { noContainer, readEnds, userArgument } from './shared.ts';

export type ExportResult = SshAccess & { readonly part: 'config' | 'known-hosts' };

/** A host name or address as it may stand in ssh_config(5): nothing that could begin another keyword or an option. */
const hostName = parsedBy((text) => {
  if (/^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$/.test(text)) return text;
  throw new Failure('usage', {
    what: `host ${quoted(text)}`,
    why: 'it is not a host name or an address',
    next: 'give the name or address that users reach this host by',
  });
}, 300);

const keyPath = parsedBy((text) => {
  if (/^[^\s"'\\%$`;|&<>-][^\n\r"\\`;|&<>]*$/u.test(text) && text.length <= 200) return text;
  throw new Failure('usage', {
    what: `key path ${quoted(text)}`,
    why: 'it cannot stand in an ssh configuration',
    next: 'give a plain path, for example ~/.ssh/id_ed25519',
  });
});

const options: readonly Option[] = [
  {
    kind: 'option',
    name: 'jumpHost',
    long: ['jump-host', 'jump-ip'],
    value: 'host',
    summary: 'name or address under which users reach this host',
  },
  {
    kind: 'option',
    name: 'jumpPort',
    long: ['jump-port'],
    value: 'port',
    summary: "port of the host's sshd (default 22)",
  },
  { kind: 'option', name: 'key', long: ['key'], value: 'path', summary: "the user's private key on their own machine" },
  { kind: 'option', name: 'knownHosts', long: ['known-hosts'], summary: 'print the known_hosts lines instead' },
];

const exportInput = {
  jumpHost: hostName.optional(),
  jumpPort: parsedBy((text) => {
    const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (port >= 1 && port <= 65_535) return port;
    throw new Failure('usage', {
      what: `port ${quoted(text)}`,
      why: 'a port is a number from 1 to 65535',
      next: 'leave it out for the port of the configuration',
    });
  }).optional(),
  key: keyPath.optional(),
  knownHosts: z.boolean().optional(),
};

const ends = { ...readEnds, notFound: noContainer, conflict: 'the container has no address' } as const;

const view = (result: ExportResult): Block[] => [
  { kind: 'verbatim', text: result.part === 'config' ? result.config : result.knownHosts.join('\n') },
];

export const exportVerb = defineVerb({
  name: 'export',
  summary: 'Print the ssh configuration of a user',
  description: [
    'The output is a file for ~/.ssh/config.d (or for the end of ~/.ssh/config): one Host block for the jump account and one for the container, under aliases that no two users share.',
    'With --known-hosts it is the host keys of both, for ~/.ssh/known_hosts, so that ssh need not ask whether to trust them.',
  ],
  examples: [
    { line: 'export alice > containarium-alice', says: 'the configuration, to send to Alice' },
    { line: 'export alice --known-hosts >> ~/.ssh/known_hosts', says: 'the host keys of jump host and container' },
    {
      line: 'export alice --jump-host jump.example.org --key ~/.ssh/containarium_alice',
      says: 'with another name of the jump host and another key file',
    },
  ],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  target: 'user',
  parameters: [
    userArgument,
    ...options,
    {
      kind: 'option',
      name: 'output',
      long: ['output'],
      short: 'o',
      value: 'file',
      summary: 'on the host only: write to a file (0600) instead',
    },
  ],
  input: z.strictObject({ user: username, ...exportInput, output: z.string().max(400).optional() }),
  ends,
  view,
});

export const config = defineVerb({
  name: 'config',
  summary: 'Print your own ssh configuration',
  description: [
    'The output is a file for ~/.ssh/config.d (or for the end of ~/.ssh/config). Where your key opens several containers, name one.',
  ],
  examples: [
    { line: 'config > ~/.ssh/config.d/containarium', says: 'your configuration' },
    { line: 'config --known-hosts >> ~/.ssh/known_hosts', says: 'the host keys of jump host and container' },
  ],
  access: { self: true },
  changes: false,
  danger: 'none',
  onSelfCard: true,
  target: 'user',
  parameters: [
    { ...userArgument, required: false, summary: 'which of your containers, where you have several' },
    ...options,
  ],
  input: z.strictObject({ user: username.optional(), ...exportInput }),
  ends,
  view,
});
