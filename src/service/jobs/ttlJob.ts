/** Moves containers to the trash whose time has come, and tells the admins before. */
import { plural } from '../../domain/text.ts';
import { parseSpan, timeLeftInWords } from '../../domain/values/duration.ts';
import type { Username } from '../../domain/values/username.ts';
import type { ServiceContext } from '../context.ts';
import { deleteContainer } from '../delete.ts';
import { field, ownerOfInstance } from '../instances/metadata.ts';
import { isProtected } from '../instances/protection.ts';
import { schedule } from '../instances/schedule.ts';
import { attemptAll } from './attempts.ts';
import { jobCall, type Job, type JobConditions } from './job.ts';

interface Ending {
  readonly user: Username;
  readonly atMs: number;
  readonly protected: boolean;
}

export class TtlJob implements Job {
  readonly name = 'ttl';
  readonly summary = 'Move containers to the trash whose time has come';
  readonly pattern = '*/10 * * * *';
  /** The ends that the room was told of, as `user time`. */
  readonly #announced = new Set<string>();

  async run(context: ServiceContext, { mayDelete }: JobConditions): Promise<string | undefined> {
    const nowMs = context.now().getTime();
    const endings = await endingsOf(context);
    for (const ending of endings) if (ending.atMs > nowMs) this.#announce(context, ending, nowMs);
    const due = endings.filter(({ atMs }) => atMs <= nowMs);
    const free = due.filter((one) => !one.protected);
    const moved = mayDelete
      ? await attemptAll(free, ({ user }) => deleteContainer(context, { user }, jobCall({ user })))
      : [];
    for (const { user } of moved)
      context.room.say(
        schedule,
        `The time of ${user}'s container is over: it is in the trash. "trash restore ${user}" brings it back.`,
        null,
      );
    const done = [
      ...(moved.length === 0 ? [] : [`moved to the trash: ${moved.map(({ user }) => user).join(', ')}`]),
      ...(!mayDelete && free.length > 0 ? [`${plural(free.length, 'container')} would be due`] : []),
      ...due.filter((one) => one.protected).map(({ user }) => `${user} is due and protected`),
    ];
    return done.length === 0 ? undefined : done.join('; ');
  }

  #announce({ room, settings }: ServiceContext, { user, atMs }: Ending, nowMs: number): void {
    const mark = `${user} ${atMs}`;
    if (atMs - nowMs > parseSpan(settings.ttl.warn) || this.#announced.has(mark)) return;
    this.#announced.add(mark);
    room.say(
      schedule,
      `${user}'s container moves to the trash in ${timeLeftInWords(atMs - nowMs)}. "ttl clear ${user}" keeps it.`,
      null,
    );
  }
}

async function endingsOf({ incus }: ServiceContext): Promise<Ending[]> {
  return (await incus.instances()).flatMap((instance) => {
    const user = ownerOfInstance(instance);
    const atMs = Date.parse(instance.config[field.expires] ?? '');
    return user === undefined || Number.isNaN(atMs) ? [] : [{ user, atMs, protected: isProtected(instance) }];
  });
}
