/**
 * `backup restore` for a user whose container is gone: the container of the backup with a new jump account, the keys
 * and the limits that it had, and its address if that is free.
 *
 * The manifest says what those are. Who can write to the store can change it, and then has changed the files too: so it
 * decides nothing that reaches beyond the container.
 */
import { isTrue } from '../host/incus/booleans.ts';
import { plural } from '../domain/text.ts';
import { formatExact, parseIncusSize } from '../domain/values/size.ts';
import { containerName, type Username } from '../domain/values/username.ts';
import type { IncusInstance } from '../host/incus/documents.ts';
import type { InstanceSpec } from '../host/incus/incus.ts';
import type { Running } from '../journal/operations.ts';
import type { Manifest } from '../repository/manifest.ts';
import { replaceConfiguration, rootFor } from './backups/imported.ts';
import { hostKeyConfig, importBackup, placeInstance, restoredName, type Restore } from './backups/importing.ts';
import { ensureFreeName } from './freeName.ts';
import { fixedAddress, writeFixedAddress } from './images/fixedAddress.ts';
import { promiseAddress, type PromisedAddress } from './instances/addresses.ts';
import type { Call, HostContext } from './instances/context.ts';
import { containerKeysPath, containerKeysText } from './instances/jumpAccount.ts';
import { openAccount } from './instances/openAccount.ts';
import { diskLimits, networkLimits } from './instances/limits.ts';
import { decodeKeys, encodeKeys, field, labelConfig, labelsOf } from './instances/metadata.ts';
import { Stages } from './instances/stages.ts';
import { protectionKey } from './instances/protection.ts';
import { isolationConfig } from './isolation/config.ts';
import { makeNic } from './isolation/nic.ts';
import { addressesInTrash } from './trash/addresses.ts';
import { choiceConfig, chosenSchedule, scheduleConfig } from './snapshots/schedule.ts';

/** Checks that nothing is left of an earlier container, and promises an address: that of the backup if it is free. */
export async function planRecreation(context: HostContext, restore: Restore): Promise<PromisedAddress> {
  const { user, manifest, placement } = restore;
  const instances = await ensureFreeName(context, user, { isReturn: true });
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
  // A container that an operator had stopped stays so.
  const runs = manifest.config[field.runs] === 'yes';
  const stages = new Stages(call.progress, runs ? 4 : 3);
  await stages.stage('Making a container of the backup', () => importBackup(context, operation, restore));
  await stages.stage('Writing its configuration and its keys', async () => {
    await operation.step(steps.seedInstance, { instance: made }, async () => {
      await replaceConfiguration(context, made, await specOf(context, operation, restore, address, call));
    });
    await placeInstance(context, operation, user);
    await operation.step(steps.seedInstance, { instance: name }, async () => {
      const config = await hostKeyConfig(context, name);
      if (Object.keys(config).length > 0) await incus.patch(name, { config });
      const { placement } = restore;
      if (manifest.config[field.address] !== fixedAddress({ ...placement, address }))
        await writeFixedAddress(incus, name, { ...placement, address }, { withFiles: true });
      const content = containerKeysText(keys);
      await incus.pushFile({ instance: name, path: containerKeysPath(user), content, mode: '0644' });
    });
  });
  await stages.stage('Creating jump server account (proxy-only)', () =>
    openAccount(context, operation, { user, address, keys }),
  );
  if (runs)
    await stages.stage('Starting container', () =>
      operation.step(steps.startInstance, { instance: name, was: 'Stopped' }, () =>
        // Its files may have other ids than it has now.
        incus.start(name, { shiftsIds: true }),
      ),
    );
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
  const { defaults } = context.settings;
  const { config } = manifest;
  const autostart = isTrue(config['boot.autostart']) ? 'true' : 'false';
  const labels = Object.entries(labelsOf({ config } as IncusInstance)).map(([key, value]) => ({ key, value }));
  return {
    config: {
      ...isolationConfig(countOf(config['limits.processes']) ?? defaults.processes),
      'boot.autostart': autostart,
      ...((await context.incus.hasAutorestart()) ? { 'boot.autorestart': autostart } : {}),
      'limits.cpu': String(countOf(config['limits.cpu']) ?? defaults.cpu),
      'limits.memory': formatExact(parseIncusSize(config['limits.memory'] ?? '') ?? defaults.memory),
      'security.nesting': isTrue(config['security.nesting']) ? 'true' : 'false',
      ...diskLimits(defaults),
      ...keptChoices(context, manifest),
      [field.owner]: user,
      [field.state]: 'ready',
      [field.operation]: operation.id,
      [field.keys]: encodeKeys(decodeKeys(config[field.keys])),
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

/** Returns what was chosen for the container: its schedule of snapshots, protection, its end, and whether it runs. */
function keptChoices({ settings, now }: HostContext, { config }: Manifest): InstanceSpec['config'] {
  const choice = chosenSchedule({ config });
  const expires = config[field.expires];
  const isAhead = expires !== undefined && Date.parse(expires) > now().getTime();
  return {
    ...scheduleConfig(choice ?? settings.snapshots),
    ...(choice === undefined ? {} : choiceConfig(choice)),
    ...(isTrue(config[protectionKey]) ? { [protectionKey]: 'true' } : {}),
    ...(isAhead ? { [field.expires]: new Date(expires).toISOString() } : {}),
    ...(config[field.runs] === 'yes' ? { [field.runs]: 'yes' } : {}),
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
  return (await incus.storedInstance(containerName(user))) === undefined;
}
