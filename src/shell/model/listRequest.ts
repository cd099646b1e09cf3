/** Which containers a live list shows, and in which order: the options of `list --watch`. */
import { checkInput } from '../../catalogue/declaration/schema.ts';
import { list } from '../../catalogue/verbs/list.ts';
import { selects } from '../../domain/results/selection.ts';
import type { FeedContainer, FeedUpdate } from '../../domain/events/notice.ts';

export interface ListRequest {
  readonly only: (container: Pick<FeedContainer, 'user' | 'status' | 'labels'>) => boolean;
  /** A column, as `--sort` takes it. A leading hyphen reverses the order. */
  readonly sort: string | undefined;
}

export const everything: ListRequest = { only: () => true, sort: undefined };

/** Checks the options of `list`. Throws a Failure for the first invalid one. */
export function listRequest(input: Readonly<Record<string, unknown>>): ListRequest {
  const { sort, ...selection } = checkInput(list, input);
  return { sort, only: (container) => selects(selection, container) };
}

/** Returns the part of an update that the request selects. A container that no longer matches counts as removed. */
export function narrowed({ only }: ListRequest, update: FeedUpdate): FeedUpdate {
  const changed = update.changed.filter(only);
  return {
    ...update,
    changed,
    removed: [...update.removed, ...update.changed.filter((container) => !only(container)).map(({ user }) => user)],
  };
}
