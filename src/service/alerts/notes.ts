/** What an admin is told of alerts when a shell opens. */
import type { Actor } from '../../domain/access/actor.ts';
import type { AlertInfo } from '../../domain/results/alerts.ts';

/** A longer list is not read. */
const maxNamed = 3;
/** What the notes of the schedule say (jobs/notes.ts). */
const saidElsewhere = ['job', 'clock'];

/** Returns sentences about open alerts; none for owners. */
export function alertNotes({ entryPoint }: Actor, open: readonly AlertInfo[]): string[] {
  if (entryPoint === 'self') return [];
  const told = open.filter(({ code }) => !saidElsewhere.includes(code));
  const more = told.length - maxNamed;
  return [
    ...told.slice(0, maxNamed).map(({ text }) => `Alert: ${text}. See: alert list`),
    ...(more > 0 ? [`${more} more alerts are open. See: alert list`] : []),
  ];
}
