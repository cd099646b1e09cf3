/**
 * The hash chain: how a record becomes a line of text, and what a line must be to follow another.
 *
 *     {"seq":2,"time":"2026-01-31T12:00:00.000Z","prev":"<hash of record 1>","type":"…",…,"hash":"<hash>"}
 *
 * The hash is the SHA-256 of the line's own bytes up to `,"hash"`: it is checked on the bytes as they lie in the file,
 * and no two programs have to agree on how JSON is written.
 */
import { hash as digest } from 'node:crypto';
import { Failure } from '../domain/failure.ts';
import type { JsonObject, JsonValue } from '../domain/json.ts';
import { safeJson } from '../domain/text.ts';

export type { JsonValue };

/**
 * What a caller records. `seq`, `time`, `prev` and `hash` are the journal's, and so are the types `segment` and
 * `repair`.
 */
export type JournalEntry = { readonly type: string } & JsonObject;

/** One record as it was written. */
export type JournalRecord = {
  /** Counted from 1 without gaps, over all segments. */
  readonly seq: number;
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string;
  /** The hash of the record before; 64 zeros for the first of all. */
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

/** The longest line, its line feed included. A longer one cannot have been written by this system. */
export const maxLineBytes = 1024 * 1024;

const reservedFields = ['seq', 'time', 'prev', 'hash'] as const;

/** The most that a line has around the fields of its entry, generously. */
export const envelopeBytes = 512;

/** `,"hash":"` + 64 hexadecimal digits + `"}` */
const sealBytes = 75;
const sealPattern = /^,"hash":"([0-9a-f]{64})"\}$/;

/**
 * The fields of an entry as JSON without the outer braces, safe for terminals.
 * Rejects with `internal` (not an entry: a mistake in this program) or `input-too-large`.
 */
export function entryText(entry: JsonObject): string {
  const { type } = entry;
  if (typeof type !== 'string' || type === '') throw notAnEntry('it has no type');
  const taken = reservedFields.find((field) => Object.hasOwn(entry, field));
  if (taken !== undefined) throw notAnEntry(`the field "${taken}" is the journal's own`);
  const text = safeJson(entry).slice(1, -1);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxLineBytes - envelopeBytes) {
    throw new Failure('input-too-large', {
      what: `journal record of type "${type}"`,
      why: `it is ${bytes} bytes long, and ${maxLineBytes - envelopeBytes} is the most one record may have`,
    });
  }
  return text;
}

function notAnEntry(why: string): Failure {
  return new Failure('internal', { what: 'journal entry', why, next: 'report this' });
}

/**
 * The line (with its line feed) that records `fields`, made by {@link entryText}, after `head`; and the head it leads
 * to.
 */
export function seal(head: ChainHead, timeMs: number, fields: string): { line: string; head: ChainHead } {
  const seq = head.seq + 1;
  const text = `{"seq":${seq},"time":"${new Date(timeMs).toISOString()}","prev":"${head.hash}",${fields}`;
  const hash = digest('sha256', text, 'hex');
  return { line: `${text},"hash":"${hash}"}\n`, head: { seq, hash } };
}

/**
 * `unreadable`: no JSON object, as an interrupted write leaves it. `altered`: a record, but not the one that was
 * written here.
 */
export type LineCheck =
  | { readonly ok: true; readonly record: JournalRecord }
  | { readonly ok: false; readonly kind: 'unreadable' | 'altered'; readonly reason: string };

const bad = (kind: 'unreadable' | 'altered', reason: string): LineCheck => ({ ok: false, kind, reason });

/** A line (without its line feed) as a JSON object with the fields that every record has; hashes are not checked. */
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

/** Checks a line by itself and against the record before it; with `before` undefined only by itself. */
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
    return bad('altered', `record ${before.seq + 1} should stand here, and this is record ${seq}`);
  if (prev !== before.hash) return bad('altered', 'it does not follow the record before it: the hashes differ');
  return parsed;
}

export function headOf(record: JournalRecord): ChainHead {
  return { seq: record.seq, hash: record.hash };
}
