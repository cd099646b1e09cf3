/** Follows the log of the host's own sshd in systemd's journal (journalctl(1), systemd.journal-fields(7)). */
import * as z from 'zod';
import { isFailure } from '../../domain/failure.ts';
import type { ProgramStreams } from '../programStreams.ts';
import type { Runner } from '../runner.ts';

export interface SshdLogEntry {
  /** Where in the journal it is. */
  readonly cursor: string;
  /** When the journal received it, in milliseconds since 1970. */
  readonly atMs: number;
  /** The process that logged it. */
  readonly pid: number;
  readonly message: string;
}

/** Where to begin: behind an entry, or at a time. */
export type SshdLogStart = { readonly cursor: string } | { readonly since: Date };

/**
 * The entries of root's sshd. The journal itself sets the fields with an underscore, `_UID` among them; any user can
 * write the others. A session's messages are not in sshd's unit, because pam_systemd moves its process to a scope.
 */
const matches = ['_UID=0', 'SYSLOG_IDENTIFIER=sshd', 'SYSLOG_IDENTIFIER=sshd-session'];
/** The names of sshd's processes. The journal knows none of a process that ended at once. */
const commands: readonly (string | undefined)[] = ['sshd', 'sshd-session', undefined];

/** How long one journalctl follows, in milliseconds; then the next one goes on behind the last entry. */
const followMs = 60 * 60_000;
const askMs = 10_000;
/** Length of a line from which on it is skipped. An entry about a login has about 1000 bytes. */
const maxLineLength = 32 * 1024;

const entry = z.object({
  __CURSOR: z.string().min(1).max(1024),
  /** Microseconds since 1970. */
  __REALTIME_TIMESTAMP: z.string().regex(/^\d{1,16}$/),
  _PID: z.string().regex(/^\d{1,10}$/),
  _UID: z.literal('0'),
  _COMM: z.string().optional(),
  // A message that is not UTF-8 is a list of bytes, and none about a login.
  MESSAGE: z.string().max(4096),
});

export class SshdLog {
  readonly #runner: Runner;
  readonly #streams: Pick<ProgramStreams, 'read'>;

  constructor(runner: Runner, streams: Pick<ProgramStreams, 'read'>) {
    this.#runner = runner;
    this.#streams = streams;
  }

  /** Reports whether the host has a journal of systemd. Rejects if that is not known. */
  async isKept(signal: AbortSignal): Promise<boolean> {
    try {
      const { stdout } = await this.#runner.run({
        program: 'journalctl',
        args: ['--quiet', '--no-pager', '--output=json', '--lines=1'],
        timeoutMs: askMs,
        signal,
      });
      return stdout.trim() !== '';
    } catch (error) {
      if (isFailure(error, 'program-missing')) return false;
      throw error;
    }
  }

  /**
   * Yields the entries of sshd, the oldest first, and waits for new ones. Ends after an hour. Rejects with the failure
   * of journalctl, and with `cancelled`.
   */
  async *follow(start: SshdLogStart, signal: AbortSignal): AsyncGenerator<SshdLogEntry, void, undefined> {
    const from =
      'cursor' in start ? `--after-cursor=${start.cursor}` : `--since=@${Math.floor(start.since.getTime() / 1000)}`;
    const { output } = this.#streams.read({
      program: 'journalctl',
      // Without --no-tail it begins with the last ten lines.
      args: ['--quiet', '--follow', '--no-tail', '--output=json', from, ...matches],
      timeoutMs: followMs,
      signal,
    });
    try {
      for await (const line of linesOf(output as AsyncIterable<Buffer>)) {
        const parsed = parseEntry(line);
        if (parsed !== undefined) yield parsed;
      }
    } catch (error) {
      if (!isFailure(error, 'timeout')) throw error;
    } finally {
      output.destroy();
    }
  }
}

/** Returns an entry of root's sshd from a line of `journalctl --output=json`; undefined for any other line. */
export function parseEntry(line: string): SshdLogEntry | undefined {
  let document: unknown;
  try {
    document = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { data } = entry.safeParse(document);
  if (data === undefined || !commands.includes(data._COMM)) return undefined;
  return {
    cursor: data.__CURSOR,
    atMs: Math.floor(Number(data.__REALTIME_TIMESTAMP) / 1000),
    pid: Number(data._PID),
    message: data.MESSAGE,
  };
}

/** Yields the lines of a stream, without those that are too long. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  let isTooLong = false;
  for await (const chunk of chunks) {
    const lines = decoder.decode(chunk, { stream: true }).split('\n');
    const last = lines.pop() ?? '';
    for (const line of lines) {
      if (!isTooLong) yield rest + line;
      isTooLong = false;
      rest = '';
    }
    if (!isTooLong) rest += last;
    if (rest.length > maxLineLength) {
      isTooLong = true;
      rest = '';
    }
  }
}
