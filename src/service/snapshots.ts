/** `snapshot create`, `list`, `delete`, `rename` and `schedule`. At self@ for one's own container. */
import type {
  Snapshot,
  SnapshotCreated,
  SnapshotDeleted,
  SnapshotList,
  SnapshotRenamed,
  SnapshotScheduled,
} from '../domain/results/snapshots.ts';
import { Failure } from '../domain/failure.ts';
import { plural, quoted } from '../domain/text.ts';
import {
  originOf,
  snapshotNamed,
  snapshotPrefixes,
  timeName,
  type SnapshotFrequency,
} from '../domain/values/snapshotName.ts';
import type { Username } from '../domain/values/username.ts';
import type { IncusInstance } from '../host/incus/documents.ts';
import type { IncusSnapshot } from '../host/incus/snapshots.ts';
import type { Running } from '../journal/operations.ts';
import { changeableInstanceOf, instanceOf, type ChangeOptions } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { targetContainer } from './instances/target.ts';
import { snapshotNamesOf, snapshotsOf, type SnapshotPlace } from './snapshots/generations.ts';
import { choiceConfig, presentSchedule, scheduleConfig, wantedSchedule, type Schedule } from './snapshots/schedule.ts';

/** A container and its snapshots, at the beginning of an operation. */
export interface Snapshotted {
  readonly instance: IncusInstance;
  readonly snapshots: readonly SnapshotPlace[];
}

/** Reads the container that an operation of the caller holds. */
export async function heldContainer(
  context: HostContext,
  user: Username,
  { stored = true }: Pick<ChangeOptions, 'stored'> = {},
): Promise<Snapshotted> {
  const snapshots = snapshotNamesOf(context, user);
  // A container that does not exist is the failure that counts.
  snapshots.catch(() => undefined);
  const instance = await changeableInstanceOf(context, user, { own: true, stored });
  return { instance, snapshots: await snapshots };
}

export async function listSnapshots(
  context: HostContext,
  { user: named }: { readonly user?: Username | undefined },
  call: Call,
): Promise<SnapshotList> {
  const user = targetContainer('snapshot list', named, call.actor);
  const instance = await instanceOf(context, user, call.signal);
  const snapshots = await snapshotsOf(context, user, call.signal);
  return {
    user,
    container: instance.name,
    schedule: presentSchedule(instance),
    snapshots: snapshots.map(toSnapshot).sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt)),
  };
}

export async function createSnapshot(
  context: HostContext,
  { user: named, name, expires }: { readonly user?: Username; readonly name?: string; readonly expires?: string },
  call: Call,
): Promise<SnapshotCreated> {
  const user = targetContainer('snapshot create', named, call.actor);
  const { actor } = call;
  const prefix = actor.entryPoint === 'self' ? snapshotPrefixes.owner : '';
  return context.operations.run(
    { verb: 'snapshot create', target: user, actor, input: call.recorded },
    async () => {
      const held = await heldContainer(context, user);
      if (name !== undefined) refuseTaken(held, `${prefix}${name}`);
      if (actor.entryPoint === 'self') await refuseTooMany(context, user, held);
      return held;
    },
    async (operation, { instance, snapshots }) => {
      const wanted = name === undefined ? timedName(context, prefix, snapshots) : `${prefix}${name}`;
      const expiresAt = expires === undefined ? undefined : new Date(expires);
      await makeSnapshot(context, operation, instance.name, wanted, expiresAt);
      return {
        user,
        container: instance.name,
        snapshot: toSnapshot(await context.incus.snapshots.get(instance.name, wanted)),
        operation: operation.id,
      };
    },
  );
}

/** Returns a name with the present time that no snapshot has. */
export function timedName({ now }: HostContext, prefix: string, snapshots: readonly SnapshotPlace[]): string {
  const wanted = `${prefix}${timeName(now())}`;
  const isTaken = (candidate: string): boolean => snapshots.some(({ name }) => name === candidate);
  let candidate = wanted;
  for (let count = 2; isTaken(candidate); count++) candidate = `${wanted}-${count}`;
  return candidate;
}

/** Makes a snapshot as a step of an operation. */
export async function makeSnapshot(
  { incus, steps, now }: HostContext,
  operation: Running,
  instance: string,
  snapshot: string,
  expiresAt?: Date,
): Promise<void> {
  // Incus writes whole seconds.
  const since = new Date(Math.floor(now().getTime() / 1000) * 1000).toISOString();
  await operation.step(steps.createSnapshot, { instance, snapshot, since }, () =>
    incus.snapshots.create(instance, snapshot, expiresAt),
  );
}

