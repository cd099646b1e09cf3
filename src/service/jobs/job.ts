/** What a job is: something that core does at times. The scheduler (src/core/schedule/) knows when. */
import type { JsonObject } from '../../domain/json.ts';
import type { ServiceContext } from '../context.ts';
import type { Call } from '../instances/context.ts';
import { schedule } from '../instances/schedule.ts';

export interface JobConditions {
  /** False while the clock cannot be trusted: what is due by the clock is then not deleted. */
  readonly mayDelete: boolean;
}

export interface Job {
  readonly name: string;
  /** A verb phrase without a full stop. */
  readonly summary: string;
  /** As in crontab(5), in UTC. */
  readonly pattern: string;
  /** May take hours: runs beside the others, and after the other long ones. */
  readonly isLong?: boolean;
  /**
   * Resolves to what it did, as a clause, or to undefined if there was nothing to do. Rejects if something failed,
   * after it has tried the rest.
   */
  run(context: ServiceContext, conditions: JobConditions): Promise<string | undefined>;
}

/** Returns the call of a capability that a job makes. */
export function jobCall(recorded: JsonObject): Call {
  const progress = { step: () => undefined, note: () => undefined, output: () => undefined };
  return {
    actor: schedule,
    signal: new AbortController().signal,
    permit: () => undefined,
    progress,
    recorded,
    reachedAt: undefined,
    terminal: undefined,
    shell: undefined,
  };
}
