/** Runs changes by which Incus chooses the ids of an isolated instance, one at a time. */
import { onBehalfOfAll } from '../../domain/access/caller.ts';

/** The option by which an instance has user ids that no other has. */
export const isolatedKey = 'security.idmap.isolated';

/**
 * Of two such changes at the same time, Incus may give both instances the same ids (incus 6.0.4, seen): findIdmap in
 * driver_lxc.go reads the ids of the others before it stores its own.
 */
export class IdChoice {
  /** Resolves when the last choice is made. */
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `act`, after all earlier choices if the change is one. */
  async run(
    change: { readonly config?: Readonly<Record<string, string>> },
    act: () => Promise<unknown>,
  ): Promise<void> {
    if (change.config?.[isolatedKey] !== 'true') {
      await act();
      return;
    }
    const chosen = this.#last.then(() => onBehalfOfAll(act));
    this.#last = chosen.catch(() => undefined);
    await chosen;
  }
}
