/** The verbs about CAs: keys that sign user certificates. */
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import type { CaChange, CaInfo } from '../../domain/results/cas.ts';
import { plural, quoted } from '../../domain/text.ts';
import { existing, newName, parsedBy, publicKey, publicKeys, someText } from '../declaration/schema.ts';
import { showTime } from '../declaration/show.ts';
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
    noun: 'CA',
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
    empty: 'No CAs: certificates are not accepted',
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
  summary: 'name of the CA on this server',
  required: true,
  complete: 'cas',
} as const;
const existingCa = existing('CA', 'ca list');
const noCa = { notFound: 'no such CA' } as const;

const entryPointList = parsedBy((text): ('manage' | 'self')[] => {
  const words = text
    .split(/[\s,]+/)
    .flatMap((word) => (word === 'both' ? ['manage', 'self'] : word === '' ? [] : word));
  const entryPoints = (['manage', 'self'] as const).filter((entryPoint) => words.includes(entryPoint));
  if (entryPoints.length !== new Set(words).size || entryPoints.length === 0)
    throw new Failure('usage', {
      what: `entry points ${quoted(text)}`,
      why: 'not manage, self or both',
      next: 'use --for manage, --for self or --for both',
    });
  return entryPoints;
});

/** A serial of 64 bits. Certificates without a serial have 0, so it cannot be revoked. */
const serial = parsedBy((text) => {
  const fault = (why: string): Failure =>
    new Failure('usage', {
      what: `serial ${quoted(text)}`,
      why,
      next: 'ssh-keygen -L -f CERTIFICATE shows serial and key id',
    });
  if (!/^\d{1,20}$/.test(text) || BigInt(text) >= 2n ** 64n) throw fault('not a 64-bit number');
  if (BigInt(text) === 0n)
    throw fault('all certificates without a serial have 0, so revoke by key id or by key instead');
  return BigInt(text).toString();
});

export const caAdd = defineVerb({
  name: 'ca add',
  summary: 'Trust certificates signed by a CA for manage@, self@ or both',
  description: [
    'At `manage@`, a principal of the certificate must be the name of an admin in `admin list`; the first such principal counts, and the login has the role of that admin. At `self@`, a principal must be the name of a user with a container; the login can reach the containers of all such principals. A certificate without principals is not accepted.',
    'The validity period, `source-address` and `verify-required` are enforced. A certificate with any other critical option, such as `force-command`, is refused, and so is a signature with SHA-1.',
  ],
  examples: [
    {
      line: 'ca add office --for manage < ca.pub',
      says: 'accepts certificates of ssh-keygen -s ca -n carol … for the admin carol',
    },
  ],
  ends: { conflict: 'a CA with this name or this key already exists' },
  access: { manage: 'admin' },
  changes: true,
  grantsAccess: true,
  danger: 'none',
  stdin: { for: 'the public key of the CA', into: 'key', required: true },
  form: { oneOf: ['for'] },
  target: 'name',
  parameters: [
    { ...nameArgument, isNew: true },
    { ...publicKeyOption, name: 'key' },
    {
      kind: 'option',
      name: 'for',
      long: ['for'],
      value: 'entry-points',
      values: ['manage', 'self', 'both'],
      summary: 'entry points that accept its certificates: manage, self or both',
    },
  ],
  input: () => z.strictObject({ name: newName, key: publicKey, for: entryPointList.optional() }),
  view: changeView,
  rows: (result) => rows(result.cas),
});

export const caList = defineVerb({
  name: 'ca list',
  aliases: ['ca ls'],
  summary: 'List trusted CAs',
  examples: [{ line: 'ca list', says: 'CAs with their keys, entry points and revocations' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: () => z.strictObject({}),
  view: (result: { cas: readonly CaInfo[] }, context) => [table(result.cas, context)],
  rows: (result) => rows(result.cas),
});

export const caRemove = defineVerb({
  name: 'ca remove',
  aliases: ['ca rm'],
  summary: 'Stop trusting certificates signed by a CA',
  description: ['Logins with its certificates end. The revocations of the CA are deleted with it.'],
  ends: noCa,
  examples: [{ line: 'ca remove office', says: 'its certificates are no longer accepted' }],
  access: { manage: 'admin' },
  changes: true,
  grantsAccess: true,
  danger: 'none',
  target: 'name',
  parameters: [nameArgument],
  input: () => z.strictObject({ name: existingCa }),
  view: changeView,
  rows: (result) => rows(result.cas),
});

export const caRevoke = defineVerb({
  name: 'ca revoke',
  summary: 'Revoke certificates signed by a CA, by serial, key id or key',
  description: ['Logins with revoked certificates end. A revocation cannot be undone, except by removing the CA.'],
  ends: { ...noCa, conflict: 'there are too many revocations' },
  examples: [
    { line: 'ca revoke office --serial 17', says: 'one certificate' },
    { line: 'ca revoke office --key-id carol@laptop', says: 'all certificates with this key id' },
    { line: 'ca revoke office < lost.pub', says: 'all certificates for this key' },
  ],
  access: { manage: 'admin' },
  changes: true,
  grantsAccess: true,
  danger: 'none',
  stdin: {
    for: 'public keys whose certificates are revoked, one per line',
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
      summary: 'serial of a certificate',
    },
    {
      kind: 'option',
      name: 'keyId',
      long: ['key-id'],
      value: 'text',
      repeatable: true,
      summary: 'exact key id of the certificates',
    },
    publicKeyOption,
  ],
  input: () =>
    z.strictObject({
      name: existingCa,
      serial: z.array(serial).max(100).optional(),
      keyId: z.array(someText(1024)).max(100).optional(),
      keys: publicKeys.optional(),
    }),
  view: changeView,
  rows: (result) => rows(result.cas),
});
