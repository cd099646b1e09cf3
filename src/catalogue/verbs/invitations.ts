/** One-time invitations, by which people bring their key themselves. */
import { z } from 'zod';
import type { InvitationInfo, InvitationMade } from '../../domain/results/invitations.ts';
import { username } from '../declaration/schema.ts';
import { plural, showTime } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block, Rows } from '../declaration/view.ts';
import { adminRoles, roleOption } from './admins.ts';
import { noContainer, readEnds, userArgument } from './shared.ts';

const rule =
  'It works once, within ten minutes, and is shown only now. It ends with the rights of whoever made it. Whoever has it can bring a key of their own: send it on a way that only the invited person reads.';

function madeView({ invitation, command }: InvitationMade): Block[] {
  const whose =
    invitation.kind === 'admin' ? `an admin key of ${invitation.name}` : `a key to the container of ${invitation.name}`;
  return [
    {
      kind: 'text',
      tone: 'good',
      text: `Whoever runs this first, until ${invitation.expiresAt}, makes the key that they log in with ${whose}:`,
    },
    { kind: 'verbatim', text: command },
  ];
}

function madeRows({ invitation, token, command }: InvitationMade): Rows {
  return {
    columns: ['id', 'kind', 'name', 'role', 'expires_at', 'token', 'command'],
    rows: [[invitation.id, invitation.kind, invitation.name, invitation.role, invitation.expiresAt, token, command]],
  };
}

function openRows(invitations: readonly InvitationInfo[]): Rows {
  return {
    columns: ['id', 'kind', 'name', 'role', 'by', 'expires_at'],
    rows: invitations.map(({ id, kind, name, role, by, expiresAt }) => [id, kind, name, role, by, expiresAt]),
  };
}

export const adminInvite = defineVerb({
  name: 'admin invite',
  summary: 'Invite somebody to bring their own key for manage@',
  description: [rule],
  ends: { conflict: 'the admin has another role, or too many invitations are open' },
  examples: [{ line: 'admin invite carol --role operator', says: 'prints the command that she runs' }],
  access: { manage: 'admin' },
  changes: true,
  danger: 'none',
  form: {},
  target: 'name',
  parameters: [
    { kind: 'argument', name: 'name', summary: 'the name of the admin', required: true, complete: 'admins' },
    roleOption,
  ],
  input: z.strictObject({ name: username, role: z.enum(adminRoles).optional() }),
  view: madeView,
  rows: madeRows,
});

export const keyInvite = defineVerb({
  name: 'key invite',
  summary: 'Invite a user to bring one more key of theirs',
  description: [rule, 'The key goes into the container and onto the jump account, as with `key add`.'],
  ends: { ...readEnds, notFound: noContainer, conflict: 'too many invitations are open' },
  examples: [{ line: 'key invite alice', says: 'prints the command that she runs, on the new laptop' }],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  form: {},
  target: 'user',
  parameters: [userArgument],
  input: z.strictObject({ user: username }),
  view: madeView,
  rows: madeRows,
});

export const inviteList = defineVerb({
  name: 'invite list',
  aliases: ['invite ls'],
  summary: 'List the invitations that are open',
  examples: [{ line: 'invite list', says: 'for whom, by whom, until when; the tokens are not known' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: z.strictObject({}),
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
      ],
      rows: invitations.map(({ id, kind, name, role, by, expiresAt }) => [
        id,
        kind === 'admin' ? 'manage@' : 'container',
        name,
        role ?? '-',
        showTime(expiresAt, context),
        by,
      ]),
      empty: 'No invitation is open',
    },
  ],
  rows: ({ invitations }) => openRows(invitations),
});

export const inviteCancel = defineVerb({
  name: 'invite cancel',
  summary: 'Cancel open invitations, by id or by whom they are for',
  ends: { notFound: 'no such invitation is open' },
  examples: [{ line: 'invite cancel carol', says: 'all that are open for her' }],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  target: 'invitation',
  parameters: [{ kind: 'argument', name: 'invitation', summary: 'an id of invite list, or a name', required: true }],
  input: z.strictObject({ invitation: z.string().min(1).max(64) }),
  view: ({ cancelled }: { readonly cancelled: readonly InvitationInfo[] }) => [
    {
      kind: 'text',
      tone: 'good',
      text: `${plural(cancelled.length, 'invitation')} cancelled: ${[...new Set(cancelled.map(({ name }) => name))].join(', ')}`,
    },
  ],
  rows: ({ cancelled }) => openRows(cancelled),
});
