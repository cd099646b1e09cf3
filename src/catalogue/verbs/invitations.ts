/** The verbs about one-time invitations, with which people add their own keys. */
import * as z from 'zod';
import { invitationLogin, tokenOf } from '../../domain/access/invitation.ts';
import { Failure } from '../../domain/failure.ts';
import { unknownHost } from '../../domain/results/access.ts';
import type { InvitationInfo, InvitationMade } from '../../domain/results/invitations.ts';
import { existing, newName, parsedBy, username } from '../declaration/schema.ts';
import { plural } from '../../domain/text.ts';
import { showTime } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block, Rows } from '../declaration/view.ts';
import { adminRoles, roleOption } from './admins.ts';
import { noContainer, readEnds, userArgument } from './shared.ts';

/** An id or a name. The token itself is a secret, and must not reach the journal as the target of a call. */
const idOrName = parsedBy((text) => {
  if (tokenOf(text) !== undefined || tokenOf(invitationLogin(text)) !== undefined) {
    throw new Failure('usage', {
      what: 'this invitation',
      why: 'that is its secret, with which anyone could log in',
      next: 'name the invitation by its id, see "invite list"',
    });
  }
  return text;
}).pipe(existing('invitation', 'invite list', (text) => /^[0-9a-f]{12}$/.test(text)));

const rule =
  'The invitation works once, within ten minutes, and is shown only once. It becomes invalid if its creator loses the right to invite. Anyone who has it can add a key: send it over a channel that only the invited person reads.';

export function madeView({ invitation, command }: InvitationMade): Block[] {
  const whose =
    invitation.kind === 'admin' ? `an admin key of ${invitation.name}` : `a key to the container of ${invitation.name}`;
  return [
    {
      kind: 'text',
      tone: 'good',
      text: `The first person who runs this command before ${invitation.expiresAt} makes their login key ${whose}:`,
    },
    { kind: 'verbatim', text: command },
    ...hostNote(command),
  ];
}

/** Returns a note if the command of an invitation has no host name. */
export function hostNote(command: string): Block[] {
  if (!command.endsWith(`@${unknownHost}`)) return [];
  const text = `Replace ${unknownHost} with the name of this host, or set jump.hostname in the configuration`;
  return [{ kind: 'text', tone: 'warn', text }];
}

export function madeRows(made: readonly InvitationMade[]): Rows {
  return {
    columns: ['id', 'kind', 'name', 'role', 'expires_at', 'token', 'command', 'fingerprint'],
    rows: made.map(({ invitation: { id, kind, name, role, expiresAt, fingerprint }, token, command }) => [
      id,
      kind,
      name,
      role,
      expiresAt,
      token,
      command,
      fingerprint,
    ]),
  };
}

function openRows(invitations: readonly InvitationInfo[]): Rows {
  return {
    columns: ['id', 'kind', 'name', 'role', 'by', 'expires_at', 'by_owner', 'fingerprint'],
    rows: invitations.map(({ id, kind, name, role, by, expiresAt, byOwner, fingerprint }) => [
      id,
      kind,
      name,
      role,
      by,
      expiresAt,
      byOwner,
      fingerprint,
    ]),
  };
}

export const adminInvite = defineVerb({
  name: 'admin invite',
  summary: 'Invite a person to add their own key for manage@',
  description: [rule],
  ends: { conflict: 'the admin has another role, or too many invitations are open' },
  examples: [{ line: 'admin invite carol --role operator', says: 'prints the command that Carol has to run' }],
  access: { manage: 'admin' },
  changes: true,
  grantsAccess: true,
  danger: 'none',
  form: {},
  target: 'name',
  parameters: [
    { kind: 'argument', name: 'name', summary: 'name of the admin', required: true, complete: 'admins' },
    roleOption,
  ],
  input: () => z.strictObject({ name: newName, role: z.enum(adminRoles).optional() }),
  view: madeView,
  copy: ({ command }) => command,
  rows: (made) => madeRows([made]),
});

export const keyInvite = defineVerb({
  name: 'key invite',
  summary: 'Invite a user to add another key of their own',
  description: [rule, 'The key is added to the container and to the jump account, as with `key add`.'],
  ends: { ...readEnds, notFound: noContainer, conflict: 'too many invitations are open' },
  examples: [{ line: 'key invite alice', says: 'prints the command that Alice has to run on her new laptop' }],
  access: { manage: 'operator' },
  elsewhere: 'keys invite',
  changes: true,
  grantsAccess: true,
  danger: 'none',
  form: {},
  target: 'user',
  parameters: [userArgument],
  input: () => z.strictObject({ user: username }),
  view: madeView,
  copy: ({ command }) => command,
  rows: (made) => madeRows([made]),
});

export const inviteList = defineVerb({
  name: 'invite list',
  aliases: ['invite ls'],
  summary: 'List open invitations',
  description: [
    'BY is the admin, or "owner" and the name of the owner who added a key at self@. KEY is the only key that can use the invitation.',
  ],
  examples: [{ line: 'invite list', says: 'names, creators and expiry times; tokens are not stored' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: () => z.strictObject({}),
  view: ({ invitations }: { readonly invitations: readonly InvitationInfo[] }, context) => [
    {
      kind: 'table',
      noun: 'Invitation',
      columns: [
        { title: 'ID' },
        { title: 'FOR' },
        { title: 'NAME' },
        { title: 'ROLE' },
        { title: 'EXPIRES' },
        { title: 'BY' },
        { title: 'KEY' },
      ],
      rows: invitations.map(({ id, kind, name, role, by, expiresAt, byOwner, fingerprint }) => [
        id,
        kind === 'admin' ? 'manage@' : 'container',
        name,
        role ?? '-',
        showTime(expiresAt, context),
        byOwner ? `owner ${by}` : by,
        fingerprint ?? 'any',
      ]),
      empty: 'No open invitations',
    },
  ],
  rows: ({ invitations }) => openRows(invitations),
});

export const inviteCancel = defineVerb({
  name: 'invite cancel',
  summary: 'Cancel open invitations, by id or by the name of the invited person',
  ends: { notFound: 'no such open invitation' },
  examples: [{ line: 'invite cancel carol', says: 'all open invitations for Carol' }],
  access: { manage: 'operator' },
  changes: true,
  grantsAccess: true,
  danger: 'none',
  target: 'invitation',
  parameters: [
    {
      kind: 'argument',
      name: 'invitation',
      summary: 'id from invite list, or name of the invited person',
      required: true,
    },
  ],
  input: () => z.strictObject({ invitation: idOrName }),
  view: ({ cancelled }: { readonly cancelled: readonly InvitationInfo[] }) => [
    {
      kind: 'text',
      tone: 'good',
      text: `${plural(cancelled.length, 'invitation')} cancelled: ${[...new Set(cancelled.map(({ name }) => name))].join(', ')}`,
    },
  ],
  rows: ({ cancelled }) => openRows(cancelled),
});
