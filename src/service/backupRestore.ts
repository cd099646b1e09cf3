/**
 * `backup restore`: gives a user the container of a backup. The present one stays as an earlier generation with a
 * snapshot of its own, so that "snapshot restore" takes the restore back.
 *
 * As with snapshots, only the files come back: keys that were removed since, and limits that were changed since, stay
 * as they are now.
 */
import type { AgeIdentity } from '../domain/values/age.ts';
import type { BackupRestored } from '../domain/results/backups.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import { parseSpan } from '../domain/values/duration.ts';
import { snapshotPrefixes } from '../domain/values/snapshotName.ts';
import type { Username } from '../domain/values/username.ts';
import type { IncusInstance } from '../host/incus/documents.ts';
import type { InstanceSpec } from '../host/incus/incus.ts';
import type { Running } from '../journal/operations.ts';
import type { Manifest } from '../repository/manifest.ts';
import type { Repository } from '../repository/repository.ts';
import { replaceConfiguration } from './backups/imported.ts';
import { idOf, manifestOf } from './backups/shared.ts';
import { requirePoolRoom } from './backups/verify.ts';
import { fixedAddress, writeFixedAddress } from './images/fixedAddress.ts';
import { endConnectionsStep } from './instances/connections.ts';
import { addressOf, rootDevice } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { forcedStop } from './instances/forcedStop.ts';
import { containerKeysPath, containerKeysText } from './instances/jumpAccount.ts';
import { decodeKeys, field } from './instances/metadata.ts';
import { findPlacement, type Placement } from './instances/placement.ts';
import { Stages } from './instances/stages.ts';
import { noteUnlessReachable } from './instances/waiting.ts';
import { isolationConfig, shiftsIds } from './isolation/config.ts';
import { becomesGeneration, generationName } from './snapshots/generations.ts';
import { heldContainer, makeSnapshot, timedName } from './snapshots.ts';

/** The beginning of the name that a restored container has until it takes its place. */
const restoredPrefix = 'containarium-restore-';

/** Where the first boot keeps the host key of a container. */
const hostKeyPath = '/etc/ssh/ssh_host_ed25519_key.pub';

interface Restore {
  readonly user: Username;
  readonly repository: Repository;
  readonly manifest: Manifest;
  readonly identity: AgeIdentity | undefined;
  readonly placement: Placement;
}

export async function restoreBackup(
  context: HostContext,
  {
    user,
    backup: wanted,
    identity,
  }: { readonly user: Username; readonly backup: string; readonly identity?: AgeIdentity | undefined },
  call: Call,
): Promise<BackupRestored> {
  const repository = await context.repository();
  const id = await idOf(repository, user, wanted);
  const { result, instance } = await context.operations.run(
    { verb: 'backup restore', target: user, actor: call.actor, input: call.recorded },
    async () => {
      const { instance, snapshots } = await heldContainer(context, user);
      const manifest = await manifestOf(repository, user, id);
      const placement = await findPlacement(context);
      const pool = rootDevice(instance)?.device['pool'] ?? placement.pool;
      const restore: Restore = { user, repository, manifest, identity, placement: { ...placement, pool } };
      await requirePoolRoom(context, restore.placement, manifest);
      return { restore, instance, before: timedName(context, snapshotPrefixes.restore, snapshots) };
    },
    async (operation, { restore, instance, before }) => {
      const { name, status } = instance;
      const runs = status !== 'Stopped';
      const stages = new Stages(call.progress, runs ? 5 : 3);
      const made = `${restoredPrefix}${operation.id.toLowerCase()}`;
      await stages.stage('Making a container of the backup', () => importBackup(context, operation, restore, made));
      if (runs) await stages.stage('Stopping container', () => forcedStop(context, operation, instance));
      await stages.stage(`Keeping the present container: ${before}`, async () => {
        const keepMs = parseSpan(context.settings.snapshots.keepBeforeRestore);
        await makeSnapshot(context, operation, name, before, new Date(context.now().getTime() + keepMs));
        await setAside(context, operation, user, instance);
      });
      await stages.stage('Putting the restored container in its place', async () => {
        await dress(context, operation, restore, made, instance);
        await operation.step(context.steps.renameInstance, { instance: made, to: name }, () =>
          context.incus.rename(made, name),
        );
      });
      const { ended, warning } = await endConnectionsStep(context, operation, user);
      if (warning !== undefined) call.progress.note(warning);
      if (runs) await stages.stage('Starting container', () => start(context, operation, name));
      const after = await context.incus.instance(name);
      const result: BackupRestored = {
        user,
        container: name,
        id,
        before,
        status: after?.status.toLowerCase() ?? 'unknown',
        connectionsEnded: ended,
        operation: operation.id,
      };
      return { result, instance: after ?? instance };
    },
  );
  if (result.status === 'running') await noteUnlessReachable(context, instance, call);
  return result;
}

