/** What of the containers a live list shows, and in which order: the options that `list --watch` was given. */
import { checkInput } from '../../catalogue/declaration/schema.ts';
import { list } from '../../catalogue/verbs/list.ts';
import { selects } from '../../domain/results/selection.ts';
import type { FeedContainer, FeedUpdate } from '../../domain/events/notice.ts';

export interface ListRequest {
  readonly only: (container: Pick<FeedContainer, 'user' | 'status' | 'labels'>) => boolean;
  /** As `--sort` takes it: a column, with a hyphen before it for the other order. */
  readonly sort: string | undefined;
}

export const everything: ListRequest = { only: () => true, sort: undefined };

/** Throws the Failure of the first option that is not right. */
export function listRequest(input: Readonly<Record<string, unknown>>): ListRequest {
  const { sort, ...selection } = checkInput('list', list.input, input);
  return { sort, only: (container) => selects(selection, container) };
}

/** The part of an update that is wished for: what does not fit any more is gone. */
export function narrowed({ only }: ListRequest, update: FeedUpdate): FeedUpdate {
  const changed = update.changed.filter(only);
  return {
    ...update,
    changed,
    removed: [...update.removed, ...update.changed.filter((container) => !only(container)).map(({ user }) => user)],
  };
}
