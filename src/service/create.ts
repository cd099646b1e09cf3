/**
 * Creates a container: clone, seed and start, plus a jump account. It is ready once its sshd answers with the host key
 * that it was given.
 */
import type { CreateResult } from '../domain/results/changes.ts';
import type { ImageInfo } from '../domain/results/upkeep.ts';
import { Failure } from '../domain/failure.ts';
import type { PublicKey } from '../domain/keys/publicKey.ts';
import { ensureMinimum } from '../domain/values/minSizes.ts';
import { formatExact } from '../domain/values/size.ts';
import { containerName, type Username } from '../domain/values/username.ts';
import { makeHostKey } from '../host/hostKey.ts';
import type { InstanceSpec } from '../host/incus/incus.ts';
import { promiseAddress } from './instances/addresses.ts';
import { toContainer } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { capacityWarnings, capacityWith } from './instances/capacity.ts';
import { hostnameWarnings, jumpHost } from './instances/jumpHost.ts';
import { sshAccess } from './export.ts';
import { addressFiles, fixedAddress } from './images/fixedAddress.ts';
import { ensureImage } from './images/preparedImage.ts';
import { bundle, seedOf, type SeedFile } from './images/seed.ts';
import { sharedKeyWarnings } from './keys.ts';
import { diskLimits, networkLimits } from './instances/limits.ts';
import { encodeKeys, field, labelConfig, store, type StoredKey } from './instances/metadata.ts';
import { findPlacement, type Placement } from './instances/placement.ts';
import { Stages } from './instances/stages.ts';
import { isolationConfig } from './isolation/config.ts';
import { explained } from './isolation/differences.ts';
import { ensureFreeName } from './freeName.ts';
import { openAccount } from './instances/openAccount.ts';
import { addressesInTrash, trashWarnings } from './trash/addresses.ts';
import { scheduleConfig } from './snapshots/schedule.ts';
import { waitForNetwork, waitForSsh } from './instances/waiting.ts';
import { makeNic } from './isolation/nic.ts';

export interface CreateRequest {
  readonly user: Username;
  readonly keys: readonly PublicKey[];
  readonly cpu?: number | undefined;
  readonly memory?: number | undefined;
  readonly disk?: number | undefined;
  readonly processes?: number | undefined;
  readonly image?: string | undefined;
  readonly autostart?: boolean | undefined;
  readonly docker?: boolean | undefined;
  readonly labels?: readonly { readonly key: string; readonly value: string }[] | undefined;
  /** When it moves to the trash by itself, RFC 3339 UTC. */
  readonly expires?: string | undefined;
}

/** Minimum free space in the pool, in bytes: an image is unpacked into it. */
const minFreeBytes = 512 * 1024 * 1024;

interface Plan {
  readonly placement: Placement;
  readonly image: ImageInfo;
  readonly address: string;
  readonly warnings: readonly string[];
  readonly release: () => void;
}

export async function createContainer(context: HostContext, request: CreateRequest, call: Call): Promise<CreateResult> {
  const { user } = request;
  const name = containerName(user);
  const docker = request.docker ?? context.settings.defaults.docker;
  const keys = store(request.keys, context.now(), call.actor.name);
  const base = request.image ?? context.settings.image.base;
  let release: () => void = () => undefined;
  try {
    return await context.operations.run(
      { verb: 'create', target: user, actor: call.actor, input: call.recorded, say: call.progress.note },
      async () => {
        const plan = await planCreate(context, request, base, call);
        release = plan.release;
        return plan;
      },
      async (operation, plan) => {
        const { steps } = context;
        const { placement, address, image } = plan;
        const hostKey = makeHostKey(name);
        const network = { ...placement, address };
        const seed = seedOf({ user, name, docker, network, keys, hostKey });
        // An image of another version may have no template for the seed.
        const stages = new Stages(call.progress, image.current ? 5 : 7);
        await stages.stage('Creating container', async () => {
          const spec = instanceSpec(context, request, plan, {
            operation: operation.id,
            keys,
            hostKey: hostKey.publicKey,
            actor: call.actor.name,
            base,
            autorestart: await context.incus.hasAutorestart(),
            seed: image.current ? bundle([...seed.user, ...seed.access]) : '',
          });
          await operation.step(steps.createInstance, { instance: name, operation: operation.id }, () =>
            context.incus.create(name, image.fingerprint, spec).catch(explained),
          );
        });
        if (!image.current) {
          const push = async (files: readonly SeedFile[]): Promise<void> => {
            for (const file of files) await context.incus.pushFile({ instance: name, ...file });
          };
          await stages.stage(`Creating user: ${user}`, () =>
            operation.step(steps.seedInstance, { instance: name }, () => push([...addressFiles, ...seed.user])),
          );
          await stages.stage('Adding SSH keys and host key', () =>
            operation.step(steps.seedInstance, { instance: name }, () => push(seed.access)),
          );
        }
        await stages.stage('Starting container', async () => {
          await operation.step(steps.startInstance, { instance: name, was: 'Stopped' }, () =>
            context.incus.start(name),
          );
        });
        // While the container boots.
        await stages.stage('Creating jump server account (proxy-only)', async () => {
          await openAccount(context, operation, { user, address, keys });
        });
        await stages.stage('Waiting for network', async () => {
          await waitForNetwork(context, name, { address, bridge: placement.network });
          return `Container IP: ${address}`;
        });
        let made: Pick<CreateResult, 'container' | 'sshConfig'> | undefined;
        await stages.stage('Waiting for SSH with the expected host key', async () => {
          // Everything that can fail comes before the step that cannot be undone, so that a failed create leaves
          // nothing behind.
          [made] = await Promise.all([
            describe(context, request, { address, hostKey: hostKey.publicKey }, call),
            waitForSsh(context, name, address, hostKey.publicKey),
          ]);
          await operation.step(steps.markReady, { instance: name, operation: operation.id }, () =>
            context.incus.patch(name, { config: { [field.state]: 'ready', [field.runs]: 'yes', [field.seed]: '' } }),
          );
          return `Host key: ${hostKey.fingerprint}`;
        });
        if (made === undefined) throw new Error('the last stage did not run');
        return {
          ...made,
          hostKeyFingerprint: hostKey.fingerprint,
          operation: operation.id,
          steps: [...stages.done],
          warnings: plan.warnings,
        };
      },
    );
  } finally {
    release();
  }
}

