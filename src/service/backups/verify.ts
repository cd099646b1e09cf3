/**
 * `backup verify`: makes a container of a backup, boots it without a network, compares its files with the list of the
 * backup, and deletes it again, however that ends.
 */
import type { BackupVerified } from '../../domain/results/backups.ts';
import { Failure } from '../../domain/failure.ts';
import { formatExact, formatHuman } from '../../domain/values/size.ts';
import { containerName } from '../../domain/values/username.ts';
import type { InstanceSpec } from '../../host/incus/incus.ts';
import type { Manifest } from '../../repository/manifest.ts';
import type { FileEntry } from '../../repository/fileList.ts';
import type { Call, HostContext } from '../instances/context.ts';
import { field } from '../instances/metadata.ts';
import { findPlacement, type Placement } from '../instances/placement.ts';
import { Stages } from '../instances/stages.ts';
import { waitFor } from '../instances/waiting.ts';
import { isolationConfig, shiftsIds } from '../isolation/config.ts';
import { compareFiles, isBooted, requireSame, sampled, type Comparison } from './compare.ts';
import { replaceConfiguration, rootFor } from './imported.ts';
import { requireNetworks } from './networks.ts';
import { backupTarget, idOf, manifestOf, type BackupRequest } from './shared.ts';

/** The beginning of the names of containers that are made to be deleted again. */
const throwawayPrefix = 'containarium-verify-';

export async function verifyBackup(
  context: HostContext,
  { user, backup: wanted, identity }: BackupRequest,
  call: Call,
): Promise<BackupVerified> {
  const { streams, steps, settings, now } = context;
  const repository = await context.repository();
  const id = await idOf(repository, user, wanted);
  const container = containerName(user);
  return context.operations.run(
    { verb: 'backup verify', target: backupTarget(user, id), actor: call.actor, input: call.recorded },
    async () => {
      const manifest = await manifestOf(repository, user, id);
      repository.requireIdentity(manifest, identity);
      const placement = await findPlacement(context);
      await requirePoolRoom(context, placement, manifest);
      await requireNetworks(context, manifest);
      return { manifest, placement };
    },
    async (operation, { manifest, placement }) => {
      const instance = `${throwawayPrefix}${operation.id.toLowerCase()}`;
      const stages = new Stages(call.progress, 4);
      let files: readonly FileEntry[] = [];
      let comparison: Comparison = { compared: 0, changedByBoot: 0, different: [] };
      await stages.stage('Reading the list of files', async () => {
        files = await sampled(repository.files(manifest, identity));
      });
      await operation.step(steps.makeThrowaway, { instance, operation: operation.id }, async () => {
        await stages.stage('Restoring into a throwaway container', async () => {
          const source = await repository.data(manifest, identity);
          const timeoutMs = settings.backups.limitMs;
          await streams.createFromBackup({ name: instance, pool: placement.pool, source, timeoutMs });
        });
        await stages.stage('Booting it', () =>
          boot(context, instance, throwawaySpec(context, manifest, placement, operation.id)),
        );
        await stages.stage('Comparing files', async () => {
          const { started_at: startedAt } = await context.incus.state(instance);
          comparison = await compareFiles(context, instance, files, new Date(startedAt ?? 0));
          return `${comparison.compared}`;
        });
      });
      requireSame(`backup ${id} of ${container}`, comparison);
      const { compared, changedByBoot } = comparison;
      const verifiedAt = now().toISOString();
      await repository.recordVerification({ container, id }, { verifiedAt, compared, changedByBoot });
      return { user, container, id, verifiedAt, compared, changedByBoot, operation: operation.id };
    },
  );
}

/** Returns the configuration of a throwaway: isolated and limited as a new container, and without a network. */
function throwawaySpec(
  { settings: { defaults } }: HostContext,
  manifest: Manifest,
  { pool, quotas }: Placement,
  operation: string,
): InstanceSpec {
  return {
    config: {
      ...isolationConfig(defaults.processes),
      'limits.cpu': String(defaults.cpu),
      'limits.memory': formatExact(defaults.memory),
      'boot.autostart': 'false',
      [field.operation]: operation,
    },
    devices: rootFor(manifest, pool, quotas),
  };
}

async function boot(context: HostContext, instance: string, spec: InstanceSpec): Promise<void> {
  const replaced = await replaceConfiguration(context, instance, spec);
  await context.incus.start(instance, { shiftsIds: shiftsIds(replaced) });
  await waitFor(
    'the restored container',
    context.settings.timeouts.readyMs,
    async () => ((await isBooted(context, instance)) ? true : undefined),
    () => 'it did not finish its boot',
  );
}

/** Refuses a restore for which the pool has no room. */
export async function requirePoolRoom(
  { incus }: Pick<HostContext, 'incus'>,
  { pool }: Placement,
  { id, data }: Manifest,
): Promise<void> {
  const { usedBytes, totalBytes } = await incus.poolSpace(pool);
  const freeBytes = totalBytes - usedBytes;
  if (totalBytes === 0 || freeBytes >= data.plainBytes) return;
  throw new Failure('no-space', {
    what: `backup ${id}`,
    why: `pool "${pool}" has ${formatHuman(freeBytes)} free, and the backup has ${formatHuman(data.plainBytes)}`,
    next: 'free space in the pool: "list --sort disk" shows the largest containers',
  });
}
