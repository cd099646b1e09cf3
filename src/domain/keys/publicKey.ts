/**
 * Public keys of people, as OpenSSH writes them (sshd(8), AUTHORIZED_KEYS FILE FORMAT, without options): `type base64
 * comment`.
 */
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
} from './keyText.ts';
import { quoted } from '../text.ts';

export type { KeyType } from './keyBlob.ts';

export interface PublicKey {
  readonly type: KeyType;
  /** The key in the form that goes over the wire (RFC 4253 section 6.6). */
  readonly blob: Buffer;
  readonly base64: string;
  /** Free text, made safe to show; may be empty. */
  readonly comment: string;
  /** `SHA256:` and unpadded base64, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  /** The size that `ssh-keygen -l` prints. */
  readonly bits: number;
  /**
   * `type base64 comment`: one line, safe in an authorized_keys file, and read back by {@link parsePublicKeys} as the
   * same key.
   */
  readonly line: string;
}

export const maxKeys = 64;
export const maxKeyTextBytes = 65_536;
export const maxCommentLength = 128;
/** 8 characters of base64 are 48 bits: chance does not bring two keys of one user together. */
export const minFingerprintPrefix = 8;

const fingerprintMark = 'SHA256:';

function cleanComment(text: string): string {
  return [...oneLine(text)].slice(0, maxCommentLength).join('').trimEnd();
}

function isKeyType(word: string): word is KeyType {
  return (keyTypes as readonly string[]).includes(word);
}

/** Strict base64 (RFC 4648 section 4): padded, no other characters, unused bits zero; `undefined` otherwise. */
function decodeBase64(text: string): Buffer | undefined {
  const decoded = Buffer.from(text, 'base64');
  return decoded.length > 0 && decoded.toString('base64') === text ? decoded : undefined;
}

function parseLine(line: string, what: string): PublicKey {
  const invalid = (why: string, next = sendThePubFile): Failure => new Failure('invalid-key', { what, why, next });
  refusePath(line);
  const [, word = '', rest = ''] = /^(\S+)(.*)$/s.exec(line) ?? [];
  if (!isKeyType(word)) {
    const fault = typeFault(word, rest);
    throw invalid(fault.why, fault.next);
  }
  const [, base64 = '', rawComment = ''] = /^\s+(\S+)(.*)$/s.exec(rest) ?? [];
  if (base64 === '') throw invalid(`after the type ${word} there is no key`);
  if (holdsKey(`${base64}${rawComment}`)) {
    throw invalid('there are two keys in one line', 'send each key on a line of its own');
  }
  const raw = decodeBase64(base64);
  if (raw === undefined) throw invalid('its base64 is damaged or cut short');
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
    fingerprint: `${fingerprintMark}${createHash('sha256').update(decoded.blob).digest('base64').replace(/=+$/, '')}`,
    bits: decoded.bits,
    line: comment === '' ? `${word} ${base64}` : `${word} ${base64} ${comment}`,
  };
}

/**
 * All public keys in `text`, one to a line, each key once (the first line that has it); blank lines and lines that
 * begin with `#` are passed over. One bad line refuses the whole text.
 *
 * Throws `private-key` (with nothing of the text), `input-too-large`, `missing-key` (no key at all), `usage` (a path
 * instead of a key) or `invalid-key`.
 */
export function parsePublicKeys(text: string): PublicKey[] {
  if (Buffer.byteLength(text) > maxKeyTextBytes) {
    throw new Failure('input-too-large', {
      what: 'the keys that were sent',
      why: `they are more than ${maxKeyTextBytes / 1024} KiB`,
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
      why: 'nothing was sent',
      next: 'send one on standard input: ssh -p 2222 manage@HOST create alice < alice.pub',
    });
  }
  if (lines.length > maxKeys) {
    throw new Failure('input-too-large', {
      what: 'the keys that were sent',
      why: `they are ${lines.length} lines, and at most ${maxKeys} keys are taken`,
      next: 'send fewer keys',
    });
  }
  const keys = new Map<string, PublicKey>();
  for (const line of lines) {
    const key = parseLine(line.text, lines.length === 1 ? 'public key' : `public key in line ${line.number}`);
    if (!keys.has(key.fingerprint)) keys.set(key.fingerprint, key);
  }
  return [...keys.values()];
}

/** The one public key in `text`; more than one is refused. Throws as {@link parsePublicKeys} does. */
export function parsePublicKey(text: string): PublicKey {
  const keys = parsePublicKeys(text);
  const [key] = keys;
  if (key === undefined || keys.length > 1) {
    throw new Failure('invalid-key', {
      what: 'public key',
      why: `${keys.length} keys were sent`,
      next: 'send one key',
    });
  }
  return key;
}

/**
 * The keys that `selector` names: a full fingerprint, the beginning of one (`SHA256:` and {@link minFingerprintPrefix}
 * characters or more), or an exact comment, which several keys may have. What begins with `SHA256:` is never taken as a
 * comment, since anybody can write somebody else's fingerprint into a comment. No match is an empty array.
 *
 * Throws `usage` for a beginning that is too short or fits several keys.
 */
export function matchKeys<K extends Pick<PublicKey, 'fingerprint' | 'comment'>>(
  keys: readonly K[],
  selector: string,
): K[] {
  if (selector === '') return [];
  if (!selector.startsWith(fingerprintMark)) return keys.filter((key) => key.comment === selector);
  const exact = keys.filter((key) => key.fingerprint === selector);
  if (exact.length > 0) return exact;
  if (selector.length < fingerprintMark.length + minFingerprintPrefix) {
    throw new Failure('usage', {
      what: `fingerprint ${quoted(selector)}`,
      why: `it has fewer than ${minFingerprintPrefix} characters after ${fingerprintMark}`,
      next: 'give more of the fingerprint',
    });
  }
  const found = keys.filter((key) => key.fingerprint.startsWith(selector));
  if (new Set(found.map((key) => key.fingerprint)).size > 1) {
    throw new Failure('usage', {
      what: `fingerprint ${quoted(selector)}`,
      why: `${found.length} keys begin with it`,
      next: 'give more of the fingerprint',
      details: { fingerprints: found.map((key) => key.fingerprint) },
    });
  }
  return found;
}
