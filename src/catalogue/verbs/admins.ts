/** Who may use manage@. */
import { z } from 'zod';
import type { AdminChange, AdminInfo, AdminKeyInfo, LastUse } from '../../domain/results/admins.ts';
import { addressList, limitedKeys, untilWhen, username } from '../declaration/schema.ts';
import { plural, showTime } from '../declaration/show.ts';
import { defineVerb, type Option } from '../declaration/verb.ts';
import type { Block, Rows, ViewContext } from '../declaration/view.ts';
import { publicKeyOption } from './shared.ts';

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
    ...(changed.length > 0 ? [`${plural(changed.length, 'admin key')} with other limits`] : []),
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
  summary: 'what a new admin may do; without it, everything',
};

export const adminAdd = defineVerb({
  name: 'admin add',
  summary: 'Authorise keys for manage@ under a name',
  description: [
    'A new admin may use every verb, unless a role says otherwise. A key names one person: one that belongs to another admin is refused.',
    'In front of a key on standard input may stand the options `from="…"`, `expiry-time="…"` and `verify-required` of authorized_keys, as sshd(8) describes them; others are refused. A key that is there already takes the limits that are given.',
    'With `--certificate` a certificate may name this admin without any key of theirs here: see `ca add`.',
  ],
  examples: [
    { line: 'admin add carol < carol.pub', says: 'a new admin, or one more key of hers' },
    {
      line: 'admin add dave --role viewer --from 10.0.0.0/8,2001:db8::/32 --expires 30d < dave.pub',
      says: 'who may only look, from these networks, for 30 days',
    },
    {
      line: 'admin add erin --role operator --certificate',
      says: 'no key of hers: an authority of ca list certifies one',
    },
  ],
  ends: { conflict: 'a key belongs to another admin, or the admin has another role' },
  access: { manage: 'admin' },
  changes: true,
  danger: 'none',
  stdin: { for: 'public keys, one a line', into: 'keys', required: false, unless: ['certificate'] },
  form: {},
  target: 'name',
  parameters: [
    {
      kind: 'argument',
      name: 'name',
      summary: 'the name of the admin, as the journal shows it',
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
      summary: 'addresses and networks that the keys may be used from, with commas between them',
    },
    {
      kind: 'option',
      name: 'expires',
      long: ['expires'],
      value: 'time',
      summary: 'when the keys stop working: 30d, 2027-01-31 (UTC)',
    },
    {
      kind: 'option',
      name: 'certificate',
      long: ['certificate'],
      summary: 'certificates may name this admin without a key here',
    },
  ],
  input: z.strictObject({
    name: username,
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
  input: z.strictObject({}),
  view: (result: { admins: readonly AdminInfo[] }, context) => [adminTable(result.admins, context)],
  rows: (result) => adminRows(result.admins),
});

export const adminRole = defineVerb({
  name: 'admin role',
  summary: 'Give an admin another role',
  description: [
    'Sessions that the admin has open end, and say why. The last admin who may do everything keeps that role.',
  ],
  ends: { notFound: 'no admin has this name', conflict: 'it is the last admin' },
  examples: [{ line: 'admin role carol viewer', says: 'from now on she may only look' }],
  access: { manage: 'admin' },
  changes: true,
  danger: 'none',
  target: 'name',
  parameters: [
    { kind: 'argument', name: 'name', summary: 'the name of the admin', required: true, complete: 'admins' },
    { kind: 'argument', name: 'role', summary: 'viewer, operator or admin', required: true },
  ],
  input: z.strictObject({ name: username, role: z.enum(adminRoles) }),
  view: changeView,
  rows: (result) => adminRows(result.admins),
});

export const adminRemove = defineVerb({
  name: 'admin remove',
  aliases: ['admin rm'],
  summary: 'Remove an admin, or one key of an admin',
  description: [
    'Sessions that are open by it end, and certificates that name the admin open nothing any more. The last admin cannot be removed: nobody could use manage@ as an admin any more.',
  ],
  ends: { notFound: 'no admin has this name, fingerprint or key comment', conflict: 'it is the last admin' },
  examples: [
    { line: 'admin remove carol', says: 'the admin, with all keys' },
    { line: 'admin remove SHA256:AbCdEfGh', says: 'one key' },
  ],
  access: { manage: 'admin' },
  changes: true,
  danger: 'none',
  target: 'admin',
  parameters: [
    {
      kind: 'argument',
      name: 'admin',
      summary: 'a name, or the fingerprint or comment of a key',
      required: true,
      complete: 'admins',
    },
  ],
  input: z.strictObject({ admin: z.string().min(1).max(256) }),
  view: changeView,
  rows: (result) => adminRows(result.admins),
});
