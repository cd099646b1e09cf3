/** What leaves the host: an alert, the daily report, or a test. */
import { ulid } from 'ulid';
import type { JsonObject } from '../../domain/json.ts';
import { printable, printableLines } from '../../domain/text.ts';

export interface Message {
  readonly id: string;
  /** RFC 3339 UTC. */
  readonly at: string;
  /** One line. */
  readonly subject: string;
  /** For people: lines. */
  readonly text: string;
  /** For programs. */
  readonly document: JsonObject;
}

/** A way by which messages leave. */
export interface Channel {
  readonly name: 'mail' | 'webhook';
  /** Where it leads, without secrets. */
  readonly to: string;
  /** Rejects if the message was not taken. */
  send(message: Message, signal: AbortSignal): Promise<void>;
}

/** Longest subject and text, in characters. */
const maxSubjectLength = 150;
const maxTextLength = 60_000;

/** Makes a message. Names in it may come from clients and containers, so it is made printable and cut. */
export function makeMessage(now: Date, subject: string, text: string, document: JsonObject): Message {
  return {
    id: ulid(now.getTime()),
    at: now.toISOString(),
    subject: printable(subject).slice(0, maxSubjectLength),
    text: printableLines(text).slice(0, maxTextLength),
    document,
  };
}
