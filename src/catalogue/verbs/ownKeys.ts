/** The verbs about an owner's own keys, at self@. A new key has to sign before it opens the container. */
import * as z from 'zod';
import type { InvitationInfo } from '../../domain/results/invitations.ts';
import type { KeysInvited, OwnKeyChange, OwnKeyList } from '../../domain/results/keys.ts';
import { plural } from '../../domain/text.ts';
import { publicKeys, username, keySelector } from '../declaration/schema.ts';
import { showTime } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block, ViewContext } from '../declaration/view.ts';
import { hostNote, madeRows, madeView } from './invitations.ts';
import { changeView, keyEnds, selectorArgument } from './keys.ts';
import {
  keyRows,
  keyStdin,
  keyTable,
  noContainer,
  publicKeyOption,
  readEnds,
  userArgument,
  yesOption,
} from './shared.ts';

const whichContainer = {
  kind: 'option',
  name: 'user',
  long: ['user'],
  value: 'user',
  summary: 'one of your containers, if you have several',
  complete: 'users',
} as const;

const invitationEnds = {
  ...readEnds,
  notFound: noContainer,
  conflict: 'too many invitations for the container are open, or an operation left it unfinished',
} as const;

function keyName({ fingerprint, comment }: Pick<InvitationInfo, 'fingerprint' | 'comment'>): string {
  const shown = fingerprint ?? 'any key';
  return comment === null || comment === '' ? shown : `${shown} (${comment})`;
}

function openInvitations(invitations: readonly InvitationInfo[], context: ViewContext): Block[] {
  if (invitations.length === 0) return [];
  return [
    { kind: 'text', text: 'Open invitations. "keys remove" cancels one, by its id, fingerprint or comment:' },
    {
      kind: 'table',
      noun: 'Invitation',
      columns: [{ title: 'ID' }, { title: 'KEY' }, { title: 'EXPIRES' }],
      rows: invitations.map((one) => [one.id, keyName(one), showTime(one.expiresAt, context)]),
      empty: 'No open invitations',
    },
  ];
}

export const keys = defineVerb({
  name: 'keys',
  summary: 'List your own keys',
  description: ['Invitations that you have made, and that no key has used yet, are listed below the keys.'],
  examples: [{ line: 'keys', says: 'the keys that open your container' }],
  ends: { ...readEnds, notFound: noContainer },
  access: { self: true },
  elsewhere: 'key list <user>',
  changes: false,
  danger: 'none',
  target: 'user',
  parameters: [{ ...userArgument, required: false, summary: 'one of your containers, if you have several' }],
  input: () => z.strictObject({ user: username.optional() }),
  view: (result: OwnKeyList, context) => [
    keyTable(result.keys, context, 'No keys'),
    ...openInvitations(result.invitations, context),
  ],
  rows: (result) => keyRows(result.keys),
});

function invitedView({ user, unchanged, invitations }: KeysInvited): Block[] {
  const had = unchanged.map((key): Block => ({
    kind: 'text',
    tone: 'quiet',
    text: `${keyName(key)} opens the container of ${user} already`,
  }));
  if (invitations.length === 0) return [{ kind: 'text', tone: 'quiet', text: `${user}: nothing to change` }, ...had];
  const [first] = invitations;
  return [
    {
      kind: 'text',
      tone: 'good',
      text: `${user}: ${plural(invitations.length, 'key')} invited. To add a key, run its command where its private key is, before ${first?.invitation.expiresAt ?? ''}:`,
    },
    ...invitations.flatMap(({ invitation, command }): Block[] => [
      { kind: 'text', text: keyName(invitation) },
      { kind: 'verbatim', text: command },
    ]),
    {
      kind: 'text',
      tone: 'quiet',
      text: 'Permission denied? Add "-i" and the path of that private key, and "-o IdentitiesOnly=yes".',
    },
    ...hostNote(first?.command ?? ''),
    ...had,
  ];
}

export const keysAdd = defineVerb({
  name: 'keys add',
  summary: 'Add your own keys, for example of another laptop',
  description: [
    'Each key has to log in once before it is added, which proves that it is yours. The answer has a command for each key: run it where the private key is. It works once, within ten minutes, and with this key only. The key is accepted by your container and at self@ from then on. Keys that you already have stay unchanged.',
    'The keys that have not logged in yet are listed by `keys`, and `keys remove` cancels their invitations.',
  ],
  examples: [{ line: 'keys add < ~/.ssh/id_laptop.pub', says: 'prints the command to run on the laptop' }],
  ends: invitationEnds,
  access: { self: true },
  elsewhere: 'key add <user>',
  changes: true,
  danger: 'none',
  stdin: keyStdin,
  form: {},
  target: 'user',
  parameters: [publicKeyOption, whichContainer],
  input: () => z.strictObject({ user: username.optional(), keys: publicKeys }),
  view: invitedView,
  copy: ({ invitations }) => invitations.map(({ command }) => command).join('\n'),
  rows: ({ invitations }) => madeRows(invitations),
});

export const keysInvite = defineVerb({
  name: 'keys invite',
  summary: 'Invite a key of your own that you do not have at hand',
  description: [
    'The answer has a command that adds the key with which it is run, whichever it is. It works once, within ten minutes, and is shown only once. Anyone who has it can add a key. Where you have the public key, use `keys add`: only this key can use its command.',
  ],
  examples: [{ line: 'keys invite', says: 'prints the command to run on another laptop' }],
  ends: invitationEnds,
  access: { self: true },
  elsewhere: 'key invite <user>',
  changes: true,
  danger: 'none',
  target: 'user',
  parameters: [whichContainer],
  input: () => z.strictObject({ user: username.optional() }),
  view: madeView,
  copy: ({ command }) => command,
  rows: (made) => madeRows([made]),
});

export const keysRemove = defineVerb({
  name: 'keys remove',
  aliases: ['keys rm'],
  summary: 'Remove one of your own keys, or cancel an invitation',
  description: [
    'All your connections through the host are ended, also those with another key. With a valid key you can connect again at once.',
    'Removing the last key requires --yes: without a key, you can no longer log in.',
    'An open invitation of the key is cancelled as well. An invitation for any key is cancelled by its id.',
  ],
  ends: {
    ...keyEnds,
    notFound: 'no such key or invitation',
    conflict: 'this is the last key, or another operation on this container is still running',
  },
  examples: [
    { line: 'keys remove alice@old-laptop', says: 'by its comment' },
    { line: 'keys remove 0b1c2d3e4f50', says: 'an invitation, by its id in keys' },
  ],
  access: { self: true },
  elsewhere: 'key remove <user> <key>',
  changes: true,
  danger: 'none',
  target: 'user',
  parameters: [
    { ...selectorArgument, summary: `${selectorArgument.summary}, or id of an invitation` },
    { ...yesOption, summary: 'remove the key even if it is the last one' },
    whichContainer,
  ],
  input: () => z.strictObject({ user: username.optional(), key: keySelector, yes: z.boolean().optional() }),
  view: (result: OwnKeyChange, context) =>
    result.cancelled.length === 0
      ? changeView(result, context)
      : [
          {
            kind: 'text',
            tone: 'good',
            text: `${result.user}: ${plural(result.cancelled.length, 'invitation')} cancelled`,
          },
          ...(result.removed.length > 0 ? changeView(result, context) : []),
        ],
  rows: (result) => keyRows(result.keys),
});
