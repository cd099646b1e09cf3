/** Public keys in OpenSSH's format, `type base64 comment` (sshd(8), AUTHORIZED_KEYS FILE FORMAT, without options). */
import { createHash } from 'node:crypto';
import { Failure } from '../failure.ts';
import { BlobFault, decodeKeyBlob, keyTypes, type DecodedKey, type KeyType } from './keyBlob.ts';
import {
  holdsKey,
  oneLine,
  refuseOtherFormats,
  refusePath,
  refusePrivateKey,
  sendThePubFile,
  typeFault,
  giveTheKey,
} from './keyText.ts';
import { withOddCharacter } from '../oddCharacters.ts';
import { quoted } from '../text.ts';

export type { KeyType } from './keyBlob.ts';

export interface PublicKey {
  readonly type: KeyType;
  /** The key in wire format (RFC 4253 section 6.6). */
  readonly blob: Buffer;
  readonly base64: string;
  /** Free text, made safe to show; may be empty. */
  readonly comment: string;
  /** `SHA256:` and unpadded base64, as in `ssh-keygen -l`. */
  readonly fingerprint: string;
  /** The size as in `ssh-keygen -l`. */
  readonly bits: number;
  /**
   * `type base64 comment`: one line that is safe in an authorized_keys file. {@link parsePublicKeys} reads it back as
   * the same key.
   */
  readonly line: string;
}

export const maxKeys = 64;
export const maxKeyTextBytes = 65_536;
const maxCommentLength = 128;
/** How many words and blanks of a line are looked at for its base64. */
const maxWordsBeforeKey = 16;
/** 8 characters of base64 are 48 bits, so two keys of one user do not collide by chance. */
const minFingerprintPrefix = 8;

const fingerprintMark = 'SHA256:';

/** Returns a comment as it is stored and looked up. */
function cleanComment(text: string): string {
  return [...oneLine(text)].slice(0, maxCommentLength).join('').trimEnd();
}

function isKeyType(word: string): word is KeyType {
  return (keyTypes as readonly string[]).includes(word);
}

/** Decodes strict base64 (RFC 4648 section 4: padded, no other characters, unused bits zero), or returns undefined. */
function decodeBase64(text: string): Buffer | undefined {
  const decoded = Buffer.from(text, 'base64');
  return decoded.length > 0 && decoded.toString('base64') === text ? decoded : undefined;
}

/** Returns a line up to the end of its base64, or what stands in its place. A comment may have any character. */
function beforeComment(line: string): string {
  const words = line.replaceAll('\t', ' ').split(/(\s+)/, maxWordsBeforeKey);
  const key = words.findIndex((word) => word.includes('AAAA'));
  return words.slice(0, key === -1 ? 3 : key + 1).join('');
}

function parseLine(line: string, what: string): PublicKey {
  const invalid = (why: string, next = sendThePubFile): Failure =>
    new Failure('invalid-key', { what, why: withOddCharacter(why, beforeComment(line)), next });
  refusePath(line);
  const [, word = '', rest = ''] = /^(\S+)(.*)$/s.exec(line) ?? [];
  if (!isKeyType(word)) {
    const fault = typeFault(word, rest);
    throw invalid(fault.why, fault.next);
  }
  const [, base64 = '', rawComment = ''] = /^\s+(\S+)(.*)$/s.exec(rest) ?? [];
  if (base64 === '') throw invalid(`no key after the type ${word}`);
  if (holdsKey(`${base64}${rawComment}`)) {
    throw invalid('two keys on one line', 'send each key on its own line');
  }
  const raw = decodeBase64(base64);
  if (raw === undefined) throw invalid('the base64 is damaged or truncated');
  let decoded: DecodedKey;
  try {
    decoded = decodeKeyBlob(word, raw);
  } catch (error) {
    if (error instanceof BlobFault) throw invalid(error.message, error.next);
    throw error;
  }
  const comment = cleanComment(rawComment);
  return {
    type: word,
    blob: decoded.blob,
    base64,
    comment,
    fingerprint: `${fingerprintMark}${createHash('sha256').update(decoded.blob).digest('base64').replace(/=$/, '')}`,
    bits: decoded.bits,
    line: comment === '' ? `${word} ${base64}` : `${word} ${base64} ${comment}`,
  };
}

