/** Who may use manage@. */
import { z } from 'zod';
import type { AdminChange, AdminInfo } from '../../domain/results.ts';
import { publicKeys, username } from '../schema.ts';
import { plural, showTime } from '../show.ts';
import { defineVerb } from '../verb.ts';
import type { Block, Rows, ViewContext } from '../view.ts';
import { keyStdin, publicKeyOption } from './shared.ts';

function adminTable(admins: readonly AdminInfo[], context: ViewContext): Block {
  return {
    kind: 'table',
    noun: 'Admin',
    columns: [{ title: 'NAME' }, { title: 'ROLE' }, { title: 'TYPE' }, { title: 'FINGERPRINT' }, { title: 'COMMENT' }, { title: 'ADDED' }, { title: 'BY' }],
    rows: admins.flatMap((admin) =>
      admin.keys.map((key) => [
        admin.name,
        admin.role,
        key.type,
        key.fingerprint,
        key.comment === '' ? '-' : key.comment,
        showTime(key.addedAt, context),
        key.addedBy === '' ? '-' : key.addedBy,
      ]),
    ),
    empty: 'No admins',
  };
}

function adminRows(admins: readonly AdminInfo[]): Rows {
  return {
    columns: ['name', 'role', 'type', 'fingerprint', 'comment', 'added_at', 'added_by'],
    rows: admins.flatMap((admin) =>
      admin.keys.map((key) => [admin.name, admin.role, key.type, key.fingerprint, key.comment, key.addedAt, key.addedBy]),
    ),
  };
}

const changeView = (result: AdminChange, context: ViewContext): Block[] => [
  {
    kind: 'text',
    tone: result.added.length + result.removed.length > 0 ? 'good' : 'quiet',
    text:
      result.added.length > 0
        ? `${result.name}: ${plural(result.added.length, 'admin key')} added`
        : result.removed.length > 0
          ? `${result.name}: ${plural(result.removed.length, 'admin key')} removed`
          : `${result.name}: nothing to change`,
  },
  adminTable(result.admins, context),
];

export const adminAdd = defineVerb({
  name: 'admin add',
  summary: 'Authorise keys for manage@ under a name',
  description: ['A new admin may use every verb. A key names one person: one that belongs to another admin is refused.'],
  examples: [{ line: 'admin add carol < carol.pub', says: 'a new admin, or one more key of hers' }],
  ends: { conflict: 'a key belongs to another admin' },
  access: { manage: 'admin' },
  changes: true,
  danger: 'none',
  stdin: keyStdin,
  form: {},
  parameters: [
    { kind: 'argument', name: 'name', summary: 'the name of the admin, as the journal shows it', required: true, complete: 'admins' },
    publicKeyOption,
  ],
  input: z.strictObject({ name: username, keys: publicKeys }),
  view: changeView,
  rows: (result) => adminRows(result.admins),
});

export const adminList = defineVerb({
  name: 'admin list',
  aliases: ['admin ls'],
  summary: 'List admins and their keys',
  examples: [{ line: 'admin list', says: 'who may use manage@' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: z.strictObject({}),
  view: (result: { admins: readonly AdminInfo[] }, context) => [adminTable(result.admins, context)],
  rows: (result) => adminRows(result.admins),
});

export const adminRemove = defineVerb({
  name: 'admin remove',
  aliases: ['admin rm'],
  summary: 'Remove an admin, or one key of an admin',
  description: ['The last admin cannot be removed: nobody could use manage@ as an admin any more.'],
  ends: { notFound: 'no admin has this name, fingerprint or key comment', conflict: 'it is the last admin' },
  examples: [
    { line: 'admin remove carol', says: 'the admin, with all keys' },
    { line: 'admin remove SHA256:AbCdEfGh', says: 'one key' },
  ],
  access: { manage: 'admin' },
  changes: true,
  danger: 'none',
  parameters: [{ kind: 'argument', name: 'admin', summary: 'a name, or the fingerprint or comment of a key', required: true, complete: 'admins' }],
  input: z.strictObject({ admin: z.string().min(1).max(256) }),
  view: changeView,
  rows: (result) => adminRows(result.admins),
});
