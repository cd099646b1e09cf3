/** Deletes earlier generations of containers whose last snapshot is gone: they hold space for nothing. */
import { plural } from '../../domain/text.ts';
import type { ServiceContext } from '../context.ts';
import { schedule } from '../instances/schedule.ts';
import { replacedOf } from '../snapshots/generations.ts';
import { generationDifferences } from '../snapshots/differences.ts';
import { attemptAll } from './attempts.ts';
import type { Job, JobConditions } from './job.ts';

export const snapshotJob: Job = {
  name: 'snapshots',
  summary: 'Delete earlier states of containers that no snapshot needs any more',
  pattern: '37 * * * *',
  async run(context: ServiceContext, { mayDelete }: JobConditions): Promise<string | undefined> {
    if (!mayDelete) return undefined;
    const { incus, operations, steps } = context;
    const instances = await incus.instances();
    const users = new Set(instances.flatMap((instance) => replacedOf(instance) ?? []));
    const deleted = await attemptAll([...users], (target) =>
      operations.run(
        { verb: 'reconcile', target, actor: schedule, input: {} },
        async () => generationDifferences(context, await incus.instances(), (user) => user === target),
        async (operation, found) => {
          for (const { kind, repair } of found)
            if (repair !== undefined) await operation.step(steps.repair, { difference: kind }, repair);
        },
      ),
    );
    return deleted.length === 0 ? undefined : `looked at ${plural(deleted.length, 'container')}`;
  },
};