/** Makes a stopped instance of the backup, under a name of its own and without a network. */
async function importBackup(
  context: HostContext,
  operation: Running,
  { repository, manifest, identity, placement: { pool } }: Restore,
  made: string,
): Promise<void> {
  const { settings, steps, streams } = context;
  await operation.step(steps.importBackup, { instance: made, operation: operation.id }, async () => {
    const source = await repository.data(manifest, identity);
    await streams.createFromBackup({ name: made, pool, source, timeoutMs: settings.backups.limitMs });
    await replaceConfiguration(context, made, {
      config: {
        ...isolationConfig(settings.defaults.processes),
        'boot.autostart': 'false',
        [field.operation]: operation.id,
      },
      devices: { root: { type: 'disk', path: '/', pool } },
    });
  });
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

/** Gives the restored instance the configuration, the keys and the address of the present one. */
async function dress(
  context: HostContext,
  operation: Running,
  { user, manifest, placement }: Restore,
  made: string,
  present: IncusInstance,
): Promise<void> {
  const { incus, steps } = context;
  const address = addressOf(present);
  const written = address === null ? undefined : fixedAddress({ ...placement, address });
  const hostKey = (await readHostKey(context, made)) ?? present.config[field.hostKey];
  const config = Object.fromEntries(
    Object.entries(present.config).filter(([key]) => !key.startsWith('volatile.') && !key.startsWith('image.')),
  );
  const spec: InstanceSpec = {
    config: {
      ...config,
      [field.operation]: operation.id,
      ...(hostKey === undefined ? {} : { [field.hostKey]: hostKey }),
      ...(written === undefined ? {} : { [field.address]: written }),
    },
    devices: present.devices,
  };
  // While the undo puts the present instance back, no other may have its address.
  const nics = Object.keys(present.devices).filter((name) => present.devices[name]?.['type'] === 'nic');
  const previous = { devices: Object.fromEntries(nics.map((name) => [name, { type: 'none' }])) };
  await operation.step(steps.patchInstance, { instance: made, previous: JSON.stringify(previous) }, async () => {
    await replaceConfiguration(context, made, spec);
    if (address !== null && manifest.config[field.address] !== written)
      await writeFixedAddress(incus, made, { ...placement, address }, { withFiles: true });
    const content = containerKeysText(decodeKeys(present.config[field.keys]));
    await incus.pushFile({ instance: made, path: containerKeysPath(user), content, mode: '0644' });
  });
}

/** Returns the host key that the sshd of the restored container will have; undefined if there is none to read. */
async function readHostKey({ incus }: HostContext, instance: string): Promise<string | undefined> {
  const text = await incus.pullFile(instance, hostKeyPath, { maxBytes: 4096 }).catch((error: unknown) => {
    // The container's root decides what is there.
    if (isFailure(error, 'unexpected-output', 'program-failed')) return undefined;
    throw error;
  });
  return /^ssh-ed25519 [A-Za-z0-9+/]{60,80}={0,2}/.exec(text ?? '')?.[0];
}

async function start({ incus, steps }: HostContext, operation: Running, name: string): Promise<void> {
  const restored = await incus.instance(name);
  if (restored === undefined)
    throw new Failure('not-found', { what: `container "${name}"`, why: 'it disappeared while it was being restored' });
  await operation.step(steps.startInstance, { instance: name, was: 'Stopped' }, () =>
    incus.start(name, { shiftsIds: shiftsIds(restored) }),
  );
}
