/** `backup rebuild`: makes every container again that has a backup and is gone, as on a new host. */
import type { AgeIdentity } from '../domain/values/age.ts';
import type { HostRebuilt } from '../domain/results/backups.ts';
import { Failure } from '../domain/failure.ts';
import { containerName, ownerOf, type Username } from '../domain/values/username.ts';
import { restoreBackup } from './backupRestore.ts';
import { pickNewest } from './backups/shared.ts';
import type { Call, HostContext } from './instances/context.ts';

export async function rebuildHost(
  context: HostContext,
  { identity }: { readonly identity?: AgeIdentity | undefined },
  call: Call,
): Promise<HostRebuilt> {
  const repository = await context.repository();
  const [backups, instances] = await Promise.all([repository.list(), context.incus.instances()]);
  const newest = pickNewest(backups);
  const present = new Set(instances.map(({ name }) => name));
  const result = { restored: [] as string[], present: [] as string[], failed: [] as HostRebuilt['failed'][number][] };
  for (const [container, id] of [...newest].sort()) {
    const user = ownerOf(container);
    if (user === undefined) continue;
    if (present.has(containerName(user))) result.present.push(user);
    else await restoreOne(context, { user, backup: id, identity }, call, result);
  }
  // A backup that cannot be read may be all that is left of a container.
  for (const { container, trouble } of backups) {
    const user = ownerOf(container);
    if (user !== undefined && trouble !== undefined && !newest.has(container) && !present.has(container))
      result.failed.push({ user, code: 'backup-damaged', why: trouble });
  }
  return result;
}

async function restoreOne(
  context: HostContext,
  request: { readonly user: Username; readonly backup: string; readonly identity: AgeIdentity | undefined },
  call: Call,
  result: { readonly restored: string[]; readonly failed: HostRebuilt['failed'][number][] },
): Promise<void> {
  const { user, backup } = request;
  call.progress.note(`${user}: backup ${backup}`);
  try {
    await restoreBackup(context, request, { ...call, recorded: { user, backup } });
    result.restored.push(user);
  } catch (error) {
    const { code, what, why } = Failure.from(error);
    result.failed.push({ user, code, why: `${what}: ${why}` });
  }
}
