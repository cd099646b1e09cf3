/** Which containers are meant: the options that every list of them takes. */
import type { Container } from './container.ts';

export interface Selection {
  readonly state?: 'all' | 'running' | 'stopped' | undefined;
  readonly user?: string | undefined;
  /** All of them have to match; one without a value matches any. */
  readonly labels?: readonly { readonly key: string; readonly value?: string | undefined }[] | undefined;
}

/** Whether everything that is given fits. */
export function selects(
  { state, user, labels }: Selection,
  container: Pick<Container, 'user' | 'status' | 'labels'>,
): boolean {
  return (
    (state === undefined || state === 'all' || container.status === state) &&
    (user === undefined || container.user === user) &&
    (labels ?? []).every(({ key, value }) =>
      value === undefined ? key in container.labels : container.labels[key] === value,
    )
  );
}
