/**
 * What a front writes on standard error, as records of core's log that say so. A front has no descriptor of core's log
 * itself: one that was taken over could write there what looks like core's.
 */
import type { Readable } from 'node:stream';
import type { Logger } from 'pino';
import { printableLines } from '../../domain/text.ts';

/** Longer lines are cut, in characters. */
const maxLineLength = 4096;
/** Lines that are kept of each period; the rest are counted. */
const maxLines = 100;
const periodMs = 10_000;

/** Passes lines on until the stream ends; `last` is the one that was read last. */
export function logFront(stream: Readable, log: Logger): { readonly last: string } {
  const said = { last: '' };
  let pending = '';
  let periodBeganMs = 0;
  let lines = 0;
  const pass = (line: string): void => {
    if (line.trim() === '') return;
    said.last = printableLines(line).slice(0, maxLineLength);
    const now = Date.now();
    if (now - periodBeganMs > periodMs) {
      if (lines > maxLines) log.warn({ dropped: lines - maxLines }, 'the front said more than is logged');
      periodBeganMs = now;
      lines = 0;
    }
    lines++;
    if (lines <= maxLines) log.warn({ front: record(said.last) ?? said.last }, 'the front says');
  };
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const parts = (pending + chunk).split('\n');
    // A line without an end is kept up to its limit, and what follows it up to the end of the line is more of the same.
    pending = (parts.pop() ?? '').slice(0, maxLineLength);
    for (const line of parts) pass(line);
  });
  stream.on('end', () => pass(pending));
  stream.on('error', () => undefined);
  return said;
}

/**
 * A line of the front's own log as the record that it is, so that tools find its fields; below `front`, where it passes
 * for nothing of core's.
 */
function record(line: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}
