/**
 * `snapshot restore`: gives a container the files of a snapshot, and keeps those of now in another one.
 *
 * A snapshot of Incus has the configuration of its time too. That must not come back with the files: keys that were
 * removed since, smaller limits, a missing isolation. So the present configuration is written again, and the present
 * keys into the files, before the container starts.
 */
import { isDeepStrictEqual } from 'node:util';
import type { SnapshotRestored } from '../domain/results/snapshots.ts';
import { Failure } from '../domain/failure.ts';
import { parseSpan } from '../domain/values/duration.ts';
import { snapshotNamed, snapshotPrefixes } from '../domain/values/snapshotName.ts';
import type { Username } from '../domain/values/username.ts';
import type { IncusInstance } from '../host/incus/documents.ts';
import type { Running } from '../journal/operations.ts';
import { endConnectionsStep } from './instances/connections.ts';
import { rootDevice } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { forcedStop } from './instances/forcedStop.ts';
import { containerKeysPath, containerKeysText } from './instances/jumpAccount.ts';
import { decodeKeys, field } from './instances/metadata.ts';
import { inverse } from './instances/retirement.ts';
import { Stages } from './instances/stages.ts';
import { targetContainer } from './instances/target.ts';
import { noteUnlessReachable } from './instances/waiting.ts';
import { shiftsIds } from './isolation/config.ts';
import { becomesGeneration, generationName, type SnapshotPlace } from './snapshots/generations.ts';
import { heldContainer, makeSnapshot, timedName } from './snapshots.ts';

interface Restore {
  readonly user: Username;
  readonly instance: IncusInstance;
  readonly source: SnapshotPlace;
  /** The name of the snapshot of the files of now. */
  readonly before: string;
}

export async function restoreSnapshot(
  context: HostContext,
  { user: named, snapshot: wanted }: { readonly user?: Username | undefined; readonly snapshot: string },
  call: Call,
): Promise<SnapshotRestored> {
  const user = targetContainer('snapshot restore', named, call.actor);
  const { incus, steps } = context;
  const { result, instance } = await context.operations.run(
    { verb: 'snapshot restore', target: user, actor: call.actor, input: call.recorded, say: call.progress.note },
    async () => {
      const { instance, snapshots } = await heldContainer(context, user);
      const source = snapshotNamed(snapshots, wanted, user);
      const isInPlace = source.instance === instance.name && (await keepsNewer(context, instance));
      const before = timedName(context, snapshotPrefixes.restore, snapshots);
      return {
        restore: { user, instance, source, before },
        restoreIt: isInPlace ? restoreInPlace : restoreByReplacing,
      };
    },
    async (operation, { restore, restoreIt }) => {
      const { instance, source, before } = restore;
      const { name, status } = instance;
      const runs = status !== 'Stopped';
      const stages = new Stages(call.progress, runs ? 4 : 3);
      if (runs) await stages.stage('Stopping container', () => forcedStop(context, operation, instance));
      await stages.stage(`Keeping the present files: ${before}`, async () => {
        const keepMs = parseSpan(context.settings.snapshots.keepBeforeRestore);
        await makeSnapshot(context, operation, name, before, new Date(context.now().getTime() + keepMs));
      });
      await stages.stage(`Restoring ${source.name}`, () => restoreIt(context, operation, restore));
      const { ended, warning } = await endConnectionsStep(context, operation, user);
      if (warning !== undefined) call.progress.note(warning);
      if (runs)
        await stages.stage('Starting container', async () => {
          const restored = await incus.storedInstance(name);
          await operation.step(steps.startInstance, { instance: name, was: 'Stopped' }, () =>
            incus.start(name, { shiftsIds: restored !== undefined && shiftsIds(restored) }),
          );
        });
      const after = await incus.storedInstance(name);
      const result: SnapshotRestored = {
        user,
        container: name,
        restored: source.name,
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
  const restored = await incus.storedInstance(name);
  if (restored === undefined)
    throw new Failure('not-found', { what: `container "${name}"`, why: 'it disappeared while it was being restored' });
  // Keys that only the snapshot has are unset. What Incus itself keeps there belongs to the files and stays.
  const names = [...new Set([...Object.keys(present.config), ...Object.keys(restored.config)])].filter(isOurs);
  const different = names.filter((key) => (present.config[key] ?? '') !== (restored.config[key] ?? ''));
  const config = Object.fromEntries(different.map((key) => [key, present.config[key] ?? '']));
  const isSame = different.length === 0 && isDeepStrictEqual(restored.devices, present.devices);
  if (!isSame) await incus.patch(name, { config, devices: present.devices });
  const keys = decodeKeys(present.config[field.keys]);
  await incus.pushFile({
    instance: name,
    path: containerKeysPath(user),
    content: containerKeysText(keys),
    mode: '0644',
  });
}

/** Reports whether an admin or this system sets this key, and not Incus itself. */
function isOurs(key: string): boolean {
  return !key.startsWith('volatile.') && !key.startsWith('image.');
}

/** Whether the storage can return to an old snapshot and keep the newer ones. */
async function keepsNewer({ incus }: HostContext, instance: IncusInstance): Promise<boolean> {
  const pool = rootDevice(instance)?.device['pool'];
  return (await incus.pools()).find(({ name }) => name === pool)?.driver !== 'zfs';
}

/** Restores a stopped instance in its place. */
async function restoreInPlace(
  context: HostContext,
  operation: Running,
  { user, instance, source, before }: Restore,
): Promise<void> {
  const { incus, steps } = context;
  const { name } = instance;
  await operation.step(steps.restoreSnapshot, { instance: name, snapshot: source.name, before }, async () => {
    await incus.snapshots.restore(name, source.name);
    await writePresent(context, user, instance);
  });
}

/** Puts a new instance of the snapshot in the place of a stopped one, which stays as an earlier generation. */
async function restoreByReplacing(
  context: HostContext,
  operation: Running,
  { user, instance, source }: Restore,
): Promise<void> {
  const { incus, steps } = context;
  const { name } = instance;
  const earlier = generationName(user, context.now(), operation.id);
  await operation.step(steps.renameInstance, { instance: name, to: earlier }, () => incus.rename(name, earlier));
  const change = becomesGeneration(user, instance);
  const previous = JSON.stringify(inverse(change, instance));
  await operation.step(steps.patchInstance, { instance: earlier, previous }, () => incus.patch(earlier, change));
  const from = source.instance === name ? earlier : source.instance;
  await operation.step(steps.createInstance, { instance: name, operation: operation.id }, async () => {
    await incus.snapshots.copy(from, source.name, name, { [field.operation]: operation.id });
    await writePresent(context, user, { ...instance, config: { ...instance.config, [field.operation]: operation.id } });
  });
}
