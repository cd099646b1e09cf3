/**
 * Copies a process's standard error into core's log, marked as that of the process. The process has no descriptor of
 * the log itself, through which a compromised one could forge lines of core.
 */
import type { Readable } from 'node:stream';
import type { Logger } from 'pino';
import { printableLines } from '../../domain/text.ts';
import type { ProcessKind } from './processStarter.ts';

/** Maximum length of a line, in characters; the rest is cut off. */
const maxLineLength = 4096;
/** Number of lines logged in each period; further lines are only counted. */
const maxLines = 100;
const periodMs = 10_000;

/** Logs lines until the stream ends. The result's `last` is always the latest line. */
export function logProcess(stream: Readable, { name, label }: ProcessKind, log: Logger): { readonly last: string } {
  const output = { last: '' };
  let pending = '';
  let periodBeganMs = -Infinity;
  let lines = 0;
  const pass = (line: string): void => {
    if (line.trim() === '') return;
    output.last = printableLines(line).slice(0, maxLineLength);
    const now = performance.now();
    if (now - periodBeganMs > periodMs) {
      if (lines > maxLines) log.warn({ dropped: lines - maxLines }, `lines of ${label} were dropped`);
      periodBeganMs = now;
      lines = 0;
    }
    lines++;
    if (lines <= maxLines) log.warn({ [name]: parseRecord(output.last) ?? output.last }, `output of ${label}`);
  };
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const parts = (pending + chunk).split('\n');
    // An unfinished line is kept up to the limit.
    pending = (parts.pop() ?? '').slice(0, maxLineLength);
    for (const line of parts) pass(line);
  });
  stream.on('end', () => pass(pending));
  stream.on('error', () => undefined);
  return output;
}

/** Parses a JSON line, so that tools find its fields; below the name of the process they cannot pass for core's. */
function parseRecord(line: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}
