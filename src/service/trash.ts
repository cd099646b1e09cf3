/** `trash list`, `restore` and `purge`: deleted containers, until their time is over. */
import { Failure } from '../domain/failure.ts';
import type { Trashed, TrashList, TrashPurged, TrashRestored } from '../domain/results/trash.ts';
import { plural, quoted } from '../domain/text.ts';
import { containerName, type Username } from '../domain/values/username.ts';
import type { IncusInstance } from '../host/incus/documents.ts';
import type { Running } from '../journal/operations.ts';
import { promiseAddress, type PromisedAddress } from './instances/addresses.ts';
import { toContainer } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { ensureFreeName } from './freeName.ts';
import { decodeKeys, field } from './instances/metadata.ts';
import { openAccount } from './instances/openAccount.ts';
import { findPlacement, type Placement } from './instances/placement.ts';
import { inverse } from './instances/retirement.ts';
import { Stages } from './instances/stages.ts';
import { noteUnlessReachable } from './instances/waiting.ts';
import { addressSeed, fixedAddress, writeFixedAddress } from './images/fixedAddress.ts';
import { shiftsIds } from './isolation/config.ts';
import { makeNic } from './isolation/nic.ts';
import { addressBefore } from './trash/addresses.ts';
import { deleteInstanceStep } from './trash/purge.ts';
import { trashedAmong, trashedWith, type TrashedInstance } from './trash/record.ts';

interface TrashRequest {
  readonly user: Username;
  /** The name in the trash, for a user with several deleted containers. */
  readonly name?: string | undefined;
}

export async function listTrash(context: HostContext, _input: object, { signal }: Call): Promise<TrashList> {
  const instances = await context.incus.instancesWithState(signal);
  return { trashed: trashedAmong(instances).map((one) => toTrashed(one, trashedWith(instances, one.instance.name))) };
}

function toTrashed({ instance, record }: TrashedInstance, generations: readonly IncusInstance[]): Trashed {
  const all = [instance, ...generations];
  const used = all.flatMap((one) => toContainer(one).diskUsedBytes ?? []);
  return {
    user: record.user,
    name: instance.name,
    deletedAt: record.at,
    deletedBy: record.by,
    until: record.until,
    diskUsedBytes: used.length === 0 ? null : used.reduce((sum, bytes) => sum + bytes, 0),
    snapshots: all.reduce((sum, { snapshots }) => sum + (snapshots?.length ?? 0), 0),
  };
}

/** Returns the one container in the trash that is meant. Throws `not-found`, or `usage` if there are several. */
function choose(instances: readonly IncusInstance[], { user, name }: TrashRequest): TrashedInstance {
  const all = trashedAmong(instances, user);
  const meant = name === undefined ? all : all.filter(({ instance }) => instance.name === name);
  const [one, ...others] = meant;
  if (one === undefined)
    throw new Failure('not-found', {
      what: name === undefined ? `deleted container of ${quoted(user)}` : `deleted container ${quoted(name)}`,
      why: 'the trash does not have it',
      next: 'see "trash list"',
    });
  if (others.length === 0) return one;
  throw new Failure('usage', {
    what: `deleted container of ${quoted(user)}`,
    why: `the trash has ${meant.length}`,
    next: `name one: ${meant.map(({ instance }) => instance.name).join(', ')}`,
  });
}

/** What a restore from the trash begins with. */
interface Return {
  readonly user: Username;
  readonly trashed: TrashedInstance;
  readonly generations: readonly IncusInstance[];
  readonly placement: Placement;
  readonly promised: PromisedAddress;
}

export async function restoreFromTrash(
  context: HostContext,
  request: TrashRequest,
  call: Call,
): Promise<TrashRestored> {
  const { user } = request;
  let promised: PromisedAddress | undefined;
  try {
    const { result, instance } = await context.operations.run(
      { verb: 'trash restore', target: user, actor: call.actor, input: call.recorded },
      async (): Promise<Return> => {
        const trashed = choose(await context.incus.instances(), request);
        const instances = await freeNameFor(context, user, trashed);
        const placement = await findPlacement(context);
        promised = await promiseAddress(context.incus, placement, { preferred: addressBefore(trashed.record) });
        return { user, trashed, placement, promised, generations: trashedWith(instances, trashed.instance.name) };
      },
      async (operation, back) => {
        const { record, instance } = back.trashed;
        const { address } = back.promised;
        const name = containerName(user);
        const stages = new Stages(call.progress, record.ran ? 3 : 2);
        await stages.stage('Taking container out of the trash', () => takeOut(context, operation, back));
        await stages.stage('Creating jump server account (proxy-only)', () =>
          openAccount(context, operation, { user, address, keys: decodeKeys(instance.config[field.keys]) }),
        );
        if (record.ran)
          await stages.stage('Starting container', () =>
            operation.step(context.steps.startInstance, { instance: name, was: 'Stopped' }, () =>
              context.incus.start(name, { shiftsIds: shiftsIds(instance) }),
            ),
          );
        const after = await context.incus.instance(name);
        const isNewAddress = address !== addressBefore(record);
        const status = after?.status.toLowerCase() ?? 'unknown';
        const result = { user, container: name, status, address, isNewAddress, operation: operation.id };
        return { result, instance: after };
      },
    );
    if (instance?.status === 'Running') await noteUnlessReachable(context, instance, call);
    return result;
  } finally {
    promised?.release();
  }
}

