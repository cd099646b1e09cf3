/**
 * `backup restore`: gives a user the container of a backup. The present one stays as an earlier generation with a
 * snapshot of its own, so that "snapshot restore" takes the restore back. One that is gone is made again
 * (backupRecreate.ts).
 *
 * As with snapshots, only the files come back: keys that were removed since, and limits that were changed since, stay
 * as they are now.
 */
import type { BackupRestored } from '../domain/results/backups.ts';
import { Failure } from '../domain/failure.ts';
import { parseSpan } from '../domain/values/duration.ts';
import { snapshotPrefixes } from '../domain/values/snapshotName.ts';
import { containerName, type Username } from '../domain/values/username.ts';
import type { IncusInstance } from '../host/incus/documents.ts';
import type { InstanceSpec } from '../host/incus/incus.ts';
import type { Running } from '../journal/operations.ts';
import { isGone, planRecreation, recreate } from './backupRecreate.ts';
import { replaceConfiguration } from './backups/imported.ts';
import { hostKeyConfig, importBackup, placeInstance, restoredName, type Restore } from './backups/importing.ts';
import { readyBackup, requirePool } from './backups/making.ts';
import { idOf, manifestOf, type BackupRequest } from './backups/shared.ts';
import { fixedAddress, writeFixedAddress } from './images/fixedAddress.ts';
import { endConnectionsStep } from './instances/connections.ts';
import { addressOf, rootDevice } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { forcedStop } from './instances/forcedStop.ts';
import { containerKeysPath, containerKeysText } from './instances/jumpAccount.ts';
import { decodeKeys, field } from './instances/metadata.ts';
import { findPlacement } from './instances/placement.ts';
import { Stages } from './instances/stages.ts';
import { noteUnlessReachable } from './instances/waiting.ts';
import { shiftsIds } from './isolation/config.ts';
import { becomesGeneration, generationName } from './snapshots/generations.ts';
import { heldContainer, makeSnapshot, timedName } from './snapshots.ts';

export async function restoreBackup(
  context: HostContext,
  { user, backup: wanted, identity }: BackupRequest,
  call: Call,
): Promise<BackupRestored> {
  const repository = await context.repository();
  const id = await idOf(repository, user, wanted, context.now());
  let release = (): void => undefined;
  try {
    const { result, instance } = await context.operations.run(
      { verb: 'backup restore', target: user, actor: call.actor, input: call.recorded, say: call.progress.note },
      async () => {
        const manifest = await manifestOf(repository, user, id);
        const readied = await readyBackup(context, repository, manifest, identity);
        const restore: Restore = { user, ...readied, placement: await findPlacement(context) };
        if (!(await isGone(context, user))) return planReplacing(context, restore, call);
        await requirePool(context, restore.placement, restore);
        const promised = await planRecreation(context, restore);
        release = () => promised.release();
        return async (operation: Running): Promise<Outcome> => {
          const instance = await recreate(context, operation, restore, promised.address, call);
          return outcome(operation, restore, instance, { before: null, connectionsEnded: false });
        };
      },
      (operation, act) => act(operation),
    );
    if (result.status === 'running' && instance !== undefined) await noteUnlessReachable(context, instance, call);
    return result;
  } finally {
    release();
  }
}

interface Outcome {
  readonly result: BackupRestored;
  readonly instance: IncusInstance | undefined;
}

function outcome(
  operation: Running,
  { user, manifest: { id } }: Restore,
  instance: IncusInstance | undefined,
  more: Pick<BackupRestored, 'before' | 'connectionsEnded'>,
): Outcome {
  const status = instance?.status.toLowerCase() ?? 'unknown';
  return { result: { user, container: containerName(user), id, ...more, status, operation: operation.id }, instance };
}

/** Checks that the present container can be replaced, and returns what does it. */
async function planReplacing(
  context: HostContext,
  { placement, ...rest }: Restore,
  call: Call,
): Promise<(operation: Running) => Promise<Outcome>> {
  const { instance, snapshots } = await heldContainer(context, rest.user, { stored: false });
  const pool = rootDevice(instance)?.device['pool'] ?? placement.pool;
  const restore: Restore = { ...rest, placement: { ...placement, pool } };
  await requirePool(context, restore.placement, restore);
  const before = timedName(context, snapshotPrefixes.restore, snapshots);
  return (operation) => replace(context, operation, restore, { instance, before }, call);
}

