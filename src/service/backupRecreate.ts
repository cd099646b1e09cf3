/**
 * `backup restore` for a user whose container is gone: the container of the backup with a new jump account, the keys
 * and the limits that it had, and its address if that is free.
 *
 * The manifest says what those are. Who can write to the store can change it, and then has changed the files too: so it
 * decides nothing that reaches beyond the container.
 */
import { Failure } from '../domain/failure.ts';
import { plural } from '../domain/text.ts';
import { formatExact, parseIncusSize } from '../domain/values/size.ts';
import { containerName, type Username } from '../domain/values/username.ts';
import type { IncusInstance } from '../host/incus/documents.ts';
import type { InstanceSpec } from '../host/incus/incus.ts';
import type { Running } from '../journal/operations.ts';
import type { Manifest } from '../repository/manifest.ts';
import { replaceConfiguration, rootFor } from './backups/imported.ts';
import { importBackup, readHostKey, restoredName, type Restore } from './backups/importing.ts';
import { fixedAddress, writeFixedAddress } from './images/fixedAddress.ts';
import { promiseAddress, type PromisedAddress } from './instances/addresses.ts';
import type { Call, HostContext } from './instances/context.ts';
import { containerKeysPath, containerKeysText } from './instances/jumpAccount.ts';
import { openAccount } from './instances/openAccount.ts';
import { diskLimits, networkLimits } from './instances/limits.ts';
import { decodeKeys, encodeKeys, field, labelConfig, labelsOf } from './instances/metadata.ts';
import { Stages } from './instances/stages.ts';
import { isolationConfig } from './isolation/config.ts';
import { makeNic } from './isolation/nic.ts';
import { replacedOf } from './snapshots/generations.ts';
import { addressesInTrash } from './trash/addresses.ts';
import { scheduleConfig } from './snapshots/schedule.ts';

/** Checks that nothing is left of an earlier container, and promises an address: that of the backup if it is free. */
export async function planRecreation(context: HostContext, restore: Restore): Promise<PromisedAddress> {
  const { user, manifest, placement } = restore;
  const [instances, account] = await Promise.all([context.incus.instances(), context.accounts.account(user)]);
  const refuse = (what: string, why: string, next: string): Failure => new Failure('exists', { what, why, next });
  const earlier = instances.find((instance) => replacedOf(instance) === user);
  if (earlier !== undefined)
    throw refuse(
      `instance "${earlier.name}"`,
      'it is an earlier state of a deleted container of this user',
      `on the host, "incus delete ${earlier.name}" deletes it`,
    );
  if (account !== undefined)
    throw refuse(
      `account "${user}"`,
      'the host has an account of this name',
      '"reconcile --apply" removes one that is left over from a deleted container',
    );
  const [wanted] = (manifest.config[field.address] ?? '').split('/');
  return promiseAddress(context.incus, placement, { preferred: wanted, avoid: addressesInTrash(instances) });
}

/** Makes the container again. Everything can be undone until the operation ends. */
export async function recreate(
  context: HostContext,
  operation: Running,
  restore: Restore,
  address: string,
  call: Call,
): Promise<IncusInstance | undefined> {
  const { incus, steps } = context;
  const { user, manifest } = restore;
  const name = containerName(user);
  const made = restoredName(operation);
  const keys = decodeKeys(manifest.config[field.keys]);
  const stages = new Stages(call.progress, 4);
  await stages.stage('Making a container of the backup', () => importBackup(context, operation, restore));
  await stages.stage('Writing its configuration and its keys', () =>
    operation.step(steps.seedInstance, { instance: made }, async () => {
      await replaceConfiguration(context, made, await specOf(context, operation, restore, address, call));
      const { placement } = restore;
      if (manifest.config[field.address] !== fixedAddress({ ...placement, address }))
        await writeFixedAddress(incus, made, { ...placement, address }, { withFiles: true });
      const content = containerKeysText(keys);
      await incus.pushFile({ instance: made, path: containerKeysPath(user), content, mode: '0644' });
    }),
  );
  await stages.stage('Creating jump server account (proxy-only)', () =>
    openAccount(context, operation, { user, address, keys }),
  );
  await stages.stage('Starting container', async () => {
    await operation.step(steps.placeInstance, { instance: made, to: name, operation: operation.id }, () =>
      incus.rename(made, name),
    );
    await operation.step(steps.startInstance, { instance: name, was: 'Stopped' }, () =>
      // Its files may have other ids than it has now.
      incus.start(name, { shiftsIds: true }),
    );
  });
  call.progress.note(
    keys.length === 0
      ? `It has no key: "key add ${user}" adds one`
      : `It has the ${plural(keys.length, 'key')} of the backup: see "key list ${user}"`,
  );
  return incus.instance(name);
}

/** Returns the configuration of the container: that of a new one, with the limits of the backup. */
async function specOf(
  context: HostContext,
  operation: Running,
  { user, manifest, placement }: Restore,
  address: string,
  { actor }: Call,
): Promise<InstanceSpec> {
  const { defaults, snapshots } = context.settings;
  const { config } = manifest;
  const made = restoredName(operation);
  const autostart = config['boot.autostart'] === 'true' ? 'true' : 'false';
  const hostKey = await readHostKey(context, made);
  const labels = Object.entries(labelsOf({ config } as IncusInstance)).map(([key, value]) => ({ key, value }));
  return {
    config: {
      ...isolationConfig(countOf(config['limits.processes']) ?? defaults.processes),
      'boot.autostart': autostart,
      ...((await context.incus.hasAutorestart()) ? { 'boot.autorestart': autostart } : {}),
      'limits.cpu': String(countOf(config['limits.cpu']) ?? defaults.cpu),
      'limits.memory': formatExact(parseIncusSize(config['limits.memory'] ?? '') ?? defaults.memory),
      'security.nesting': config['security.nesting'] === 'true' ? 'true' : 'false',
      ...diskLimits(defaults),
      ...scheduleConfig(snapshots),
      [field.owner]: user,
      [field.state]: 'ready',
      [field.runs]: 'yes',
      [field.operation]: operation.id,
      [field.keys]: encodeKeys(decodeKeys(config[field.keys])),
      ...(hostKey === undefined ? {} : { [field.hostKey]: hostKey }),
      [field.createdBy]: actor.name,
      [field.image]: config[field.image] ?? '',
      [field.address]: fixedAddress({ ...placement, address }),
      ...labelConfig(labels),
    },
    devices: {
      ...rootOf(manifest, placement, defaults.disk),
      eth0: { ...makeNic(placement.network, address), ...networkLimits(defaults) },
    },
  };
}

function countOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}

/** Returns the root disk, with a size even if the backup names none. */
function rootOf(manifest: Manifest, { pool, quotas }: Restore['placement'], size: number): InstanceSpec['devices'] {
  const { root = {} } = rootFor(manifest, pool, quotas);
  return { root: quotas && root['size'] === undefined ? { ...root, size: formatExact(size) } : root };
}

/** Whether the user has no instance at all under the name of the container. */
export async function isGone({ incus }: Pick<HostContext, 'incus'>, user: Username): Promise<boolean> {
  return (await incus.instance(containerName(user))) === undefined;
}
