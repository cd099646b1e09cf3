/** What reaches authorized_keys files of the text of a key's comment, however the key got into Incus. */
import { describe, expect, it } from 'vitest';
import { containerKeysText, jumpKeysText } from '../../../../src/service/instances/jumpAccount.ts';
import { decodeKeys, encodeKeys, keyInfo, store } from '../../../../src/service/instances/metadata.ts';
import { parsePublicKeys } from '../../../../src/domain/keys/publicKey.ts';
import { newKey } from '../../../support/world/keys.ts';

const { type, base64 } = newKey('alice@desk');
const comment = 'al\u001b[31mice\u202e@\u200bdesk\u009b2J\u0007 \u2028x\u00ad\u{e0041}\tcommand="id"\u0000';
const clean = `${type} ${base64} al[31mice@desk2J x command="id"`;

/** The ways of a key with such a comment into the metadata of a container. */
const ways: readonly (readonly [string, () => string])[] = [
  [
    'a person sent',
    () => encodeKeys(store(parsePublicKeys(`${type} ${base64} ${comment.replace('\0', '')}`), new Date(0), 'carol')),
  ],
  [
    'an earlier version or a person stored raw in Incus',
    () => JSON.stringify([{ line: `${type} ${base64} ${comment.replace('\0', '')}` }]),
  ],
  [
    'a person stored in Incus with another line after it',
    () => JSON.stringify([{ line: `${type} ${base64} ${comment.replace('\0', '')}\r\n${newKey('mallory').line}` }]),
  ],
];

describe.each(ways)('a key that %s', (_, stored) => {
  it('reaches both authorized_keys files with a comment of plain text, on one line of its own', () => {
    const keys = decodeKeys(stored());
    const jump = jumpKeysText('alice', '10.0.3.101', keys).split('\n');
    expect(jump).toEqual([
      expect.stringMatching(/^# /),
      `restrict,port-forwarding,permitopen="10.0.3.101:22" ${clean}`,
      '',
    ]);
    expect(containerKeysText(keys).split('\n')).toEqual([expect.stringMatching(/^# /), clean, '']);
    expect(encodeKeys(keys)).not.toMatch(/[^ -~]|\\u/);
    expect(keys.map((key) => keyInfo(key).comment)).toEqual([clean.split(' ').slice(2).join(' ')]);
  });
});

it('a stored key with a NUL in its comment reaches no authorized_keys file', () => {
  const keys = decodeKeys(JSON.stringify([{ line: `${type} ${base64} ${comment}` }]));
  expect(keys).toEqual([]);
});
