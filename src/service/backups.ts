/** `backup create`, `list` and `delete`. At self@ one can list those of one's own container. */
import type { BackupCreated, BackupDeleted, BackupList } from '../domain/results/backups.ts';
import { within } from '../domain/cancellation.ts';
import { Failure } from '../domain/failure.ts';
import { backupIdOf } from '../domain/values/backupId.ts';
import { formatHuman, parseIncusSize } from '../domain/values/size.ts';
import { containerName, userOf, type Username } from '../domain/values/username.ts';
import type { IncusInstance } from '../host/incus/documents.ts';
import type { Running } from '../journal/operations.ts';
import { verifiedAt, type Manifest } from '../repository/manifest.ts';
import { pruneList } from '../repository/retention.ts';
import type { About, Repository } from '../repository/repository.ts';
import { changeableInstanceOf, rootDevice } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { Stages } from './instances/stages.ts';
import { targetContainer } from './instances/target.ts';
import { requireUnneeded } from './backups/bases.ts';
import { datasetOf } from './backups/datasets.ts';
import { planSending, sendBackup } from './backups/sending.ts';
import { backupTarget, keptConfig, noBackup, toBackup } from './backups/shared.ts';

/** Incus deletes an export by itself after this time, in milliseconds, in case this server does not. */
const exportExpiryMs = 48 * 3_600_000;

export async function listBackups(
  context: HostContext,
  { user: named }: { readonly user?: Username | undefined },
  { actor, signal }: Call,
): Promise<BackupList> {
  const user = actor.entryPoint === 'self' ? targetContainer('backup list', named, actor) : named;
  const repository = await context.repository();
  const found = await repository.list(user === undefined ? undefined : containerName(user), signal);
  return {
    user: user ?? null,
    backups: found.map(({ id, container, manifest, trouble, verification, stores }) => ({
      id,
      user: userOf(container),
      container,
      backup: manifest === undefined ? null : toBackup(manifest, verification),
      trouble: trouble ?? null,
      stores,
    })),
  };
}

export async function createBackup(
  context: HostContext,
  { user }: { readonly user: Username },
  call: Call,
): Promise<BackupCreated> {
  const { incus, now } = context;
  return context.operations.run(
    { verb: 'backup create', target: user, actor: call.actor, input: call.recorded, say: call.progress.note },
    async () => {
      const instance = await changeableInstanceOf(context, user, { own: true });
      const repository = await context.repository();
      const dataset = await sentDataset(context, instance);
      const sending =
        dataset === undefined
          ? undefined
          : await planSending(context, repository, { user, container: instance.name, dataset });
      if (sending === undefined) await requireRoom(context, repository, instance);
      const { environment } = await incus.server();
      return { instance, repository, sending, incusVersion: environment.server_version };
    },
    async (operation, { instance, repository, sending, incusVersion }) => {
      const { name } = instance;
      const stages = new Stages(call.progress, 2);
      await sweep(context, repository);
      const createdAt = now();
      const about: About = {
        id: backupIdOf(createdAt, operation.id),
        user,
        container: name,
        createdAt: createdAt.toISOString(),
        createdBy: call.actor.name,
        incusVersion,
        config: keptConfig(instance),
        devices: instance.devices,
      };
      const idmap = instance.config['volatile.last_state.idmap'] ?? null;
      const manifest =
        sending === undefined
          ? await exportBackup(context, operation, repository, about, stages)
          : await sendBackup(context, operation, repository, sending, { ...about, idmap }, stages);
      if (manifest === undefined) throw new Error('a stored backup without a manifest');
      context.backupAges.note(name, manifest.createdAt);
      return { user, container: name, backup: toBackup(manifest, undefined), operation: operation.id };
    },
  );
}

/** Returns the dataset that `zfs send` can send; undefined if Incus has to export the container. */
async function sentDataset(context: HostContext, instance: IncusInstance): Promise<string | undefined> {
  const pool = rootDevice(instance)?.device['pool'];
  if (pool === undefined || context.settings.backups.fullEvery === 0) return undefined;
  return datasetOf(context, instance.name, pool);
}

/** Has Incus export the container, and stores that. */
async function exportBackup(
  context: HostContext,
  operation: Running,
  repository: Repository,
  about: About,
  stages: Stages,
): Promise<Manifest | undefined> {
  const { incus, steps, settings } = context;
  const { container: instance, createdAt } = about;
  const backup = `containarium-${operation.id.toLowerCase()}`;
  const expiresAt = new Date(Date.parse(createdAt) + exportExpiryMs);
  await stages.stage('Exporting container', () =>
    operation.step(steps.exportInstance, { instance, backup }, () =>
      incus.backups.create(instance, backup, expiresAt, settings.backups.limitMs),
    ),
  );
  let manifest: Manifest | undefined;
  await stages.stage('Storing backup', async () => {
    manifest = await storeExport(context, operation, repository, about, backup);
  });
  return manifest;
}

