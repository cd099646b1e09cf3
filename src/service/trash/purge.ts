/** Deletes instances for good. */
import { Failure } from '../../domain/failure.ts';
import type { Running } from '../../journal/operations.ts';
import type { HostContext } from '../instances/context.ts';

/** Deletes an instance as the last step of an operation. */
export async function deleteInstanceStep(context: HostContext, operation: Running, instance: string): Promise<void> {
  await operation.step(context.steps.deleteInstance, { instance }, async () => {
    await forgetConsole(context, instance);
    await context.incus.delete(instance);
  });
}

/** Empties the console log, which outlives the instance. Never rejects: a log is no reason to keep an instance. */
async function forgetConsole({ incus, log }: HostContext, name: string): Promise<void> {
  await incus.clearConsoleLog(name).catch((error: unknown) => {
    log.warn({ instance: name, failure: Failure.from(error).toData() }, 'the console log could not be emptied');
  });
}
