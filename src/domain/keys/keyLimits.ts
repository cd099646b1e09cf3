/**
 * Limits of an admin's key, written as options before the key, as in sshd(8), AUTHORIZED_KEYS FILE FORMAT. Options that
 * are unknown or have no effect here are refused: a key must not be less limited than its options suggest.
 */
import { AddressList } from '../values/addressList.ts';
import { Failure } from '../failure.ts';
import { keyTypes } from './keyBlob.ts';
import { refusePrivateKey } from './keyText.ts';
import { maxKeyTextBytes, parsePublicKeys, type PublicKey } from './publicKey.ts';
import { withOddCharacter } from '../oddCharacters.ts';
import { quoted } from '../text.ts';

export interface KeyLimits {
  /** An {@link AddressList}, as text. */
  readonly from?: string | undefined;
  /** RFC 3339 UTC: from then on the key is not accepted. */
  readonly expiresAt?: string | undefined;
  /** For FIDO keys: the device must verify the person (PIN, fingerprint), besides the touch that is always required. */
  readonly verifyRequired?: boolean | undefined;
}

export interface LimitedKey {
  readonly key: PublicKey;
  readonly limits: KeyLimits;
  /** Here too, because the journal records every key by this property. */
  readonly fingerprint: string;
}

/**
 * Parses public keys, one per line, each optionally preceded by options. Throws like `parsePublicKeys`, and
 * `invalid-key` for an option.
 */
export function parseLimitedKeys(text: string): LimitedKey[] {
  if (Buffer.byteLength(text) > maxKeyTextBytes) return withoutLimits(parsePublicKeys(text));
  refusePrivateKey(text);
  const lines = text
    .replace(/^\ufeff/, '')
    .split(/\r\n?|\n/)
    .map(splitLine);
  // Parses all lines together first, so that an error names the right line.
  const keys = parsePublicKeys(lines.map(({ rest }) => rest).join('\n'));
  const limits = new Map<string, KeyLimits>();
  for (const { options, rest } of lines) {
    if (options === undefined) continue;
    const [key] = parsePublicKeys(rest);
    if (key !== undefined && !limits.has(key.fingerprint)) limits.set(key.fingerprint, readOptions(options, key));
  }
  return keys.map((key) => ({ key, limits: limits.get(key.fingerprint) ?? {}, fingerprint: key.fingerprint }));
}

export function withoutLimits(keys: readonly PublicKey[]): LimitedKey[] {
  return keys.map((key) => ({ key, limits: {}, fingerprint: key.fingerprint }));
}

const startsWithKey = new RegExp(`^(?:${keyTypes.map((type) => type.replaceAll('.', '\\.')).join('|')})\\s`);

/**
 * Splits a line into options and key at the first space outside quotation marks. A line without a key after that stays
 * whole, for `parsePublicKeys` to refuse.
 */
function splitLine(line: string): { options?: string; rest: string } {
  const text = line.trim();
  if (text === '' || text.startsWith('#') || startsWithKey.test(text)) return { rest: text };
  const [options = ''] = /^(?:[^\s"]|"(?:\\"|[^"\\]|\\(?!"))*")+/.exec(text) ?? [];
  const rest = text.slice(options.length).trimStart();
  return options !== '' && startsWithKey.test(rest) ? { options, rest } : { rest: text };
}

function readOptions(text: string, key: PublicKey): KeyLimits {
  const found = new Map<string, string | undefined>();
  const options = [...text.matchAll(/([^\s",=]+)(?:="((?:\\"|[^"\\]|\\(?!"))*)")?(?:,|$)/g)];
  for (const [, word = '', value] of options) {
    const name = word.toLowerCase();
    if (found.has(name)) throw refused(name, 'given twice');
    found.set(name, value?.replaceAll('\\"', '"'));
  }
  // The options must make up the whole text, without a trailing comma.
  if (options.map(([all]) => all).join('') !== text || text.endsWith(',') || options.length === 0)
    throw refused(
      text,
      withOddCharacter('not in the form name="value",…', text),
      'check the quotation marks; over ssh an argument loses them, so send the line on standard input',
    );
  for (const [name, value] of found) {
    const wants = known.get(name);
    if (wants === undefined) throw refused(name, unsupported.has(name) ? 'not supported here' : 'no such option');
    if (wants !== (value !== undefined)) throw refused(name, wants ? 'missing value' : 'unexpected value');
  }
  if (found.has('verify-required') && !key.type.startsWith('sk-')) throw refused('verify-required', 'not a FIDO key');
  const [from, expiry] = [found.get('from'), found.get('expiry-time')];
  return {
    ...(from === undefined ? {} : { from: AddressList.parse(from).text }),
    ...(expiry === undefined ? {} : { expiresAt: parseExpiryTime(expiry).toISOString() }),
    ...(found.has('verify-required') ? { verifyRequired: true } : {}),
  };
}

/** Supported options, and whether they take a value. */
const known: ReadonlyMap<string, boolean> = new Map([
  ['from', true],
  ['expiry-time', true],
  ['verify-required', false],
]);

/** Options of sshd(8) that this server does not implement. */
const unsupported: ReadonlySet<string> = new Set([
  'agent-forwarding',
  'cert-authority',
  'command',
  'environment',
  'no-agent-forwarding',
  'no-port-forwarding',
  'no-pty',
  'no-touch-required',
  'no-user-rc',
  'no-x11-forwarding',
  'permitlisten',
  'permitopen',
  'port-forwarding',
  'principals',
  'pty',
  'restrict',
  'tunnel',
  'user-rc',
  'x11-forwarding',
]);

/** Parses `YYYYMMDD[HHMM[SS]][Z]`. As in sshd(8), a time without `Z` is in the time zone of the host. */
function parseExpiryTime(text: string): Date {
  const match = /^(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?(Z?)$/.exec(text);
  const parts = (match?.slice(1, 7) ?? []).map((part) => Number((part as string | undefined) ?? 0));
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const date =
    match?.[7] === 'Z'
      ? new Date(Date.UTC(year, month - 1, day, hour, minute, second))
      : new Date(year, month - 1, day, hour, minute, second);
  const back = match?.[7] === 'Z' ? [date.getUTCMonth() + 1, date.getUTCDate()] : [date.getMonth() + 1, date.getDate()];
  if (match === null || back[0] !== month || back[1] !== day || hour > 23 || minute > 59 || second > 59) {
    throw refused('expiry-time', `${quoted(text)} is not in the form YYYYMMDD[HHMM[SS]][Z]`);
  }
  return date;
}

const supported =
  'supported options are from="…", expiry-time="YYYYMMDD[HHMM[SS]][Z]" and, for FIDO keys, verify-required';

function refused(option: string, why: string, next = supported): Failure {
  return new Failure('invalid-key', { what: `option ${quoted(option)} before the key`, why, next });
}
