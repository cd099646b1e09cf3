/** Tries something for each of several things. One that fails does not keep the others from being tried. */
import { Failure } from '../../domain/failure.ts';

/** What was tried: the things for which it worked, and the first failure. */
export interface Attempted<T> {
  readonly done: readonly T[];
  readonly failure: Failure | undefined;
}

export async function attemptEach<T>(things: readonly T[], act: (thing: T) => Promise<unknown>): Promise<Attempted<T>> {
  const done: T[] = [];
  let failure: Failure | undefined;
  for (const thing of things)
    await act(thing).then(
      () => done.push(thing),
      (error: unknown) => (failure ??= Failure.from(error)),
    );
  return { done, failure };
}

/** Resolves to those for which it worked. Rejects with the first failure after all were tried. */
export async function attemptAll<T>(things: readonly T[], act: (thing: T) => Promise<unknown>): Promise<readonly T[]> {
  const { done, failure } = await attemptEach(things, act);
  if (failure !== undefined) throw failure;
  return done;
}