async function replace(
  context: HostContext,
  operation: Running,
  restore: Restore,
  { instance, before }: { readonly instance: IncusInstance; readonly before: string },
  call: Call,
): Promise<Outcome> {
  const { user } = restore;
  const { name, status } = instance;
  const runs = status !== 'Stopped';
  const stages = new Stages(call.progress, runs ? 5 : 3);
  const made = restoredName(operation);
  await stages.stage('Making a container of the backup', () => importBackup(context, operation, restore));
  if (runs) await stages.stage('Stopping container', () => forcedStop(context, operation, instance));
  await stages.stage(`Keeping the present container: ${before}`, async () => {
    const keepMs = parseSpan(context.settings.snapshots.keepBeforeRestore);
    await makeSnapshot(context, operation, name, before, new Date(context.now().getTime() + keepMs));
    await setAside(context, operation, user, instance);
  });
  await stages.stage('Putting the restored container in its place', async () => {
    await dress(context, operation, made, instance);
    await placeInstance(context, operation, user);
    await fill(context, operation, restore, instance);
  });
  const { ended, warning } = await endConnectionsStep(context, operation, user);
  if (warning !== undefined) call.progress.note(warning);
  if (runs) await stages.stage('Starting container', () => start(context, operation, name));
  return outcome(operation, restore, await context.incus.storedInstance(name), { before, connectionsEnded: ended });
}

/** Renames the present instance, which becomes an earlier generation of the container. */
async function setAside(
  { incus, steps, now }: HostContext,
  operation: Running,
  user: Username,
  instance: IncusInstance,
): Promise<void> {
  const { name } = instance;
  const earlier = generationName(user, now(), operation.id);
  await operation.step(steps.renameInstance, { instance: name, to: earlier }, () => incus.rename(name, earlier));
  const change = becomesGeneration(user, instance);
  const previous = {
    config: Object.fromEntries(Object.keys(change.config).map((key) => [key, instance.config[key] ?? ''])),
    devices: Object.fromEntries(Object.keys(change.devices).map((key) => [key, instance.devices[key] ?? {}])),
  };
  await operation.step(steps.patchInstance, { instance: earlier, previous: JSON.stringify(previous) }, () =>
    incus.patch(earlier, change),
  );
}

/** Gives the restored instance the configuration and the devices of the present one. */
async function dress(
  context: HostContext,
  operation: Running,
  made: string,
  { config, devices }: IncusInstance,
): Promise<void> {
  const spec: InstanceSpec = {
    config: {
      ...Object.fromEntries(
        Object.entries(config).filter(([key]) => !key.startsWith('volatile.') && !key.startsWith('image.')),
      ),
      [field.operation]: operation.id,
    },
    devices,
  };
  // While the undo puts the present instance back, no other may have its address.
  const nics = Object.keys(devices).filter((name) => devices[name]?.['type'] === 'nic');
  const previous = { devices: Object.fromEntries(nics.map((name) => [name, { type: 'none' }])) };
  await operation.step(
    context.steps.patchInstance,
    { instance: made, previous: JSON.stringify(previous) },
    async () => {
      await replaceConfiguration(context, made, spec);
    },
  );
}

/** Writes the present keys and the present address into the restored instance, and notes its host key. */
async function fill(
  context: HostContext,
  operation: Running,
  { user, manifest, placement }: Restore,
  present: IncusInstance,
): Promise<void> {
  const { incus, steps } = context;
  const { name } = present;
  await operation.step(steps.seedInstance, { instance: name }, async () => {
    const address = addressOf(present);
    const written = address === null ? undefined : fixedAddress({ ...placement, address });
    const config = {
      ...(await hostKeyConfig(context, name)),
      ...(written === undefined ? {} : { [field.address]: written }),
    };
    if (Object.keys(config).length > 0) await incus.patch(name, { config });
    if (address !== null && manifest.config[field.address] !== written)
      await writeFixedAddress(incus, name, { ...placement, address }, { withFiles: true });
    const content = containerKeysText(decodeKeys(present.config[field.keys]));
    await incus.pushFile({ instance: name, path: containerKeysPath(user), content, mode: '0644' });
  });
}

async function start({ incus, steps }: HostContext, operation: Running, name: string): Promise<void> {
  const restored = await incus.storedInstance(name);
  if (restored === undefined)
    throw new Failure('not-found', { what: `container "${name}"`, why: 'it disappeared while it was being restored' });
  await operation.step(steps.startInstance, { instance: name, was: 'Stopped' }, () =>
    incus.start(name, { shiftsIds: shiftsIds(restored) }),
  );
}
