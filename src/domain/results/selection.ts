/** Selection of containers, by the options that every list of containers has. */
import { own } from '../own.ts';
import type { Container } from './container.ts';

export interface Selection {
  readonly state?: 'all' | 'running' | 'stopped' | undefined;
  readonly user?: string | undefined;
  /** Labels that must all match; a label without a value matches any value. */
  readonly labels?: readonly { readonly key: string; readonly value?: string | undefined }[] | undefined;
}

/** Reports whether a container matches every given option. */
export function selects(
  { state, user, labels }: Selection,
  container: Pick<Container, 'user' | 'status' | 'labels'>,
): boolean {
  return (
    (state === undefined || state === 'all' || container.status === state) &&
    (user === undefined || container.user === user) &&
    (labels ?? []).every(({ key, value }) =>
      value === undefined ? Object.hasOwn(container.labels, key) : own(container.labels, key) === value,
    )
  );
}
