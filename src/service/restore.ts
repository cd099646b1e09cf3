/**
 * `snapshot restore`: gives a container the files of a snapshot, and keeps those of now in another one.
 *
 * A snapshot of Incus has the configuration of its time too. That must not come back with the files: keys that were
 * removed since, smaller limits, a missing isolation. So the present configuration is written again, and the present
 * keys into the files, before the container starts.
 */
import type { SnapshotRestored } from '../domain/results/snapshots.ts';
import { Failure } from '../domain/failure.ts';
import { parseSpan } from '../domain/values/duration.ts';
import { snapshotPrefixes } from '../domain/values/snapshotName.ts';
import type { Username } from '../domain/values/username.ts';
import type { IncusInstance } from '../host/incus/documents.ts';
import { isAlready } from '../host/incus/incus.ts';
import { endConnectionsStep } from './instances/connections.ts';
import type { Call, HostContext } from './instances/context.ts';
import { containerKeysPath, containerKeysText } from './instances/jumpAccount.ts';
import { decodeKeys, field } from './instances/metadata.ts';
import { Stages } from './instances/stages.ts';
import { targetContainer } from './instances/target.ts';
import { noteUnlessReachable } from './instances/waiting.ts';
import { shiftsIds } from './isolation/config.ts';
import { found, heldContainer, makeSnapshot, timedName } from './snapshots.ts';

export async function restoreSnapshot(
  context: HostContext,
  { user: named, snapshot: wanted }: { readonly user?: Username | undefined; readonly snapshot: string },
  call: Call,
): Promise<SnapshotRestored> {
  const user = targetContainer('snapshot restore', named, call.actor);
  const { incus, steps } = context;
  const { result, instance } = await context.operations.run(
    { verb: 'snapshot restore', target: user, actor: call.actor, input: call.recorded },
    async () => {
      const { instance, snapshots } = await heldContainer(context, user);
      const { name: snapshot } = found(snapshots, wanted, user);
      await refuseWhereHistoryIsLinear(context, instance, snapshot);
      return { instance, snapshot, before: timedName(context, snapshotPrefixes.restore, snapshots) };
    },
    async (operation, { instance, snapshot, before }) => {
      const { name, status } = instance;
      const runs = status !== 'Stopped';
      const stages = new Stages(call.progress, runs ? 4 : 3);
      if (runs)
        await stages.stage('Stopping container', async () => {
          await operation.step(steps.stopInstance, { instance: name, was: status }, () =>
            incus.stop(name, { force: true }).catch((error: unknown) => {
              if (!isAlready('stopped', error)) throw error;
            }),
          );
        });
      await stages.stage(`Keeping the present files: ${before}`, async () => {
        const keepMs = parseSpan(context.settings.snapshots.keepBeforeRestore);
        await makeSnapshot(context, operation, name, before, new Date(context.now().getTime() + keepMs));
      });
      await stages.stage(`Restoring ${snapshot}`, async () => {
        await operation.step(steps.restoreSnapshot, { instance: name, snapshot, before }, async () => {
          await incus.snapshots.restore(name, snapshot);
          await writePresent(context, user, instance);
        });
      });
      const { ended, warning } = await endConnectionsStep(context, operation, user);
      if (warning !== undefined) call.progress.note(warning);
      if (runs)
        await stages.stage('Starting container', async () => {
          const restored = await incus.instance(name);
          await operation.step(steps.startInstance, { instance: name, was: 'Stopped' }, () =>
            incus.start(name, { shiftsIds: restored !== undefined && shiftsIds(restored) }),
          );
        });
      const after = await incus.instance(name);
      const result: SnapshotRestored = {
        user,
        container: name,
        restored: snapshot,
        before,
        status: after?.status.toLowerCase() ?? 'unknown',
        connectionsEnded: ended,
        operation: operation.id,
      };
      return { result, instance };
    },
  );
  if (result.status === 'running') await noteUnlessReachable(context, instance, call);
  return result;
}

/** Writes the present configuration over that of the snapshot, and the present keys over its own. */
async function writePresent({ incus }: HostContext, user: Username, present: IncusInstance): Promise<void> {
  const { name } = present;
  const restored = await incus.instance(name);
  if (restored === undefined)
    throw new Failure('not-found', { what: `container "${name}"`, why: 'it disappeared while it was being restored' });
  // Keys that only the snapshot has are unset. What Incus itself keeps there belongs to the files and stays.
  const names = [...new Set([...Object.keys(present.config), ...Object.keys(restored.config)])].filter(isOurs);
  const config = Object.fromEntries(names.map((key) => [key, present.config[key] ?? '']));
  await incus.patch(name, { config, devices: present.devices });
  const keys = decodeKeys(present.config[field.keys]);
  await incus.pushFile({
    instance: name,
    path: containerKeysPath(user),
    content: containerKeysText(keys),
    mode: '0644',
  });
}

/** Reports whether a key of the configuration is a choice of somebody, and not a record of Incus. */
function isOurs(key: string): boolean {
  return !key.startsWith('volatile.') && !key.startsWith('image.');
}

/**
 * ZFS returns to its newest snapshot only (zfs-rollback(8)), and the snapshot of the present files is always newer.
 * Throws `wrong-state`.
 */
async function refuseWhereHistoryIsLinear(
  { incus }: HostContext,
  { devices, expanded_devices: expanded, name }: IncusInstance,
  snapshot: string,
): Promise<void> {
  const disks = Object.values({ ...expanded, ...devices });
  const pool = disks.find((device) => device['type'] === 'disk' && device['path'] === '/')?.['pool'];
  const driver = (await incus.pools()).find((candidate) => candidate.name === pool)?.driver;
  if (driver !== 'zfs') return;
  throw new Failure('wrong-state', {
    what: `snapshot "${snapshot}"`,
    why: 'on ZFS a restore would delete every newer snapshot, so it is not done here yet',
    next: `on the host, "incus copy ${name}/${snapshot} rescue" makes a container of it`,
  });
}
