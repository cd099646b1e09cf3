/** Simulates `incus create`, `rename` and the PATCH request. */
import * as z from 'zod';
import { check } from '../../domain/check.ts';
import { done, incusError, incusRefusal } from '../program/answer.ts';
import type { Answer, World } from '../program/answer.ts';
import { addressClash, devicesProblem, nics, quotaOf, rootDevice, rootProblem } from './devices.ts';
import { macOf, pick, uuidOf } from '../state/deterministic.ts';
import { imageForCreate } from './images.ts';
import { idMapConfig, isolatedKey } from './idMap.ts';
import { configProblem, nameProblem } from './instanceConfig.ts';
import { instanceNamed } from '../program/lookup.ts';
import type { Devices, HostState, InstanceRecord } from '../state/state.ts';
import { diskUsageBytes, memoryInUseBytes } from './usage.ts';
import { parseIncusSize } from '../program/units.ts';

const change = z.object({
  // Go reads null as an empty string, which unsets the key.
  config: z
    .record(
      z.string(),
      z
        .string()
        .nullable()
        .transform((value) => value ?? ''),
    )
    .optional(),
  devices: z.record(z.string(), z.record(z.string(), z.string())).optional(),
});

const takenName =
  'Failed creating instance record: Add instance info to the database: Failed to create "instances" entry: ' +
  'UNIQUE constraint failed: instances.project_id, instances.name';

function parseChange(text: string, onSyntaxError: (error: unknown) => string): z.infer<typeof change> {
  let document: unknown;
  try {
    document = text.trim() === '' ? {} : JSON.parse(text);
  } catch (error) {
    throw incusRefusal(onSyntaxError(error));
  }
  const checked = check(change, document);
  if (checked.misfit === undefined) return checked.value;
  const path = checked.misfit.keys;
  const kind = jsonKind(valueAt(document, path));
  const [field] = path;
  if (field === undefined) throw incusRefusal(`json: cannot unmarshal ${kind} into Go value of type jmap.Map`);
  const expected = path.length === (field === 'devices' ? 3 : 2) ? 'string' : 'map[string]string';
  throw incusRefusal(
    `json: cannot unmarshal ${kind} into Go struct field InstancePut.${String(field)} of type ${expected}`,
  );
}

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)[key], document);
}

/** Returns the kind of a JSON value, as Go's decoder names it. */
function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** Creates a stopped instance. Like a real server, accepts an address that is in use and refuses it only at start. */
export function createInstance(world: World, imageRef: string, name: string, input: string): Answer {
  const { state, nowMs } = world;
  const spec = parseChange(input, () => "yaml: line 1: did not find expected ',' or '}'");
  const { image, register } = imageForCreate(world, imageRef);
  const badName = nameProblem(name);
  if (badName !== undefined) return incusError(`Invalid instance name: ${badName}`);
  const devices = spec.devices ?? {};
  const badConfig = configProblem(spec.config ?? {});
  if (badConfig !== undefined) return incusError(`Failed creating instance record: ${badConfig}`);
  if (Object.hasOwn(state.instances, name)) return incusError(takenName);
  const badDevices = devicesProblem(state, devices);
  const badRoot = badDevices === undefined ? rootProblem(state, devices) : `Invalid devices: ${badDevices}`;
  if (badRoot !== undefined)
    return incusError(`Failed creating instance record: Failed initializing instance: ${badRoot}`);

  const idMap = idMapConfig(state, name, spec.config ?? {});
  if (typeof idMap === 'string') return incusError(`Failed creating instance record: ${idMap}`);

  register();
  image.lastUsedAtMs = nowMs;
  state.serial += 1;
  const identity = `${name} ${state.serial}`;
  const config: Record<string, string> = {
    ...Object.fromEntries(Object.entries(image.properties).map(([key, value]) => [`image.${key}`, value])),
    ...Object.fromEntries(Object.entries(spec.config ?? {}).filter(([, value]) => value !== '')),
    'volatile.apply_template': 'create',
    'volatile.base_image': image.fingerprint,
    'volatile.cloud-init.instance-id': uuidOf(`${identity} cloud-init`),
    ...idMap,
    'volatile.last_state.idmap': '[]',
    'volatile.uuid': uuidOf(identity),
    'volatile.uuid.generation': uuidOf(identity),
  };
  for (const [device] of nics(devices)) config[`volatile.${device}.hwaddr`] = macOf(`${identity} ${device}`);
  state.instances[name] = {
    name,
    createdAtMs: nowMs,
    lastUsedAtMs: null,
    config,
    devices: structuredClone(devices),
    files: structuredClone(image.files),
    prepared: image.prepared,
    ...(image.templates === undefined ? {} : { templates: structuredClone(image.templates) }),
    ranMs: 0,
    run: null,
    snapshots: [],
    backups: [],
  };
  world.emit('instance-created', name);
  return done();
}

/** Creates a stopped instance without files: `create --empty NAME`. */
export function createEmptyInstance(world: World, name: string, input: string): Answer {
  const { config = {}, devices = {} } = parseChange(input, () => "yaml: line 1: did not find expected ',' or '}'");
  const badName = nameProblem(name);
  if (badName !== undefined) return incusError(`Invalid instance name: ${badName}`);
  return copyInstance(world, name, {
    config: { ...config, 'volatile.last_state.idmap': '[]' },
    devices: structuredClone(devices),
    files: {},
    prepared: false,
  });
}

/**
 * Makes a stopped instance of what a snapshot keeps. Like a real server, gives it other ids and addresses of its own;
 * what it has on disk keeps the ids of the original.
 */
