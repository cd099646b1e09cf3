/** The verbs that print the ssh configuration of a container: `export` for admins, `config` for its owner. */
import * as z from 'zod';
import type { SshAccess } from '../../domain/results/access.ts';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { parsedBy, username, someText } from '../declaration/schema.ts';
import { defineVerb, type Option } from '../declaration/verb.ts';
import type { Block } from '../declaration/view.ts';
import { noContainer, readEnds, userArgument } from './shared.ts';

export type ExportResult = SshAccess & { readonly part: 'config' | 'known-hosts' };

/** A host name or address that is safe in ssh_config(5): it cannot begin another keyword or an option. */
const hostName = parsedBy((text) => {
  if (/^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$/.test(text)) return text;
  throw new Failure('usage', {
    what: `host ${quoted(text)}`,
    why: 'neither a host name nor an address',
    next: 'give the name or address by which users reach this host',
  });
}, 300);

const keyPath = parsedBy((text) => {
  if (/^[^\s"'\\%$`;|&<>-][^\n\r"\\`;|&<>]*$/u.test(text) && text.length <= 200) return text;
  throw new Failure('usage', {
    what: `key path ${quoted(text)}`,
    why: 'not allowed in an ssh configuration',
    next: 'use a plain path, for example ~/.ssh/id_ed25519',
  });
});

const options: readonly Option[] = [
  {
    kind: 'option',
    name: 'jumpHost',
    long: ['jump-host', 'jump-ip'],
    value: 'host',
    summary: 'name or address by which users reach this host',
  },
  {
    kind: 'option',
    name: 'jumpPort',
    long: ['jump-port'],
    value: 'port',
    summary: "port of the host's sshd (default 22)",
  },
  {
    kind: 'option',
    name: 'key',
    long: ['key'],
    value: 'path',
    summary: "path of the private key on the user's machine",
  },
  { kind: 'option', name: 'knownHosts', long: ['known-hosts'], summary: 'print lines for known_hosts instead' },
];

const exportInput = {
  jumpHost: hostName.optional(),
  jumpPort: parsedBy((text) => {
    const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (port >= 1 && port <= 65_535) return port;
    throw new Failure('usage', {
      what: `port ${quoted(text)}`,
      why: 'not a number from 1 to 65535',
      next: 'omit it to use the configured port',
    });
  }).optional(),
  key: keyPath.optional(),
  knownHosts: z.boolean().optional(),
};

const ends = { ...readEnds, notFound: noContainer, conflict: 'the container has no address' } as const;

const copy = (result: ExportResult): string =>
  result.part === 'config' ? result.config : result.knownHosts.join('\n');
const view = (result: ExportResult): Block[] => [{ kind: 'verbatim', text: copy(result) }];

export const exportVerb = defineVerb({
  name: 'export',
  summary: "Print a user's ssh configuration",
  description: [
    'The output is a file for ~/.ssh/config.d, or text to append to ~/.ssh/config. It has one Host block for the jump account and one for the container. The aliases are unique to the user.',
    'With --known-hosts, the output is the host keys of both for ~/.ssh/known_hosts, so that ssh does not ask whether to trust them.',
  ],
  examples: [
    { line: 'export alice > containarium-alice', says: 'the configuration, to send to Alice' },
    {
      line: 'export alice --known-hosts >> ~/.ssh/known_hosts',
      says: 'the host keys of the jump host and the container',
    },
    {
      line: 'export alice --jump-host jump.example.org --key ~/.ssh/containarium_alice',
      says: 'with a different jump host name and key file',
    },
  ],
  access: { manage: 'viewer' },
  elsewhere: 'config',
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
      file: 'written',
      summary: 'write to this file with mode 0600; only on the host',
    },
  ],
  input: () => z.strictObject({ user: username, ...exportInput, output: someText(400).optional() }),
  ends,
  view,
  copy,
});

export const config = defineVerb({
  name: 'config',
  summary: 'Print your own ssh configuration',
  description: [
    'The output is a file for ~/.ssh/config.d, or text to append to ~/.ssh/config. If you have several containers, name one.',
  ],
  examples: [
    { line: 'config > ~/.ssh/config.d/containarium', says: 'your configuration' },
    { line: 'config --known-hosts >> ~/.ssh/known_hosts', says: 'the host keys of the jump host and the container' },
  ],
  access: { self: true },
  elsewhere: 'export <user>',
  changes: false,
  danger: 'none',
  onSelfCard: true,
  target: 'user',
  parameters: [
    { ...userArgument, required: false, summary: 'one of your containers, if you have several' },
    ...options,
  ],
  input: () => z.strictObject({ user: username.optional(), ...exportInput }),
  ends,
  view,
  copy,
});
