/** Log lines: one JSON object with all control characters escaped, and a priority if journald reads it. */
import { escapedJson } from './text.ts';

/** The priority of sd-daemon(3) for each of pino's levels. */
const priorities: readonly (readonly [level: number, priority: number])[] = [
  [60, 2],
  [50, 3],
  [40, 4],
  [30, 6],
  [0, 7],
];

/**
 * Returns the log line for `json`, one line with or without its line feed. With `toJournal` it begins with a priority,
 * which journald strips.
 */
export function logLine(json: string, level: number, toJournal: boolean): string {
  const [, priority] = priorities.find(([minLevel]) => level >= minLevel) ?? [0, 7];
  return `${toJournal ? `<${priority}>` : ''}${escapedJson(json.trimEnd())}\n`;
}

/**
 * Reports whether a descriptor with these numbers is the journal, according to JOURNAL_STREAM (systemd.exec(5)). The
 * variable alone proves nothing: programs inherit it even if their output goes elsewhere.
 */
export function isJournal(
  journalStream: string | undefined,
  { dev, ino }: { readonly dev: number | bigint; readonly ino: number | bigint },
): boolean {
  return journalStream !== undefined && journalStream === `${dev}:${ino}`;
}
