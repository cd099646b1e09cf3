/** The verbs about users' keys, at manage@. The container and the jump account always change together. */
import * as z from 'zod';
import type { KeyChange, KeyList } from '../../domain/results/keys.ts';
import { publicKeys, username, keySelector } from '../declaration/schema.ts';
import { plural } from '../../domain/text.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block, ViewContext } from '../declaration/view.ts';
import {
  changeEnds,
  endedConnections,
  keyRows,
  keyStdin,
  keyTable,
  noContainer,
  publicKeyOption,
  readEnds,
  userArgument,
  warnings,
  yesOption,
} from './shared.ts';

export const selectorArgument = {
  kind: 'argument',
  name: 'key',
  summary: 'fingerprint (SHA256:…, or a prefix of it), or exact comment',
  required: true,
  complete: 'fingerprints',
} as const;

export const keyEnds = { ...changeEnds, notFound: noContainer } as const;

export function changeView(result: KeyChange, context: ViewContext): Block[] {
  const parts = [
    ...(result.added.length > 0 ? [`${plural(result.added.length, 'key')} added`] : []),
    ...(result.removed.length > 0 ? [`${plural(result.removed.length, 'key')} removed`] : []),
  ];
  return [
    {
      kind: 'text',
      tone: parts.length > 0 ? 'good' : 'quiet',
      text: `${result.user}: ${parts.join(', ') || 'nothing to change'}`,
    },
    keyTable(result.keys, context, 'No keys left: nobody can log in'),
    ...endedConnections(result.user, result.connectionsEnded),
    ...warnings(result.warnings),
  ];
}

export const keyAdd = defineVerb({
  name: 'key add',
  summary: 'Add keys for a user, in the container and on the jump account',
  description: [
    'The container and the jump account change together or not at all. Keys that the user already has stay unchanged.',
  ],
  examples: [{ line: 'key add alice < alice-laptop.pub', says: 'another key' }],
  ends: keyEnds,
  access: { manage: 'operator' },
  elsewhere: 'keys add',
  changes: true,
  grantsAccess: true,
  danger: 'none',
  stdin: keyStdin,
  form: {},
  target: 'user',
  parameters: [userArgument, publicKeyOption],
  input: () => z.strictObject({ user: username, keys: publicKeys }),
  view: changeView,
  rows: (result) => keyRows(result.keys),
});

export const keyList = defineVerb({
  name: 'key list',
  aliases: ['key ls'],
  summary: "List a user's keys",
  examples: [{ line: 'key list alice', says: 'types, fingerprints and comments' }],
  ends: { ...readEnds, notFound: noContainer },
  access: { manage: 'viewer' },
  elsewhere: 'keys',
  changes: false,
  danger: 'none',
  target: 'user',
  parameters: [userArgument],
  input: () => z.strictObject({ user: username }),
  view: (result: KeyList, context) => [keyTable(result.keys, context, 'No keys: nobody can log in')],
  rows: (result) => keyRows(result.keys),
});

export const keyRemove = defineVerb({
  name: 'key remove',
  aliases: ['key rm'],
  summary: "Remove a user's key, by fingerprint or comment",
  description: [
    'All connections of the user through the host are ended, also those with another key: a client with a valid key can connect again at once.',
    'Removing the last key requires --yes: without a key, nobody can log in to the container.',
  ],
  ends: {
    ...keyEnds,
    notFound: 'the user has no container or no such key',
    conflict: 'this is the last key, or another operation on this container is still running',
  },
  examples: [
    { line: 'key remove alice SHA256:AbCdEfGh', says: 'by a prefix of its fingerprint' },
    { line: 'key remove alice alice@old-laptop', says: 'by its comment' },
  ],
  access: { manage: 'operator' },
  elsewhere: 'keys remove <key>',
  changes: true,
  grantsAccess: true,
  danger: 'none',
  target: 'user',
  parameters: [userArgument, selectorArgument, { ...yesOption, summary: 'remove the key even if it is the last one' }],
  input: () => z.strictObject({ user: username, key: keySelector, yes: z.boolean().optional() }),
  view: changeView,
  rows: (result) => keyRows(result.keys),
});

export const keyReplace = defineVerb({
  name: 'key replace',
  summary: 'Replace all keys of a user',
  description: [
    'Keys that are not among the new ones stop working. If any did, all connections of the user through the host are ended, also those with a key that stays.',
  ],
  examples: [{ line: 'key replace alice < new.pub', says: 'from now on only these keys' }],
  ends: keyEnds,
  access: { manage: 'operator' },
  changes: true,
  grantsAccess: true,
  danger: 'none',
  stdin: keyStdin,
  form: {},
  target: 'user',
  parameters: [userArgument, publicKeyOption],
  input: () => z.strictObject({ user: username, keys: publicKeys }),
  view: changeView,
  rows: (result) => keyRows(result.keys),
});
