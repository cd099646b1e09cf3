/** Who, what and how: whoami, version, help. */
import { z } from 'zod';
import type { VersionInfo, WhoAmI } from '../../domain/results/about.ts';
import { defineVerb } from '../declaration/verb.ts';
import { certificateText } from './shared.ts';

export const whoami = defineVerb({
  name: 'whoami',
  summary: 'Show who you are here: name, role, key and address',
  examples: [{ line: 'whoami', says: 'as whom you are logged in, and with which key' }],
  access: { manage: 'viewer', self: true },
  unrecorded: true,
  changes: false,
  danger: 'none',
  parameters: [],
  input: z.strictObject({}),
  view: (result: WhoAmI) => [
    {
      kind: 'fields',
      fields: [
        ['Name', result.name],
        ['Role', result.role],
        ['Key', result.fingerprint ?? '-'],
        ...(result.certificate === null ? [] : [['Certificate', certificateText(result.certificate)] as const]),
        ['From', result.address ?? 'this host'],
        ...(result.containers.length > 0 ? [['Containers', result.containers.join(', ')] as const] : []),
        ['Host', result.host.simulated ? `simulated (${result.host.why})` : 'Incus'],
      ],
    },
  ],
});

export const version = defineVerb({
  name: 'version',
  summary: 'Show the version of the server and what it runs on',
  examples: [{ line: 'version', says: 'server, Node.js, platform, host' }],
  access: { manage: 'viewer' },
  unrecorded: true,
  changes: false,
  danger: 'none',
  parameters: [],
  input: z.strictObject({}),
  view: (result: VersionInfo) => [
    {
      kind: 'fields',
      fields: [
        ['containarium', result.version],
        ['Node.js', result.node],
        ['Platform', result.platform],
        ['Host', result.host.simulated ? `simulated (${result.host.why})` : 'Incus'],
      ],
    },
  ],
});

export const help = defineVerb({
  name: 'help',
  summary: 'Show the verbs, or how to use one',
  ends: { usage: 'there is no such verb, or you may not use it' },
  examples: [
    { line: 'help', says: 'all verbs you may use' },
    { line: 'help create', says: 'arguments, options and examples of a verb' },
    { line: 'help --json', says: 'every verb as data, for programs' },
  ],
  access: { manage: 'viewer', self: true },
  unrecorded: true,
  changes: false,
  danger: 'none',
  answeredLocally: true,
  parameters: [
    { kind: 'argument', name: 'verb', summary: 'the verb', required: false, complete: 'verbs' },
    { kind: 'argument', name: 'subverb', summary: 'its second word', required: false },
  ],
  input: z.strictObject({ verb: z.string().max(64).optional(), subverb: z.string().max(64).optional() }),
  view: () => [],
});