/** Reads an export from Incus and stores it, as a step of an operation. */
async function storeExport(
  { streams, steps, settings, now }: HostContext,
  operation: Running,
  repository: Repository,
  about: About,
  backup: string,
): Promise<Manifest | undefined> {
  const { container, id } = about;
  return operation.step(steps.storeBackup, { container, id }, async () => {
    const source = await streams.readBackup(container, backup);
    const signal = within(settings.backups.limitMs);
    return repository.write(about, source, { now, signal });
  });
}

/** Refuses a backup for which there is no room, where Incus writes the export or where it is stored. */
async function requireRoom({ streams }: HostContext, repository: Repository, instance: IncusInstance): Promise<void> {
  const { name } = instance;
  const usedBytes = mayUse(instance);
  const [exportBytes, storeBytes] = await Promise.all([streams.freeForBackups(), repository.freeBytes()]);
  // The archive is compressed, as the files may be in their pool.
  const refuse = (where: string, free: number, needed: number, next: string): Failure =>
    new Failure('no-space', {
      what: `a backup of container "${name}"`,
      why: `${where} has ${formatHuman(free)} free, and it may take ${formatHuman(needed)}`,
      next,
    });
  if (exportBytes !== undefined && exportBytes < usedBytes)
    throw refuse('the disk of Incus', exportBytes, usedBytes, 'free space on the host');
  if (storeBytes !== undefined && storeBytes < usedBytes)
    throw refuse(
      'the folder for backups',
      storeBytes,
      usedBytes,
      'free space there: "backup list" shows what could be deleted',
    );
}

/**
 * Returns how many bytes the files of an instance may have. Where Incus does not tell, its root may have seen to that,
 * so it is as many as its quota allows. Without a quota nothing is known.
 */
function mayUse(instance: IncusInstance): number {
  const used = instance.state?.disk?.['root']?.usage ?? -1;
  return used >= 0 ? used : (parseIncusSize(rootDevice(instance)?.device['size'] ?? '') ?? 0);
}

/** Deletes what interrupted calls have left. Never rejects: that is no reason to make no backup. */
async function sweep({ log, now }: HostContext, repository: Repository): Promise<void> {
  await repository.sweep(now()).catch((error: unknown) => {
    log.warn({ failure: Failure.from(error).toData() }, 'what interrupted backups have left could not be deleted');
  });
}

/** Deletes a backup, also one that cannot be read. */
export async function deleteBackup(
  context: HostContext,
  { user, backup: id }: { readonly user: Username; readonly backup: string },
  call: Call,
): Promise<BackupDeleted> {
  const container = containerName(user);
  const name = { container, id };
  const { result, repository } = await context.operations.run(
    { verb: 'backup delete', target: backupTarget(user, id), actor: call.actor, input: call.recorded },
    async () => {
      const repository = await context.repository();
      const kept = await repository.list(container);
      const found = kept.find((each) => each.id === id);
      if (found === undefined) throw noBackup(user, id);
      requireUnneeded(context, user, id, kept);
      return { found, repository };
    },
    async (operation, { found, repository }) => {
      await operation.step(context.steps.deleteBackup, name, () => repository.forget(name));
      const freedBytes = found.manifest === undefined ? 0 : toBackup(found.manifest, undefined).storedBytes;
      return { result: { user, container, id, freedBytes, operation: operation.id }, repository };
    },
  );
  // From here on it is no backup. What is left is swept by the next one.
  await repository.clear(name).catch((error: unknown) => {
    const { what, why } = Failure.from(error);
    call.progress.note(`Some of it is left, and is deleted with the next backup: ${what}: ${why}`);
  });
  return result;
}

/**
 * Deletes the backups of a container that the settings do not keep (`backups.keep`), the oldest first, but none on
 * which one builds that is kept. One that cannot be read is left to a person.
 */
export async function pruneBackups(context: HostContext, user: Username, call: Call): Promise<BackupDeleted[]> {
  const repository = await context.repository();
  const backups = (await repository.list(containerName(user))).flatMap(({ id, manifest, verification }) =>
    manifest === undefined
      ? []
      : [
          {
            id,
            base: manifest.version === 2 ? manifest.base : null,
            createdAt: new Date(manifest.createdAt),
            verifiedAt: dateOf(verifiedAt(verification)),
          },
        ],
  );
  const deleted: BackupDeleted[] = [];
  for (const { id } of pruneList(backups, context.settings.backups.keep, context.now()))
    deleted.push(await deleteBackup(context, { user, backup: id }, { ...call, recorded: { user, backup: id } }));
  return deleted;
}

function dateOf(time: string | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}
