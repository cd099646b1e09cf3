/** What a person is told when a shell opens: containers that end soon, and a schedule that is in trouble. */
import type { Actor } from '../../domain/access/actor.ts';
import type { Schedule } from '../../domain/results/schedule.ts';
import { parseSpan, timeLeftInWords } from '../../domain/values/duration.ts';
import type { Settings } from '../../settings/settings.ts';

/** A container that moves to the trash by itself. */
export interface Ending {
  readonly user: string;
  /** RFC 3339 UTC. */
  readonly expiresAt: string;
}

/** A longer list is not read. */
const maxNamed = 5;

/** Returns sentences about containers that end soon: for owners about their own, for admins about all. */
export function endingNotes(
  actor: Actor,
  endings: readonly Ending[],
  { ttl }: Pick<Settings, 'ttl'>,
  now: Date,
): string[] {
  const soon = endings
    .map(({ user, expiresAt }) => ({ user, leftMs: Date.parse(expiresAt) - now.getTime() }))
    .filter(({ leftMs }) => leftMs <= parseSpan(ttl.warn))
    .sort((a, b) => a.leftMs - b.leftMs);
  const when = (leftMs: number): string => (leftMs <= 0 ? 'at any moment' : `in ${timeLeftInWords(leftMs)}`);
  if (actor.entryPoint === 'self')
    return soon
      .filter(({ user }) => actor.owns?.includes(user) === true)
      .map(
        ({ user, leftMs }) =>
          `The container of ${user} is deleted ${when(leftMs)}. If you need it longer, ask an admin.`,
      );
  const named = soon.slice(0, maxNamed);
  const more = soon.length - named.length;
  return [
    ...named.map(
      ({ user, leftMs }) => `${user}'s container moves to the trash ${when(leftMs)}. "ttl clear ${user}" keeps it.`,
    ),
    ...(more === 0 ? [] : [`${more} more end soon: see "info" of each.`]),
  ];
}

/** Returns sentences for admins about jobs that failed, and about a clock that jumped. */
export function scheduleNotes({ entryPoint }: Actor, { jobs, heldUntil }: Schedule): string[] {
  if (entryPoint === 'self') return [];
  return [
    ...(heldUntil === null
      ? []
      : [
          'The clock has jumped, or the host was down for long: nothing is deleted by the clock for now. See: schedule list',
        ]),
    ...jobs
      .filter(({ lastOutcome }) => lastOutcome === 'failed')
      .map(({ name, lastText }) => `The job "${name}" failed: ${lastText ?? ''}. See: schedule list`),
  ];
}