/** Like {@link ensureFreeName}, for a container that may have its old name still, after a journal was lost. */
async function freeNameFor(
  context: HostContext,
  user: Username,
  { instance }: TrashedInstance,
): Promise<readonly IncusInstance[]> {
  return ensureFreeName(context, user, { isReturn: true, except: instance.name }).catch((error: unknown) => {
    const failure = Failure.from(error);
    if (failure.code !== 'exists') throw failure;
    throw new Failure('exists', {
      what: `deleted container of ${quoted(user)}`,
      why: `${failure.what} exists`,
      next: failure.what.startsWith('container')
        ? `"delete ${user}" moves that one to the trash; then name the one to restore`
        : failure.next,
    });
  });
}

/** Gives the instance its name, configuration and address back. */
async function takeOut(context: HostContext, operation: Running, back: Return): Promise<void> {
  const { incus, steps } = context;
  const { trashed, placement, generations, user } = back;
  const { address } = back.promised;
  const name = containerName(user);
  const trashName = trashed.instance.name;
  if (trashName !== name)
    await operation.step(steps.renameInstance, { instance: trashName, to: name }, () => incus.rename(trashName, name));
  const { before } = trashed.record;
  const isNewAddress = address !== addressBefore(trashed.record);
  const [nic = 'eth0'] = Object.keys(before.devices);
  const change = {
    config: {
      ...before.config,
      [field.trashed]: '',
      ...(isPast(trashed.instance.config[field.expires], context.now()) ? { [field.expires]: '' } : {}),
      ...(isNewAddress ? { [field.address]: fixedAddress({ ...placement, address }) } : {}),
    },
    devices: isNewAddress
      ? { ...before.devices, [nic]: { ...before.devices[nic], ...makeNic(placement.network, address) } }
      : before.devices,
  };
  const previous = JSON.stringify(inverse(change, trashed.instance));
  await operation.step(steps.patchInstance, { instance: name, previous }, () => incus.patch(name, change));
  if (isNewAddress) {
    const { path, content: previous } = addressSeed({
      ...placement,
      address: addressBefore(trashed.record) ?? address,
    });
    await operation.step(steps.pushFile, { instance: name, path, previous }, () =>
      writeFixedAddress(incus, name, { ...placement, address }, { withFiles: true }),
    );
  }
  for (const generation of generations) {
    const kept = JSON.stringify({ config: { [field.trashed]: generation.config[field.trashed] ?? '' } });
    await operation.step(steps.patchInstance, { instance: generation.name, previous: kept }, () =>
      incus.patch(generation.name, { config: { [field.trashed]: '' } }),
    );
  }
}

function isPast(time: string | undefined, now: Date): boolean {
  return time !== undefined && Date.parse(time) <= now.getTime();
}

/** Deletes a container in the trash for good: its earlier generations first, so that it is in the trash until then. */
export async function purgeTrash(context: HostContext, request: TrashRequest, call: Call): Promise<TrashPurged> {
  const { user } = request;
  const instances = await context.incus.instances();
  const { instance } = choose(instances, request);
  const purge = (name: string): Promise<{ operation: string; freedBytes: number | null }> =>
    context.operations.run(
      { verb: 'trash purge', target: user, actor: call.actor, input: { name } },
      async () => {
        // It may have been restored since.
        const present = await context.incus.instance(name);
        if (present?.config[field.trashed] === undefined)
          throw new Failure('not-found', { what: `deleted container ${quoted(name)}`, why: 'it is gone' });
        return present;
      },
      async (operation, present) => {
        await deleteInstanceStep(context, operation, name);
        return { operation: operation.id, freedBytes: toContainer(present).diskUsedBytes };
      },
    );
  let freed: number | null = null;
  const generations = trashedWith(instances, instance.name);
  if (generations.length > 0) call.progress.note(`Deleting ${plural(generations.length, 'earlier state')} first`);
  for (const { name } of generations) freed = sum(freed, (await purge(name)).freedBytes);
  const { operation, freedBytes } = await purge(instance.name);
  return { user, name: instance.name, freedBytes: sum(freed, freedBytes), operation };
}

function sum(a: number | null, b: number | null): number | null {
  return a === null ? b : a + (b ?? 0);
}
