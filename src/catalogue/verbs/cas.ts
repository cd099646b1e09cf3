/** Authorities: keys whose certificates are believed. */
import { z } from 'zod';
import { Failure } from '../../domain/failure.ts';
import type { CaChange, CaInfo } from '../../domain/results/cas.ts';
import { quoted } from '../../domain/text.ts';
import { parsedBy, publicKey, publicKeys, username } from '../declaration/schema.ts';
import { plural, showTime } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block, Rows, ViewContext } from '../declaration/view.ts';
import { publicKeyOption } from './shared.ts';

function revokedText({ revoked: { serials, keyIds, fingerprints } }: CaInfo): string {
  return (
    [
      ...(serials.length > 0 ? [plural(serials.length, 'serial')] : []),
      ...(keyIds.length > 0 ? [plural(keyIds.length, 'key id')] : []),
      ...(fingerprints.length > 0 ? [plural(fingerprints.length, 'key')] : []),
    ].join(', ') || '-'
  );
}

function table(cas: readonly CaInfo[], context: ViewContext): Block {
  return {
    kind: 'table',
    noun: 'Authority',
    columns: [
      { title: 'NAME' },
      { title: 'FOR' },
      { title: 'TYPE' },
      { title: 'FINGERPRINT' },
      { title: 'COMMENT' },
      { title: 'REVOKED' },
      { title: 'ADDED' },
      { title: 'BY' },
    ],
    rows: cas.map((ca) => [
      ca.name,
      ca.entryPoints.join(', '),
      ca.type,
      ca.fingerprint,
      ca.comment === '' ? '-' : ca.comment,
      revokedText(ca),
      showTime(ca.addedAt, context),
      ca.addedBy,
    ]),
    empty: 'No authorities: certificates open nothing here',
  };
}

function rows(cas: readonly CaInfo[]): Rows {
  return {
    columns: [
      'name',
      'for',
      'type',
      'fingerprint',
      'comment',
      'revoked_serials',
      'revoked_key_ids',
      'revoked_keys',
      'added_at',
      'added_by',
    ],
    rows: cas.map(({ name, entryPoints, type, fingerprint, comment, revoked, addedAt, addedBy }) => [
      name,
      entryPoints.join(' '),
      type,
      fingerprint,
      comment,
      revoked.serials.join(' '),
      revoked.keyIds.join(' '),
      revoked.fingerprints.join(' '),
      addedAt,
      addedBy,
    ]),
  };
}

const changeView = ({ name, did, cas }: CaChange, context: ViewContext): Block[] => [
  { kind: 'text', tone: 'good', text: `${name}: ${did}` },
  table(cas, context),
];

const nameArgument = {
  kind: 'argument',
  name: 'name',
  summary: 'the name of the authority here',
  required: true,
  complete: 'cas',
} as const;
const none = { notFound: 'no authority has this name' } as const;

const entryPointList = parsedBy((text): ('manage' | 'self')[] => {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  const entryPoints = (['manage', 'self'] as const).filter((entryPoint) => words.includes(entryPoint));
  if (entryPoints.length !== new Set(words).size || entryPoints.length === 0)
    throw new Failure('usage', {
      what: `doors ${quoted(text)}`,
      why: 'there are manage and self',
      next: 'write --for manage, --for self or --for manage,self',
    });
  return entryPoints;
});

/** 64 bits; 0 is what certificates without a serial have. */
const serial = parsedBy((text) => {
  const fault = (why: string): Failure =>
    new Failure('usage', {
      what: `serial ${quoted(text)}`,
      why,
      next: 'ssh-keygen -L -f CERTIFICATE shows serial and key id',
    });
  if (!/^\d{1,20}$/.test(text) || BigInt(text) >= 2n ** 64n) throw fault('it is not a number of 64 bits');
  if (BigInt(text) === 0n)
    throw fault('0 is the serial of every certificate that has none: revoke by key id or by key');
  return BigInt(text).toString();
});

