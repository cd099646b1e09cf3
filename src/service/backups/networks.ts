/** Incus imports an instance only if the networks of its interfaces exist, even if it gets other interfaces at once. */
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import type { Manifest } from '../../repository/manifest.ts';
import type { HostContext } from '../instances/context.ts';

/** Refuses a backup of a container whose network this host lacks. */
export async function requireNetworks(
  { incus }: Pick<HostContext, 'incus'>,
  { id, container, devices }: Manifest,
): Promise<void> {
  const known = new Set((await incus.networks()).map(({ name }) => name));
  const missing = Object.values(devices)
    .flatMap(({ network }) => network ?? [])
    .find((network) => !known.has(network));
  if (missing === undefined) return;
  throw new Failure('settings', {
    what: `backup ${id} of ${container}`,
    why: `its network was ${quoted(missing)}, and Incus on this host has none of that name`,
    next: `make one for the time of the restore: incus network create ${/^[A-Za-z0-9-]{1,15}$/.test(missing) ? missing : '<name>'}`,
  });
}
