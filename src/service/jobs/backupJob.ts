/** Backs up every container, and deletes old backups as the settings say. */
import { Failure } from '../../domain/failure.ts';
import { plural } from '../../domain/text.ts';
import type { Username } from '../../domain/values/username.ts';
import type { BackupSettings } from '../../settings/backups.ts';
import { createBackup, pruneBackups } from '../backups.ts';
import type { ServiceContext } from '../context.ts';
import { ownerOfInstance, provisioningOf } from '../instances/metadata.ts';
import { attemptAll } from './attempts.ts';
import { jobCall, type Job, type JobConditions } from './job.ts';

export class BackupJob implements Job {
  readonly name = 'backups';
  readonly isLong = true;
  readonly summary = 'Back up every container, and delete old backups';
  readonly pattern: string;

  constructor({ every, hour }: Pick<BackupSettings, 'every' | 'hour'>) {
    this.pattern = `47 ${hour} * * ${every === 'weekly' ? '0' : '*'}`;
  }

  async run(context: ServiceContext, { mayDelete }: JobConditions): Promise<string | undefined> {
    const users = (await context.incus.instances()).flatMap((instance): Username[] => {
      const user = ownerOfInstance(instance);
      return user === undefined || provisioningOf(instance) !== 'ready' ? [] : [user];
    });
    let deleted = 0;
    const failed: string[] = [];
    const made = await attemptAll(users, async (user) => {
      try {
        await createBackup(context, { user }, jobCall({ user }));
        if (mayDelete) deleted += (await pruneBackups(context, user, jobCall({ user }))).length;
      } catch (error) {
        failed.push(user);
        throw error;
      }
    }).catch((error: unknown) => {
      const failure = Failure.from(error);
      throw new Failure(
        failure.code,
        { ...failure.toData(), what: `the backup of ${failed.join(', ')}: ${failure.what}` },
        failure,
      );
    });
    if (made.length === 0) return undefined;
    return [
      `${plural(made.length, 'container')} backed up`,
      ...(deleted === 0 ? [] : [`${plural(deleted, 'old backup')} deleted`]),
    ].join('; ');
  }
}