export const caAdd = defineVerb({
  name: 'ca add',
  summary: 'Believe the certificates that a key signs, at these doors',
  description: [
    'A certificate opens `manage@` where one of its principals is the name of an admin in `admin list`, with the role of that admin, and `self@` where one is the name of a user who has a container; of several the first counts, and at `self@` all of them. Without principals it opens nothing.',
    'Validity, `source-address` and `verify-required` are honoured; any other critical option, `force-command` among them, closes the door. Signatures with SHA-1 are none.',
  ],
  examples: [
    {
      line: 'ca add office --for manage < ca.pub',
      says: 'certificates that ssh-keygen -s ca -n carol … makes open manage@ for the admin carol',
    },
  ],
  ends: { conflict: 'there is an authority of this name, or with this key' },
  access: { manage: 'admin' },
  changes: true,
  danger: 'none',
  stdin: { for: 'the public key of the authority', into: 'key', required: true },
  form: { oneOf: ['for'] },
  target: 'name',
  parameters: [
    { ...nameArgument, isNew: true },
    { ...publicKeyOption, name: 'key' },
    {
      kind: 'option',
      name: 'for',
      long: ['for'],
      value: 'doors',
      values: ['manage', 'self', 'manage,self'],
      summary: 'the doors that its certificates open: manage, self or both',
    },
  ],
  input: z.strictObject({ name: username, key: publicKey, for: entryPointList.optional() }),
  view: changeView,
  rows: (result) => rows(result.cas),
});

export const caList = defineVerb({
  name: 'ca list',
  aliases: ['ca ls'],
  summary: 'List the authorities whose certificates are believed',
  examples: [{ line: 'ca list', says: 'which keys, for which doors, and how much of it is revoked' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: z.strictObject({}),
  view: (result: { cas: readonly CaInfo[] }, context) => [table(result.cas, context)],
  rows: (result) => rows(result.cas),
});

export const caRemove = defineVerb({
  name: 'ca remove',
  aliases: ['ca rm'],
  summary: 'Stop believing the certificates of an authority',
  description: ['Sessions that are open by them end. What was revoked is forgotten with the authority.'],
  ends: none,
  examples: [{ line: 'ca remove office', says: 'none of its certificates opens anything any more' }],
  access: { manage: 'admin' },
  changes: true,
  danger: 'none',
  target: 'name',
  parameters: [nameArgument],
  input: z.strictObject({ name: z.string().min(1).max(64) }),
  view: changeView,
  rows: (result) => rows(result.cas),
});

export const caRevoke = defineVerb({
  name: 'ca revoke',
  summary: 'Revoke certificates of an authority, by serial, key id or key',
  description: [
    'A session that is open by one of them ends. It cannot be taken back, other than by removing the authority.',
  ],
  ends: { ...none, conflict: 'too many are revoked' },
  examples: [
    { line: 'ca revoke office --serial 17', says: 'one certificate' },
    { line: 'ca revoke office --key-id carol@laptop', says: 'all certificates with this key id' },
    { line: 'ca revoke office < lost.pub', says: 'all certificates for this key' },
  ],
  access: { manage: 'admin' },
  changes: true,
  danger: 'none',
  stdin: {
    for: 'the public key whose certificates are revoked',
    into: 'keys',
    required: false,
    unless: ['serial', 'keyId'],
  },
  form: { oneOf: ['serial', 'keyId', 'keys'] },
  target: 'name',
  parameters: [
    nameArgument,
    {
      kind: 'option',
      name: 'serial',
      long: ['serial'],
      value: 'number',
      repeatable: true,
      summary: 'the serial of a certificate',
    },
    {
      kind: 'option',
      name: 'keyId',
      long: ['key-id'],
      value: 'text',
      repeatable: true,
      summary: 'the key id of certificates, exactly as it is',
    },
    publicKeyOption,
  ],
  input: z.strictObject({
    name: z.string().min(1).max(64),
    serial: z.array(serial).max(100).optional(),
    keyId: z.array(z.string().min(1).max(1024)).max(100).optional(),
    keys: publicKeys.optional(),
  }),
  view: changeView,
  rows: (result) => rows(result.cas),
});
