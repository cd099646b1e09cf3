/** What differs inside the containers: their keys and their address. */
import { isFailure } from '../../domain/failure.ts';
import type { Found } from '../../domain/results/found.ts';
import { addressDifference } from '../images/addressDifference.ts';
import type { HostContext } from '../instances/context.ts';
import { containerKeysPath, containerKeysText } from '../instances/jumpAccount.ts';
import { decodeKeys, field, provisioningOf } from '../instances/metadata.ts';
import type { Owned } from './owned.ts';

/** Maximum number of containers whose files are read at the same time. */
const parallel = 4;

/** Returns what differs inside the containers: their keys and their address. */
export async function insideDifferences(
  context: HostContext,
  owned: readonly Owned[],
  signal: AbortSignal | undefined,
): Promise<Found[]> {
  const found: Found[] = [];
  const queue = owned.filter(({ instance }) => provisioningOf(instance) === 'ready');
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        found.push(...(await insideDifferencesOf(context, next, signal)));
      }
    }),
  );
  return found.sort((a, b) => a.target.localeCompare(b.target));
}

/**
 * Returns what differs inside one container. Its root can make a file unreadable, as by a folder in its place: that is
 * a difference of this container, and does not end the call.
 */
async function insideDifferencesOf(
  context: HostContext,
  { user, instance }: Owned,
  signal: AbortSignal | undefined,
): Promise<Found[]> {
  const { name, config } = instance;
  const found: Found[] = [];
  try {
    const address = await addressDifference(context, { user, instance }, signal);
    if (address !== undefined) found.push({ kind: 'container-address', target: user, ...address });
    const path = containerKeysPath(user);
    const content = containerKeysText(decodeKeys(config[field.keys]));
    if ((await context.incus.pullFile(name, path, signal === undefined ? {} : { signal })) !== content)
      found.push({
        kind: 'container-keys-differ',
        target: user,
        detail: `${path} in the container differs`,
        fix: 'write the keys from Incus',
        repair: () => context.incus.pushFile({ instance: name, path, content, mode: '0644' }),
      });
  } catch (error) {
    if (!isFailure(error, 'program-failed', 'unexpected-output', 'timeout')) throw error;
    found.push({
      kind: 'container-keys-differ',
      target: user,
      detail: `files in the container cannot be read: ${error.what}: ${error.why}`,
      fix: null,
    });
  }
  return found;
}
