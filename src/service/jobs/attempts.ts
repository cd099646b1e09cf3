/** Tries something for each of several things. One that fails does not keep the others from being tried. */
import { Failure } from '../../domain/failure.ts';

/** Resolves to those for which it worked. Rejects with the first failure after all were tried. */
export async function attemptAll<T>(things: readonly T[], act: (thing: T) => Promise<unknown>): Promise<T[]> {
  const done: T[] = [];
  let failed: Failure | undefined;
  for (const thing of things)
    await act(thing).then(
      () => done.push(thing),
      (error: unknown) => (failed ??= Failure.from(error)),
    );
  if (failed !== undefined) throw failed;
  return done;
}