/** Returns the container as it will be once it is marked ready, with its ssh configuration. */
async function describe(
  context: HostContext,
  { user }: CreateRequest,
  seen: { address: string; hostKey: string },
  call: Call,
): Promise<Pick<CreateResult, 'container' | 'sshConfig'>> {
  const name = containerName(user);
  const instance = await context.incus.instance(name);
  if (instance === undefined)
    throw new Failure('not-found', { what: `container "${name}"`, why: 'it disappeared while it was being created' });
  return {
    container: { ...toContainer(instance), provisioning: 'ready' },
    sshConfig: await sshAccess(context, { user, ...seen }, { jumpHost: jumpHost(context, call) }),
  };
}

/** Makes every check before anything is changed. */
async function planCreate(context: HostContext, request: CreateRequest, base: string, call: Call): Promise<Plan> {
  const { user } = request;
  const [instances, placement] = await Promise.all([ensureFreeName(context, user), findPlacement(context)]);
  const wanted = request.disk ?? context.settings.defaults.disk;
  ensureMinimum('memory', request.memory ?? context.settings.defaults.memory);
  if (placement.quotas) ensureMinimum('disk', wanted);
  const space = await context.incus.poolSpace(placement.pool);
  if (space.totalBytes > 0 && space.totalBytes - space.usedBytes < minFreeBytes) {
    throw new Failure('no-space', {
      what: `storage pool "${placement.pool}"`,
      why: `only ${formatExact(Math.max(0, space.totalBytes - space.usedBytes))} is free`,
      next: 'delete a container, or enlarge the pool',
    });
  }
  const warnings = [
    ...hostnameWarnings(context),
    ...sharedKeyWarnings(instances, user, request.keys),
    ...trashWarnings(instances, user),
    // Of CPUs and memory only what was asked for: the defaults are the same on every host.
    ...capacityWarnings({ ...request, disk: wanted }, capacityWith(placement.quotas ? space.totalBytes : 0)),
  ];
  if (!placement.quotas && request.disk !== undefined) {
    throw new Failure('settings', {
      what: `storage pool "${placement.pool}"`,
      why: `its driver (${placement.driver}) has no quotas, so --disk-quota cannot be enforced`,
      next: 'leave --disk-quota out, or use a zfs or btrfs pool',
    });
  }
  const image = await ensureImage(context, base, call);

  // Reserve the address last: an image build takes minutes, and from here on no check can refuse the call.
  const promised = await promiseAddress(context.incus, placement, { avoid: addressesInTrash(instances) });
  return { placement, image, warnings, ...promised };
}

/** Leaves out the keys with an empty value, which unsets a key that a new instance does not have. */
function set(config: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== ''));
}

function instanceSpec(
  context: HostContext,
  request: CreateRequest,
  plan: Plan,
  made: {
    operation: string;
    keys: readonly StoredKey[];
    hostKey: string;
    actor: string;
    base: string;
    autorestart: boolean;
    seed: string;
  },
): InstanceSpec {
  const { defaults } = context.settings;
  return {
    config: {
      'boot.autostart': String(request.autostart ?? defaults.autostart),
      // Incus starts it again when its init ends, as when the kernel kills that for lack of memory: at most ten times
      // a minute. A stop by us or by `incus stop` is final; a poweroff from the inside is not.
      ...(made.autorestart ? { 'boot.autorestart': String(request.autostart ?? defaults.autostart) } : {}),
      'limits.cpu': String(request.cpu ?? defaults.cpu),
      'limits.memory': formatExact(request.memory ?? defaults.memory),
      ...isolationConfig(request.processes ?? defaults.processes),
      // Docker needs nesting only: the container stays unprivileged and confined by AppArmor.
      'security.nesting': String(request.docker ?? defaults.docker),
      ...diskLimits(defaults),
      ...set(scheduleConfig(context.settings.snapshots)),
      [field.owner]: request.user,
      [field.state]: 'creating',
      [field.operation]: made.operation,
      [field.keys]: encodeKeys(made.keys),
      [field.hostKey]: made.hostKey,
      [field.createdBy]: made.actor,
      [field.image]: made.base,
      [field.address]: fixedAddress({ gateway: plan.placement.gateway, address: plan.address }),
      ...(made.seed === '' ? {} : { [field.seed]: made.seed }),
      ...labelConfig(request.labels ?? []),
      ...(request.expires === undefined ? {} : { [field.expires]: request.expires }),
    },
    devices: {
      root: {
        type: 'disk',
        path: '/',
        pool: plan.placement.pool,
        ...(plan.placement.quotas ? { size: formatExact(request.disk ?? defaults.disk) } : {}),
      },
      eth0: { ...makeNic(plan.placement.network, plan.address), ...networkLimits(defaults) },
    },
  };
}
