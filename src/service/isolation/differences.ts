/** The differences that `reconcile` finds between a container and what keeps it apart from the others. */
import { Failure, isFailure } from '../../domain/failure.ts';
import type { Found } from '../../domain/results/found.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import type { Incus } from '../../host/incus/incus.ts';
import type { Settings } from '../../settings/settings.ts';
import { isolationChange, pendingIsolation } from './change.ts';

/** Returns what keeps the container of `user` apart and is missing, or is set and waits for its restart. */
export function isolationDifferences(
  { incus, settings }: { readonly incus: Pick<Incus, 'patch'>; readonly settings: Settings },
  user: string,
  instance: IncusInstance,
  hasAutorestart: boolean,
): Found[] {
  const pending = pendingIsolation(instance);
  const waits: Found[] =
    pending.length === 0
      ? []
      : [{ kind: 'restart-pending', target: user, detail: `${pending.join('; ')}: "restart ${user}"`, fix: null }];
  const change = isolationChange(instance, settings, hasAutorestart);
  if (change === undefined) return waits;
  const { config, devices, missing, restartFor } = change;
  const then = restartFor.length === 0 ? '' : `, then "restart ${user}" because ${restartFor.join('; ')}`;
  return [
    {
      kind: 'isolation-missing',
      target: user,
      detail: `${instance.name} lacks ${missing.join(', ')}`,
      fix: `set what is missing${then}`,
      repair: () => incus.patch(instance.name, { config, devices }).catch(explained),
    },
    ...waits,
  ];
}

/** Throws a failure that says what to do if Incus has no user ids left for another isolated container. */
export function explained(error: unknown): never {
  if (!isFailure(error, 'program-failed') || !error.why.includes('Not enough uid/gid available')) throw error;
  throw new Failure(
    'no-space',
    {
      what: 'the subordinate ids of root',
      why: 'Incus has none left for another container',
      next: '"doctor" says how many there are, and how to add more',
    },
    error,
  );
}
