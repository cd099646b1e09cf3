/** The verbs about admins. */
import * as z from 'zod';
import type { AdminChange, AdminInfo, AdminKeyInfo, LastUse } from '../../domain/results/admins.ts';
import { addressList, existing, limitedKeys, newName, untilWhen, keySelector } from '../declaration/schema.ts';
import { plural } from '../../domain/text.ts';
import { showTime } from '../declaration/show.ts';
import { defineVerb, type Option } from '../declaration/verb.ts';
import type { Block, Rows, ViewContext } from '../declaration/view.ts';
import { publicKeyOption, yesOption } from './shared.ts';

export const adminRoles = ['viewer', 'operator', 'admin'] as const;

function limitsText({ from, expiresAt, verifyRequired }: AdminKeyInfo, context: ViewContext): string {
  const parts = [
    ...(from === null ? [] : [`from ${from}`]),
    ...(expiresAt === null ? [] : [Date.parse(expiresAt) <= context.now.getTime() ? 'expired' : `until ${expiresAt}`]),
    ...(verifyRequired ? ['verify-required'] : []),
  ];
  return parts.join('; ') || '-';
}

function lastUseText(use: LastUse | null, context: ViewContext): string {
  return use === null ? '-' : `${showTime(use.at, context)} from ${use.address}`;
}

function adminTable(admins: readonly AdminInfo[], context: ViewContext): Block {
  return {
    kind: 'table',
    noun: 'Admin',
    columns: [
      { title: 'NAME', priority: 1 },
      { title: 'ROLE', priority: 2 },
      { title: 'TYPE', priority: 4 },
      { title: 'FINGERPRINT', priority: 3 },
      { title: 'COMMENT', priority: 5 },
      { title: 'LIMITS', priority: 6 },
      { title: 'LAST USED', priority: 7 },
      { title: 'ADDED', priority: 8 },
      { title: 'BY', priority: 9 },
    ],
    rows: admins.flatMap((admin) => [
      ...(admin.certificate === null
        ? []
        : [
            [
              admin.name,
              admin.role,
              'certificate',
              '-',
              '-',
              '-',
              lastUseText(admin.certificate.lastUse, context),
              '-',
              '-',
            ],
          ]),
      ...admin.keys.map((key) => [
        admin.name,
        admin.role,
        key.type,
        key.fingerprint,
        key.comment === '' ? '-' : key.comment,
        limitsText(key, context),
        lastUseText(key.lastUse, context),
        showTime(key.addedAt, context),
        key.addedBy === '' ? '-' : key.addedBy,
      ]),
    ]),
    empty: 'No admins',
  };
}

function adminRows(admins: readonly AdminInfo[]): Rows {
  const use = (last: LastUse | null): (string | null)[] => [last?.at ?? null, last?.address ?? null];
  return {
    columns: [
      'name',
      'role',
      'type',
      'fingerprint',
      'comment',
      'added_at',
      'added_by',
      'from',
      'expires_at',
      'verify_required',
      'last_used_at',
      'last_used_from',
    ],
    rows: admins.flatMap((admin) => [
      ...(admin.certificate === null
        ? []
        : [
            [
              admin.name,
              admin.role,
              'certificate',
              null,
              null,
              null,
              null,
              null,
              null,
              null,
              ...use(admin.certificate.lastUse),
            ],
          ]),
      ...admin.keys.map((key) => [
        admin.name,
        admin.role,
        key.type,
        key.fingerprint,
        key.comment,
        key.addedAt,
        key.addedBy,
        key.from,
        key.expiresAt,
        key.verifyRequired,
        ...use(key.lastUse),
      ]),
    ]),
  };
}

function changeText({ added, changed, removed, note }: AdminChange): string {
  const parts = [
    ...(added.length > 0 ? [`${plural(added.length, 'admin key')} added`] : []),
    ...(changed.length > 0 ? [`limits of ${plural(changed.length, 'admin key')} changed`] : []),
    ...(removed.length > 0 ? [`${plural(removed.length, 'admin key')} removed`] : []),
    ...(note === null ? [] : [note]),
  ];
  return parts.join(', ') || 'nothing to change';
}

const changeView = (result: AdminChange, context: ViewContext): Block[] => [
  {
    kind: 'text',
    tone: changeText(result) === 'nothing to change' ? 'quiet' : 'good',
    text: `${result.name}: ${changeText(result)}`,
  },
  adminTable(result.admins, context),
];

export const roleOption: Option = {
  kind: 'option',
  name: 'role',
  long: ['role'],
  value: 'role',
  choices: [...adminRoles],
  summary: 'role of a new admin, admin by default',
};

