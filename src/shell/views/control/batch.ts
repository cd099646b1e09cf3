/** Calls a verb on one or several containers. */
import type { AnyVerb } from '../../../catalogue/catalogue.ts';
import type { CallEnd } from '../../model/verbCall.ts';
import { commandOf } from '../../../catalogue/commandOf.ts';

/** The calls of one key: a verb, with the input of each call. */
export interface Batch {
  readonly verb: AnyVerb;
  readonly inputs: readonly Readonly<Record<string, unknown>>[];
}

export type RunCall = (verb: AnyVerb, input: Readonly<Record<string, unknown>>, line: string) => Promise<CallEnd>;

/** Calls that run at a time. The host could run more, but starting fifty containers at once makes each of them slow. */
const maxConcurrentCalls = 4;

/** Returns the command line of each call. */
export function commandLines({ verb, inputs }: Batch): string[] {
  return inputs.map((input) => commandOf(verb, input));
}

/** Runs all calls. Resolves with how each ended, in their order. */
export async function runBatch(batch: Batch, run: RunCall): Promise<CallEnd[]> {
  const lines = commandLines(batch);
  const ends: CallEnd[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < batch.inputs.length; i = next++)
      ends[i] = await run(batch.verb, batch.inputs[i] ?? {}, lines[i] ?? '');
  };
  await Promise.all(Array.from({ length: Math.min(maxConcurrentCalls, batch.inputs.length) }, work));
  return ends;
}