export async function deleteSnapshot(
  context: HostContext,
  { user: named, snapshot: wanted }: { readonly user?: Username; readonly snapshot: string },
  call: Call,
): Promise<SnapshotDeleted> {
  const user = targetContainer('snapshot delete', named, call.actor);
  return context.operations.run(
    { verb: 'snapshot delete', target: user, actor: call.actor, input: call.recorded },
    async () => {
      const { instance, snapshots } = await heldContainer(context, user);
      const { name, instance: holder } = snapshotNamed(snapshots, wanted, user);
      if (call.actor.entryPoint === 'self' && originOf(name) !== 'owner')
        throw new Failure('denied', {
          what: `snapshot ${quoted(name)}`,
          why: 'it is not one of your own, which "snapshot create" makes',
          next: 'ask an admin',
        });
      return { container: instance.name, holder, name };
    },
    async (operation, { container, holder, name }) => {
      await operation.step(context.steps.deleteSnapshot, { instance: holder, snapshot: name }, () =>
        context.incus.snapshots.delete(holder, name),
      );
      return { user, container, name, operation: operation.id };
    },
  );
}

export async function renameSnapshot(
  context: HostContext,
  { user, snapshot, to }: { readonly user: Username; readonly snapshot: string; readonly to: string },
  call: Call,
): Promise<SnapshotRenamed> {
  return context.operations.run(
    { verb: 'snapshot rename', target: user, actor: call.actor, input: call.recorded },
    async () => {
      const held = await heldContainer(context, user);
      const { name, instance: holder } = snapshotNamed(held.snapshots, snapshot, user);
      refuseTaken(held, to);
      return { container: held.instance.name, holder, name };
    },
    async (operation, { container, holder, name }) => {
      await operation.step(context.steps.renameSnapshot, { instance: holder, snapshot: name, to }, () =>
        context.incus.snapshots.rename(holder, name, to),
      );
      return { user, container, from: name, to, operation: operation.id };
    },
  );
}

export async function scheduleSnapshots(
  context: HostContext,
  {
    user,
    every,
    keep,
  }: { readonly user: Username; readonly every: SnapshotFrequency | 'default'; readonly keep?: string },
  call: Call,
): Promise<SnapshotScheduled> {
  const { incus, settings, steps } = context;
  return context.operations.run(
    { verb: 'snapshot schedule', target: user, actor: call.actor, input: call.recorded },
    () => changeableInstanceOf(context, user, { own: true, stored: true }),
    async (operation, { name, config }) => {
      const choice: Schedule | undefined =
        every === 'default' ? undefined : { every, keep: keep ?? wantedSchedule({ config }, settings).keep };
      const { snapshots } = settings;
      const wanted = { ...scheduleConfig(choice ?? snapshots), ...choiceConfig(choice) };
      const previous = Object.fromEntries(Object.keys(wanted).map((key) => [key, config[key] ?? '']));
      await operation.step(
        steps.patchInstance,
        { instance: name, previous: JSON.stringify({ config: previous }) },
        () => incus.patch(name, { config: wanted }),
      );
      const schedule = presentSchedule({ config: wanted });
      return { user, container: name, schedule, isDefault: choice === undefined, operation: operation.id };
    },
  );
}

function toSnapshot({ name, createdAt, expiresAt, sizeBytes }: IncusSnapshot): Snapshot {
  const time = (text: string): string => new Date(text).toISOString();
  return {
    name,
    origin: originOf(name),
    createdAt: time(createdAt),
    expiresAt: expiresAt === null ? null : time(expiresAt),
    sizeBytes,
  };
}

function refuseTaken({ snapshots }: Snapshotted, wanted: string): void {
  if (!snapshots.some(({ name }) => name === wanted)) return;
  throw new Failure('exists', {
    what: `snapshot ${quoted(wanted)}`,
    why: 'the container has one of this name',
    next: 'choose another name',
  });
}

async function refuseTooMany(context: HostContext, user: Username, { snapshots }: Snapshotted): Promise<void> {
  const { own: max } = context.settings.snapshots;
  if (snapshots.filter(({ name }) => originOf(name) === 'owner').length < max) return;
  const own = (await snapshotsOf(context, user)).filter(({ name }) => originOf(name) === 'owner');
  const oldest = own.toSorted((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt))[0];
  throw new Failure('no-space', {
    what: 'your snapshots',
    why: `you have ${plural(own.length, 'snapshot')}, and ${max} are allowed`,
    next: oldest === undefined ? 'ask an admin' : `"snapshot delete ${oldest.name}" deletes the oldest`,
  });
}
