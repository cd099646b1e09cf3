/** core's log: JSON lines on standard error, with priorities if journald reads them. */
import { fstatSync } from 'node:fs';
import { pino, type Logger } from 'pino';
import { isJournal, logLine } from '../../domain/logLine.ts';

/** Levels that CONTAINARIUM_LOG may name. */
const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

export function makeLog(env: NodeJS.ProcessEnv): Logger {
  const toJournal = isJournal(env['JOURNAL_STREAM'], fstatSync(2, { bigint: true }));
  // On a terminal, a line for every login would be in the way.
  const usual = toJournal ? 'info' : 'warn';
  const wanted = env['CONTAINARIUM_LOG'] ?? usual;
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
      level: levels.includes(wanted) ? wanted : usual,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}
