/**
 * The generations of a container. ZFS returns to its newest snapshot only (zfs-rollback(8)), and deletes the newer ones
 * if it is made to return further. So there a restore makes a new instance of the snapshot, and the instance of before
 * stays, stopped and under another name, for as long as it has snapshots: they are still the container's.
 */
import { timeName } from '../../domain/values/snapshotName.ts';
import { containerName, type Username } from '../../domain/values/username.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import type { InstanceSpec } from '../../host/incus/incus.ts';
import type { IncusSnapshot } from '../../host/incus/snapshots.ts';
import type { HostContext } from '../instances/context.ts';
import { field } from '../instances/metadata.ts';
import { retirement } from '../instances/retirement.ts';

/** The name of a snapshot of a container, with the instance that has it. */
export interface SnapshotPlace {
  readonly name: string;
  readonly instance: string;
}

export type KeptSnapshot = IncusSnapshot & SnapshotPlace;

/**
 * Returns the user whose container this instance was before a restore; undefined for every other instance, also for an
 * earlier generation of a container that is in the trash.
 */
export function replacedOf({ name, config }: Pick<IncusInstance, 'name' | 'config'>): string | undefined {
  if (config[field.trashed] !== undefined) return undefined;
  const user = config[field.replaced];
  return user !== undefined && name.startsWith(`${containerName(user)}-`) ? user : undefined;
}

/** Returns the earlier generations of a user's container. */
export async function generationsOf(
  { incus }: Pick<HostContext, 'incus'>,
  user: Username,
  signal?: AbortSignal,
): Promise<IncusInstance[]> {
  return (await incus.instances(signal)).filter((instance) => replacedOf(instance) === user);
}

/** The earlier generations of each container, by the name of its instance. */
export type Generations = ReadonlyMap<string, readonly IncusInstance[]>;

export function generationsAmong(instances: readonly IncusInstance[]): Generations {
  const found = new Map<string, IncusInstance[]>();
  for (const instance of instances) {
    const user = replacedOf(instance);
    if (user === undefined) continue;
    const name = containerName(user);
    found.set(name, [...(found.get(name) ?? []), instance]);
  }
  return found;
}

/** Returns an instance with the snapshots of its earlier generations among its own. */
export function withGenerations(instance: IncusInstance, generations: Generations): IncusInstance {
  const earlier = generations.get(instance.name) ?? [];
  if (earlier.length === 0) return instance;
  return { ...instance, snapshots: [instance, ...earlier].flatMap(({ snapshots }) => snapshots ?? []) };
}

/** Returns the snapshots of a container, those of its earlier generations included. */
export async function snapshotsOf(
  context: Pick<HostContext, 'incus'>,
  user: Username,
  signal?: AbortSignal,
): Promise<KeptSnapshot[]> {
  return ofEach(context, user, signal, async (instance) =>
    (await context.incus.snapshots.list(instance, signal)).map((snapshot) => ({ ...snapshot, instance })),
  );
}

/** Like {@link snapshotsOf}, but without the sizes, which take Incus longer than the rest. */
export async function snapshotNamesOf(context: Pick<HostContext, 'incus'>, user: Username): Promise<SnapshotPlace[]> {
  return ofEach(context, user, undefined, async (instance) =>
    (await context.incus.snapshots.names(instance)).map((name) => ({ name, instance })),
  );
}

/** Returns what is read of the container and of each of its earlier generations. */
async function ofEach<T>(
  context: Pick<HostContext, 'incus'>,
  user: Username,
  signal: AbortSignal | undefined,
  read: (instance: string) => Promise<T[]>,
): Promise<T[]> {
  const [own, earlier] = await Promise.all([
    read(containerName(user)),
    generationsOf(context, user, signal).then((found) => Promise.all(found.map(({ name }) => read(name)))),
  ]);
  return [...own, ...earlier.flat()];
}

/**
 * Returns the name under which an operation keeps an instance that is no longer the user's container. With the longest
 * user name it has 63 characters, as many as Incus allows.
 */
export function generationName(user: Username, now: Date, operation: string): string {
  return `${containerName(user)}-${timeName(now)}-${operation.slice(-4).toLowerCase()}`;
}

/** Returns the change that makes an instance an earlier generation of a user's container. */
export function becomesGeneration(user: Username, instance: IncusInstance): InstanceSpec {
  const { config, devices } = retirement(instance);
  return { config: { ...config, [field.replaced]: user }, devices };
}