export function copyInstance(
  world: World,
  name: string,
  {
    config,
    devices,
    files,
    prepared,
    isCopy = false,
  }: Pick<InstanceRecord, 'config' | 'devices' | 'files' | 'prepared' | 'isCopy'>,
): Answer {
  const { state, nowMs } = world;
  if (Object.hasOwn(state.instances, name)) return incusError(takenName);
  const own = Object.fromEntries(
    Object.entries(config).filter(
      ([key]) => !key.startsWith('volatile.') || ['volatile.base_image', 'volatile.last_state.idmap'].includes(key),
    ),
  );
  const idMap = idMapConfig(state, name, own);
  if (typeof idMap === 'string') return incusError(`Failed creating instance record: ${idMap}`);
  state.serial += 1;
  const identity = `${name} ${state.serial}`;
  state.instances[name] = {
    name,
    createdAtMs: nowMs,
    lastUsedAtMs: null,
    config: { ...own, ...idMap, 'volatile.uuid': uuidOf(identity), 'volatile.uuid.generation': uuidOf(identity) },
    devices,
    files,
    prepared,
    ...(isCopy ? { isCopy } : {}),
    ranMs: 0,
    run: null,
    snapshots: [],
    backups: [],
  };
  world.emit('instance-created', name);
  return done();
}

export function renameInstance(world: World, name: string, to: string): Answer {
  if (!Object.hasOwn(world.state.instances, name))
    return incusError("Failed to get address of instance's member: Instance not found");
  const instance = instanceNamed(world, name);
  if (instance.run !== null) return incusError('Renaming of running instance not allowed');
  if (Object.hasOwn(world.state.instances, to)) return incusError(`Name "${to}" already in use`);
  const bad = nameProblem(to);
  if (bad !== undefined) return incusError(`Invalid instance name: ${bad}`);
  delete world.state.instances[name];
  world.state.instances[to] = { ...instance, name: to };
  world.emit('instance-renamed', to);
  return done();
}

/**
 * Returns the error of btrfs for a quota below the used space. Incus undoes its own record of the change, but btrfs
 * enforces the low quota.
 */
function quotaProblem(world: World, instance: InstanceRecord, devices: Devices): string | undefined {
  const before = quotaOf(rootDevice(instance.devices));
  const bytes = quotaOf(rootDevice(devices));
  if (world.state.isCopy === true) return undefined;
  if (before === bytes || bytes === undefined || bytes >= diskUsageBytes(instance, world.nowMs)) return undefined;
  const volume = `/var/lib/incus/storage-pools/${rootDevice(devices)?.['pool'] ?? ''}/containers/${instance.name}`;
  const group = `0/${256 + pick(instance.name, 1000)}`;
  return (
    `Failed to update device "root": Failed to run: btrfs qgroup limit ${bytes} ${group} ${volume}: exit status 1 ` +
    '(ERROR: unable to limit requested quota group: Disk quota exceeded)'
  );
}

/** Returns the error of a changed configuration, or undefined. A copy of a real host has what that has accepted. */
function patchProblem(
  state: HostState,
  config: Readonly<Record<string, string>>,
  devices: Devices,
): string | undefined {
  if (state.isCopy === true) return undefined;
  const badConfig = configProblem(config);
  if (badConfig !== undefined) return `Invalid config: ${badConfig}`;
  const badDevices = devicesProblem(state, devices) ?? rootProblem(state, devices);
  return badDevices === undefined ? undefined : `Invalid devices: ${badDevices}`;
}

/** Handles a PATCH of an instance: applies the whole change or nothing. */
export function patchInstance(world: World, name: string, body: string): Answer {
  const instance = instanceNamed(world, name);
  const wanted = parseChange(body, () => 'json: cannot unmarshal string into Go value of type jmap.Map');
  const config = { ...instance.config, ...wanted.config };
  for (const [key, value] of Object.entries(config)) if (value === '') delete config[key];
  const devices = { ...instance.devices, ...structuredClone(wanted.devices ?? {}) };

  const problem = patchProblem(world.state, config, devices);
  if (problem !== undefined) return incusError(problem);
  for (const [device, nic] of nics(devices)) {
    const before = instance.devices[device];
    if (JSON.stringify(before) === JSON.stringify(nic) || !addressClash(world.state, name, nic)) continue;
    return incusError(
      `Failed update validation for device "${device}": IP address "${nic['ipv4.address'] ?? ''}" already defined on another NIC`,
    );
  }
  const badQuota = quotaProblem(world, instance, devices);
  if (badQuota !== undefined) {
    instance.stuckQuotaBytes = quotaOf(rootDevice(devices)) ?? 0;
    return { ...incusError(badQuota), changed: true };
  }
  const limit = parseIncusSize(config['limits.memory'] ?? '');
  const isShrunk = config['limits.memory'] !== instance.config['limits.memory'] && world.state.isCopy !== true;
  if (isShrunk && limit !== undefined && instance.run !== null) {
    // The kernel can drop page cache, but cannot shrink a running container below its other memory.
    if (limit < memoryInUseBytes(instance, world.nowMs))
      return incusError('setting cgroup item for the container failed');
  }

  if (config[isolatedKey] !== instance.config[isolatedKey]) {
    const idMap = idMapConfig(world.state, name, config);
    if (typeof idMap === 'string') return incusError(idMap);
    Object.assign(config, idMap);
  }
  // Incus sets the quota only if the size differs from its record.
  if (quotaOf(rootDevice(instance.devices)) !== quotaOf(rootDevice(devices))) delete instance.stuckQuotaBytes;
  instance.config = config;
  instance.devices = devices;
  world.emit('instance-updated', name);
  return done();
}
