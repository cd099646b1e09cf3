/** The verbs `whoami`, `version` and `help`. */
import * as z from 'zod';
import type { VersionInfo, WhoAmI } from '../../domain/results/about.ts';
import { someText } from '../declaration/schema.ts';
import { defineVerb } from '../declaration/verb.ts';
import { certificateText } from './shared.ts';

export const whoami = defineVerb({
  name: 'whoami',
  summary: 'Show your name, role, key and address',
  examples: [{ line: 'whoami', says: 'your name and role, and the key of this login' }],
  access: { manage: 'viewer', self: true },
  unrecorded: true,
  changes: false,
  danger: 'none',
  parameters: [],
  input: () => z.strictObject({}),
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
  summary: 'Show the version of the server and its platform',
  examples: [{ line: 'version', says: 'server, Node.js, platform and host' }],
  access: { manage: 'viewer' },
  unrecorded: true,
  changes: false,
  danger: 'none',
  parameters: [],
  input: () => z.strictObject({}),
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
  summary: 'List all verbs, or explain one',
  ends: { usage: 'no such verb, or you may not use it' },
  examples: [
    { line: 'help', says: 'all verbs that you may use' },
    { line: 'help create', says: 'arguments, options and examples of one verb' },
    { line: 'help --json', says: 'every verb as data, for programs' },
  ],
  access: { manage: 'viewer', self: true },
  unrecorded: true,
  changes: false,
  danger: 'none',
  answeredLocally: true,
  parameters: [
    { kind: 'argument', name: 'verb', summary: 'verb to explain', required: false, complete: 'verbs' },
    { kind: 'argument', name: 'subverb', summary: 'second word of the verb', required: false },
  ],
  input: () => z.strictObject({ verb: someText(64).optional(), subverb: someText(64).optional() }),
  view: () => [],
});
