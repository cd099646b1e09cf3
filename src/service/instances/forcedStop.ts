/** Stops a container at once, as a step of an operation. */
import type { IncusInstance } from '../../host/incus/documents.ts';
import { isAlready } from '../../host/incus/incus.ts';
import type { Running } from '../../journal/operations.ts';
import type { HostContext } from './context.ts';

/** Kills what runs in the instance. Does nothing if it is stopped already, as by its owner since the plan was made. */
export async function forcedStop(
  { incus, steps }: HostContext,
  operation: Running,
  { name, status }: Pick<IncusInstance, 'name' | 'status'>,
): Promise<void> {
  if (status === 'Stopped') return;
  await operation.step(steps.stopInstance, { instance: name, was: status }, () =>
    incus.stop(name, { force: true }).catch((error: unknown) => {
      if (!isAlready('stopped', error)) throw error;
    }),
  );
}
