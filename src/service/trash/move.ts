/** Moves a stopped container to the trash, as steps of a deletion, all of which can be undone. */
import type { IncusInstance } from '../../host/incus/documents.ts';
import type { Running } from '../../journal/operations.ts';
import type { HostContext } from '../instances/context.ts';
import { field } from '../instances/metadata.ts';
import { inverse, retirement } from '../instances/retirement.ts';
import { generationName } from '../snapshots/generations.ts';
import { encodeRecord, type TrashRecord } from './record.ts';

interface Move {
  /** The container as it was before the deletion began. */
  readonly instance: IncusInstance;
  readonly generations: readonly IncusInstance[];
  readonly record: Omit<TrashRecord, 'before' | 'ran'>;
}

/** Returns the name that the instance has in the trash, so that another container of the user can have its name. */
export async function moveToTrash(
  context: HostContext,
  operation: Running,
  { instance, generations, record }: Move,
): Promise<string> {
  const { incus, steps } = context;
  const { name } = instance;
  const trashName = generationName(record.user, new Date(record.at), operation.id);
  const { config, devices } = retirement(instance);
  const change = { config: { ...config, [field.state]: '' }, devices };
  const trashed = encodeRecord({ ...record, ran: instance.status !== 'Stopped', before: inverse(change, instance) });
  const present = { ...instance, config: { ...instance.config, [field.state]: 'deleting' } };
  await patch(context, operation, present, { ...change, config: { ...change.config, [field.trashed]: trashed } });
  for (const generation of generations)
    await patch(context, operation, generation, { config: { [field.trashed]: trashName }, devices: {} });
  await operation.step(steps.renameInstance, { instance: name, to: trashName }, () => incus.rename(name, trashName));
  return trashName;
}

async function patch(
  { incus, steps }: HostContext,
  operation: Running,
  instance: IncusInstance,
  change: Parameters<typeof inverse>[0],
): Promise<void> {
  const { name } = instance;
  const previous = JSON.stringify(inverse(change, instance));
  await operation.step(steps.patchInstance, { instance: name, previous }, () => incus.patch(name, change));
}