/**
 * Parses public keys, one per line. Of equal keys only the first is returned. Blank lines and lines that begin with `#`
 * are skipped. One bad line refuses the whole text.
 *
 * Throws `private-key` (without repeating the text), `input-too-large`, `missing-key` (no key at all, or a path
 * instead of a key) or `invalid-key`.
 */
export function parsePublicKeys(text: string): PublicKey[] {
  if (Buffer.byteLength(text) > maxKeyTextBytes) {
    throw new Failure('input-too-large', {
      what: 'public keys',
      why: `more than ${maxKeyTextBytes / 1024} KiB`,
      next: sendThePubFile,
    });
  }
  refusePrivateKey(text);
  refuseOtherFormats(text);
  const lines = text
    .replace(/^\ufeff/, '')
    .split(/\r\n?|\n/)
    .map((line, index) => ({ text: line.trim(), number: index + 1 }))
    .filter((line) => line.text !== '' && !line.text.startsWith('#'));
  if (lines.length === 0) {
    throw new Failure('missing-key', {
      what: 'public key',
      why: 'no key was given',
      next: giveTheKey,
    });
  }
  if (lines.length > maxKeys) {
    throw new Failure('input-too-large', {
      what: 'public keys',
      why: `${lines.length} keys, but at most ${maxKeys} are allowed`,
      next: 'send fewer keys',
    });
  }
  const keys = new Map<string, PublicKey>();
  for (const line of lines) {
    const key = parseLine(line.text, lines.length === 1 ? 'public key' : `public key on line ${line.number}`);
    if (!keys.has(key.fingerprint)) keys.set(key.fingerprint, key);
  }
  return [...keys.values()];
}

/** Parses exactly one public key. Throws like {@link parsePublicKeys}. */
export function parsePublicKey(text: string): PublicKey {
  const keys = parsePublicKeys(text);
  const [key] = keys;
  if (key === undefined || keys.length > 1) {
    throw new Failure('invalid-key', {
      what: 'public key',
      why: `got ${keys.length} keys, expected one`,
      next: 'send one key',
    });
  }
  return key;
}

/**
 * Returns the keys that match `text`: a full fingerprint, a prefix of one (`SHA256:` and at least
 * {@link minFingerprintPrefix} characters), or a whole comment, as stored or as in the .pub file. Several keys may have
 * it. Text that begins with `SHA256:` never matches a comment, because anyone can put another key's fingerprint into
 * one.
 *
 * Throws `usage` if a prefix is too short or matches several keys.
 */
export function matchKeys<K extends Pick<PublicKey, 'fingerprint' | 'comment'>>(keys: readonly K[], text: string): K[] {
  const selector = oneLine(text);
  if (!selector.startsWith(fingerprintMark)) {
    const comment = cleanComment(selector);
    // Keys without a comment have none that could be given.
    return comment === '' ? [] : keys.filter((key) => key.comment === comment);
  }
  const exact = keys.filter((key) => key.fingerprint === selector);
  if (exact.length > 0) return exact;
  if (selector.length < fingerprintMark.length + minFingerprintPrefix) {
    throw new Failure('usage', {
      what: `fingerprint ${quoted(selector)}`,
      why: `fewer than ${minFingerprintPrefix} characters after ${fingerprintMark}`,
      next: 'give a longer prefix',
    });
  }
  const found = keys.filter((key) => key.fingerprint.startsWith(selector));
  if (new Set(found.map((key) => key.fingerprint)).size > 1) {
    throw new Failure('usage', {
      what: `fingerprint ${quoted(selector)}`,
      why: `ambiguous: it matches ${found.length} keys`,
      next: 'give a longer prefix',
      details: { fingerprints: found.map((key) => key.fingerprint) },
    });
  }
  return found;
}