export const adminAdd = defineVerb({
  name: 'admin add',
  summary: 'Add an admin, or more keys for an admin',
  description: [
    'A new admin may use every verb, unless --role says otherwise. Each key belongs to one person: a key of another admin is refused.',
    'On standard input, the authorized_keys options `from="…"`, `expiry-time="…"` and `verify-required` may precede a key, as described in sshd(8); other options are refused. If the admin already has the key, the given limits replace its old ones.',
    'With `--certificate`, the admin needs no key here and can log in with a certificate: see `ca add`.',
  ],
  examples: [
    { line: 'admin add carol < carol.pub', says: 'a new admin, or another key for her' },
    {
      line: 'admin add dave --role viewer --from 10.0.0.0/8,2001:db8::/32 --expires 30d < dave.pub',
      says: 'a viewer, from these networks only, for 30 days',
    },
    {
      line: 'admin add erin --role operator --certificate',
      says: 'an operator without a key here, certified by a CA in ca list',
    },
  ],
  ends: { conflict: 'a key belongs to another admin, or the admin has another role' },
  access: { manage: 'admin' },
  changes: true,
  grantsAccess: true,
  danger: 'none',
  stdin: { for: 'public keys, one per line', into: 'keys', required: false, unless: ['certificate'] },
  form: {},
  target: 'name',
  parameters: [
    {
      kind: 'argument',
      name: 'name',
      summary: 'name of the admin, as recorded in the journal',
      required: true,
      complete: 'admins',
    },
    publicKeyOption,
    roleOption,
    {
      kind: 'option',
      name: 'from',
      long: ['from'],
      value: 'addresses',
      summary:
        'comma-separated addresses and networks from which the keys are accepted; replaces any from= before a key',
    },
    {
      kind: 'option',
      name: 'expires',
      long: ['expires'],
      value: 'time',
      summary: 'when the keys expire, for example 30d or 2027-01-31 (UTC); replaces any expiry-time= before a key',
    },
    {
      kind: 'option',
      name: 'certificate',
      long: ['certificate'],
      summary: 'let this admin log in with a certificate, without a key here',
    },
  ],
  input: () =>
    z.strictObject({
      name: newName,
      keys: limitedKeys.optional(),
      role: z.enum(adminRoles).optional(),
      from: addressList.optional(),
      expires: untilWhen.optional(),
      certificate: z.boolean().optional(),
    }),
  view: changeView,
  rows: (result) => adminRows(result.admins),
});

export const adminList = defineVerb({
  name: 'admin list',
  aliases: ['admin ls'],
  summary: 'List admins and their keys, with limits and last use',
  examples: [{ line: 'admin list', says: 'who may use manage@' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: () => z.strictObject({}),
  view: (result: { admins: readonly AdminInfo[] }, context) => [adminTable(result.admins, context)],
  rows: (result) => adminRows(result.admins),
});

export const adminRole = defineVerb({
  name: 'admin role',
  summary: 'Change the role of an admin',
  description: [
    "The admin's open logins end with an explanation. The last admin with the role admin cannot be given another role.",
  ],
  ends: { notFound: 'no such admin', conflict: 'this is the last admin' },
  examples: [{ line: 'admin role carol viewer', says: 'from now on she may only view' }],
  access: { manage: 'admin' },
  changes: true,
  grantsAccess: true,
  danger: 'none',
  target: 'name',
  parameters: [
    { kind: 'argument', name: 'name', summary: 'name of the admin', required: true, complete: 'admins' },
    { kind: 'argument', name: 'role', summary: 'new role: viewer, operator or admin', required: true },
    { ...yesOption, summary: 'do it even if it ends your own login' },
  ],
  input: () =>
    z.strictObject({
      name: existing('admin', 'admin list'),
      role: z.enum(adminRoles),
      yes: z.boolean().optional(),
    }),
  view: changeView,
  rows: (result) => adminRows(result.admins),
});

export const adminRemove = defineVerb({
  name: 'admin remove',
  aliases: ['admin rm'],
  summary: 'Remove an admin, or one key of an admin',
  description: [
    'Logins with the removed keys end, and certificates that name a removed admin are no longer accepted. Open invitations for a removed admin are cancelled, also if they have not joined yet. The last admin cannot be removed, because then there would be no admin left at manage@.',
  ],
  ends: { notFound: 'no admin has this name, fingerprint or key comment', conflict: 'this is the last admin' },
  examples: [
    { line: 'admin remove carol', says: 'an admin and all her keys' },
    { line: 'admin remove SHA256:AbCdEfGh', says: 'one key' },
  ],
  access: { manage: 'admin' },
  changes: true,
  grantsAccess: true,
  danger: 'none',
  target: 'admin',
  parameters: [
    {
      kind: 'argument',
      name: 'admin',
      summary: 'name of an admin, or fingerprint or comment of a key',
      required: true,
      complete: 'admins',
    },
    { ...yesOption, summary: 'do it even if it ends your own login' },
  ],
  input: () => z.strictObject({ admin: keySelector, yes: z.boolean().optional() }),
  view: changeView,
  rows: (result) => adminRows(result.admins),
});
