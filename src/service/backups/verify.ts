/**
 * `backup verify`: makes a container of a backup, boots it without a network, compares its files with the list of the
 * backup, and deletes it again, however that ends.
 */
import type { BackupVerified } from '../../domain/results/backups.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { plural } from '../../domain/text.ts';
import { formatExact } from '../../domain/values/size.ts';
import { containerName } from '../../domain/values/username.ts';
import type { InstanceSpec } from '../../host/incus/incus.ts';
import type { FileEntry } from '../../repository/fileList.ts';
import type { BackupName } from '../../repository/layout.ts';
import type { Manifest } from '../../repository/manifest.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Call, HostContext } from '../instances/context.ts';
import { field } from '../instances/metadata.ts';
import { findPlacement, type Placement } from '../instances/placement.ts';
import { Stages } from '../instances/stages.ts';
import { waitFor } from '../instances/waiting.ts';
import { isolationConfig, shiftsIds } from '../isolation/config.ts';
import { compareFiles, isBooted, requireSame, sampled, type Comparison } from './compare.ts';
import { replaceConfiguration, rootFor } from './imported.ts';
import { importFacts, makeInstance, readyBackup, requirePool } from './making.ts';
import { backupTarget, idOf, manifestOf, type BackupRequest } from './shared.ts';

/** The beginning of the names of containers that are made to be deleted again. */
const throwawayPrefix = 'containarium-verify-';

export async function verifyBackup(
  context: HostContext,
  { user, backup: wanted, identity }: BackupRequest,
  call: Call,
): Promise<BackupVerified> {
  const { steps, now } = context;
  const repository = await context.repository();
  const id = await idOf(repository, user, wanted, context.now());
  const container = containerName(user);
  const verified = context.operations.run(
    {
      verb: 'backup verify',
      target: backupTarget(user, id),
      actor: call.actor,
      input: call.recorded,
      say: call.progress.note,
    },
    async () => {
      const manifest = await manifestOf(repository, user, id);
      const readied = await readyBackup(context, repository, manifest, identity);
      const placement = await findPlacement(context);
      await requirePool(context, placement, readied);
      return { manifest, readied, placement };
    },
    async (operation, { manifest, readied, placement }) => {
      const instance = `${throwawayPrefix}${operation.id.toLowerCase()}`;
      const stages = new Stages(call.progress, 4);
      let files: readonly FileEntry[] = [];
      let comparison: Comparison = { compared: 0, changedByBoot: 0, different: [] };
      await stages.stage('Reading the list of files', async () => {
        files = await sampled(repository.files(manifest, identity));
      });
      const made = { name: instance, pool: placement.pool, operation: operation.id };
      await operation.step(steps.makeThrowaway, importFacts(made, manifest), async () => {
        await stages.stage('Restoring into a throwaway container', () => makeInstance(context, made, readied));
        await stages.stage('Booting it', () =>
          boot(context, instance, throwawaySpec(context, manifest, placement, operation.id)),
        );
        await stages.stage('Comparing files', async () => {
          const { started_at: startedAt } = await context.incus.state(instance);
          comparison = await compareFiles(context, instance, files, new Date(startedAt ?? 0));
          return plural(comparison.compared, 'file');
        });
      });
      requireSame(`backup ${id} of ${container}`, comparison);
      const { compared, changedByBoot } = comparison;
      const verifiedAt = now().toISOString();
      await repository.recordVerification({ container, id }, { verifiedAt, compared, changedByBoot });
      return { user, container, id, verifiedAt, compared, changedByBoot, operation: operation.id };
    },
  );
  return verified.catch(async (error: unknown) => {
    if (isFailure(error, 'backup-damaged')) {
      // The fault may be in a backup on which this one builds.
      const faulty = error.details?.['backup'];
      for (const each of new Set([id, typeof faulty === 'string' ? faulty : id]))
        await refute(context, repository, { container, id: each }, error.why);
    }
    throw error;
  });
}

/** Keeps that a backup is damaged, so that lists and `doctor` say so. */
async function refute({ now, log }: HostContext, repository: Repository, name: BackupName, why: string): Promise<void> {
  const failedAt = now().toISOString();
  await repository.recordVerification(name, { failedAt, why: why.slice(0, 2000) }).catch((error: unknown) => {
    log.warn({ ...name, failure: Failure.from(error).toData() }, 'a failed verification could not be recorded');
  });
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
