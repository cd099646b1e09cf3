/**
 * The hash chain: makes lines of records, and checks that a line follows the previous one.
 *
 *     {"seq":2,"time":"2026-01-31T12:00:00.000Z","prev":"<hash of record 1>","type":"…",…,"hash":"<hash>"}
 *
 * The hash is the SHA-256 of the line's own bytes up to `,"hash"`. It is checked on the bytes in the file, so that no
 * two programs have to agree on how to write JSON.
 */
import { hash as digest } from 'node:crypto';
import { Failure } from '../domain/failure.ts';
import type { JsonObject, JsonValue } from '../domain/json.ts';
import { safeJson } from '../domain/text.ts';

export type { JsonValue };

/**
 * The content of a record. The fields `seq`, `time`, `prev` and `hash` and the types `segment` and `repair` are
 * reserved for the journal itself.
 */
export type JournalEntry = { readonly type: string } & JsonObject;

/** A record in the journal. */
export type JournalRecord = {
  /** Counted from 1 without gaps, across segments. */
  readonly seq: number;
  /** RFC 3339, UTC, with milliseconds. */
  readonly time: string;
  /** The hash of the previous record; 64 zeros in the first record. */
  readonly prev: string;
  readonly hash: string;
  readonly type: string;
} & JsonObject;

/** The end of a chain: the number and the hash of its last record. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: string;
}

/** The head of a journal without records. */
export const genesis: ChainHead = { seq: 0, hash: '0'.repeat(64) };

/** The longest line, including its line feed. This program never writes a longer one. */
export const maxLineBytes = 1024 * 1024;

const reservedFields = ['seq', 'time', 'prev', 'hash'] as const;

/** An upper bound for the rest of a line, around the fields of its entry. */
export const envelopeBytes = 512;

/** `,"hash":"` + 64 hexadecimal digits + `"}` */
const sealBytes = 75;
const sealPattern = /^,"hash":"([0-9a-f]{64})"\}$/;

/**
 * Returns the fields of an entry as JSON without the outer braces, safe for terminals. Throws `internal` for an invalid
 * entry, which is a bug, and `input-too-large`.
 */
export function entryText(entry: JsonObject): string {
  const { type } = entry;
  if (typeof type !== 'string' || type === '') throw notAnEntry('it has no type');
  const taken = reservedFields.find((field) => Object.hasOwn(entry, field));
  if (taken !== undefined) throw notAnEntry(`the field "${taken}" is reserved`);
  const text = safeJson(entry).slice(1, -1);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxLineBytes - envelopeBytes) {
    throw new Failure('input-too-large', {
      what: `journal record of type "${type}"`,
      why: `it is ${bytes} bytes long, and the limit is ${maxLineBytes - envelopeBytes}`,
    });
  }
  return text;
}

function notAnEntry(why: string): Failure {
  return new Failure('internal', { what: 'journal entry', why, next: 'report this' });
}

/**
 * Makes the line that follows `head`, with its line feed, and the new head. `fields` comes from {@link entryText}.
 */
export function seal(head: ChainHead, timeMs: number, fields: string): { line: string; head: ChainHead } {
  const seq = head.seq + 1;
  const text = `{"seq":${seq},"time":"${new Date(timeMs).toISOString()}","prev":"${head.hash}",${fields}`;
  const hash = digest('sha256', text, 'hex');
  return { line: `${text},"hash":"${hash}"}\n`, head: { seq, hash } };
}

/**
 * The result of checking a line. `unreadable` is not a JSON object, as after an interrupted write. `altered` is one,
 * but not the record that was written.
 */
export type LineCheck =
  | { readonly ok: true; readonly record: JournalRecord }
  | { readonly ok: false; readonly kind: 'unreadable' | 'altered'; readonly reason: string };

const bad = (kind: 'unreadable' | 'altered', reason: string): LineCheck => ({ ok: false, kind, reason });

/** Parses a line without its line feed, and checks the fields that every record has. Does not check hashes. */
export function parseLine(line: Buffer): LineCheck {
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8'));
  } catch {
    return bad('unreadable', line.length === 0 ? 'the line is empty' : 'the line is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return bad('unreadable', 'the line is not a JSON object');
  const { seq, time, prev, hash, type } = value as JsonObject;
  const complete =
    Number.isSafeInteger(seq) &&
    typeof time === 'string' &&
    !Number.isNaN(Date.parse(time)) &&
    typeof prev === 'string' &&
    typeof hash === 'string' &&
    typeof type === 'string';
  return complete ? { ok: true, record: value as JournalRecord } : bad('altered', 'the line is not a journal record');
}

/** Checks a line by itself and, unless `before` is undefined, against the previous record. */
export function checkLine(line: Buffer, before: ChainHead | undefined): LineCheck {
  const parsed = parseLine(line);
  if (!parsed.ok) return parsed;
  const end = Math.max(0, line.length - sealBytes);
  const stated = sealPattern.exec(line.toString('latin1', end))?.[1];
  if (stated === undefined) return bad('altered', 'the line does not end with its hash');
  if (stated !== digest('sha256', line.subarray(0, end), 'hex'))
    return bad('altered', 'its text does not match its hash');
  const { seq, prev } = parsed.record;
  if (before === undefined) return parsed;
  if (seq !== before.seq + 1)
    return bad('altered', `record ${before.seq + 1} is expected here, but this is record ${seq}`);
  if (prev !== before.hash) return bad('altered', 'it does not follow the previous record: the hashes differ');
  return parsed;
}

export function headOf(record: JournalRecord): ChainHead {
  return { seq: record.seq, hash: record.hash };
}
