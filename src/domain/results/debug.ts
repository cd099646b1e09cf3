/** The result of `debug`. */
import type { Check } from './upkeep.ts';

/** The way from a user's client to their shell. */
export interface AccessPath {
  readonly user: string;
  readonly container: string;
  /** The links in the order in which a login passes them. */
  readonly links: readonly Check[];
  /** The first link that keeps the user out; null if none does. */
  readonly broken: string | null;
}
