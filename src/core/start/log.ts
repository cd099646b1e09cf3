/** core's log: JSON lines on standard error, with priorities if journald reads them. */
import { fstatSync } from 'node:fs';
import { pino, type Logger } from 'pino';
import { Failure } from '../../domain/failure.ts';
import { isJournal, logLine } from '../../domain/logLine.ts';
import { joinChoices, quoted } from '../../domain/text.ts';

/** Levels that CONTAINARIUM_LOG may name. */
export const logLevels: readonly string[] = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/** Makes the log. Throws `settings` if CONTAINARIUM_LOG names no level. */
export function makeLog(env: NodeJS.ProcessEnv): Logger {
  const toJournal = isJournal(env['JOURNAL_STREAM'], fstatSync(2, { bigint: true }));
  // On a terminal, a line for every login would be in the way.
  const usual = toJournal ? 'info' : 'warn';
  const wanted = env['CONTAINARIUM_LOG'] ?? usual;
  if (!logLevels.includes(wanted))
    throw new Failure('settings', {
      what: `CONTAINARIUM_LOG=${quoted(wanted)}`,
      why: 'there is no such level',
      next: `set it to ${joinChoices(logLevels)}`,
    });
  const stderr = pino.destination({ dest: 2, sync: true });
  const destination = {
    // Makes pino set `lastLevel` before each write.
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 30,
    write(line: string): void {
      stderr.write(logLine(line, this.lastLevel, toJournal));
    },
  };
  return pino(
    {
      level: wanted,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}
