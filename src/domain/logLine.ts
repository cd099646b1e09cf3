/**
 * A line of the log: one JSON object without a character that could move a cursor, and a priority where journald reads
 * it.
 */
import { escapedJson } from './text.ts';

/** Priorities of sd-daemon(3) by pino's levels. */
const priorities: readonly (readonly [level: number, priority: number])[] = [
  [60, 2],
  [50, 3],
  [40, 4],
  [30, 6],
  [0, 7],
];

/**
 * `json` (one line, with or without its line feed) as it is written. `toJournal`: with the priority in front that
 * journald takes off again.
 */
export function logLine(json: string, level: number, toJournal: boolean): string {
  const [, priority] = priorities.find(([least]) => level >= least) ?? [0, 7];
  return `${toJournal ? `<${priority}>` : ''}${escapedJson(json.trimEnd())}\n`;
}

/**
 * Whether a descriptor with these numbers is the journal, as systemd says it in JOURNAL_STREAM (systemd.exec(5)): the
 * variable is also handed down to programs whose output goes elsewhere.
 */
export function isJournal(
  journalStream: string | undefined,
  { dev, ino }: { readonly dev: number | bigint; readonly ino: number | bigint },
): boolean {
  return journalStream !== undefined && journalStream === `${dev}:${ino}`;
}
