/** Simulated hosts for unit tests of capabilities: made once in a test file, and copied for each test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, vi } from 'vitest';
import type { Actor } from '../../../src/domain/access/actor.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { parseName, type Username } from '../../../src/domain/values/username.ts';
import { promisedAddresses } from '../../../src/service/instances/addresses.ts';
import type { Call } from '../../../src/service/instances/context.ts';
import type { IncusInstance } from '../../../src/host/incus/documents.ts';
import type { HostState } from '../../../src/simulated/state/state.ts';
import { difference, snapshot } from './snapshot.ts';
import { carol, commandsOf, copyWorld, hostStateOf, statePath, World, type WorldOptions } from './world.ts';

export interface HostOptions extends WorldOptions {
  /** Changes the stored host before it is opened. */
  readonly edit?: (state: HostState) => void;
}

export const alice: Username = parseName('alice');
export const bob: Username = parseName('bob');

/**
 * Returns a function that opens a copy of the host that `make` makes. Call it at the top of a test file: it registers
 * hooks that close the hosts after each test and remove their files at the end.
 */
export function hosts(make: (world: World) => Promise<unknown>): (options?: HostOptions) => Promise<World> {
  const root = mkdtempSync(join(tmpdir(), 'containarium-hosts-'));
  const open: World[] = [];
  let copies = 0;
  let template: Promise<string> | undefined;
  const makeTemplate = async (): Promise<string> => {
    const world = await World.open(join(root, 'template'));
    await make(world);
    await world.close();
    return world.folder;
  };
  afterEach(async () => {
    await Promise.all(open.splice(0).map((world) => world.close()));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  return async ({ edit, ...options } = {}) => {
    copies += 1;
    template ??= makeTemplate();
    const folder = await copyWorld(await template, join(root, String(copies)));
    if (edit !== undefined) {
      const state = hostStateOf(folder);
      edit(state);
      writeFileSync(statePath(folder), JSON.stringify(state));
    }
    const world = await World.open(folder, options);
    open.push(world);
    return world;
  };
}

/** Gives every storage pool a driver without quotas. Use it as {@link HostOptions.edit}. */
export function withoutQuotas(state: HostState): void {
  for (const pool of state.pools) pool.driver = 'dir';
}

/** Returns a call by `actor`, an admin by default. */
export function callBy(actor: Actor = carol, over: Partial<Call> = {}): Call {
  return {
    actor,
    signal: new AbortController().signal,
    permit: () => undefined,
    progress: { step: () => undefined, note: () => undefined, output: () => undefined },
    recorded: {},
    reachedAt: '198.51.100.1',
    terminal: undefined,
    shell: undefined,
    ...over,
  };
}

/** Returns an owner at self@. */
export function owner(...owns: readonly Username[]): Actor {
  return { name: owns[0] ?? 'nobody', role: 'owner', entryPoint: 'self', owns, fingerprint: 'SHA256:owner' };
}

/** Returns the commands that changed the host, or tried to, since it was opened. */
export function changesOf(world: World): string[] {
  return commandsOf(world.folder)
    .filter(({ changes }) => changes)
    .map(({ program, args }) => [program, ...args].join(' '));
}

/** Runs a call that must fail. Resolves to its failure if the host is as before the call, with nothing left over. */
export async function undone(world: World, act: () => Promise<unknown>): Promise<Failure> {
  const before = snapshot(hostStateOf(world.folder));
  const failure = await act().then(
    () => expect.fail('the call succeeded'),
    (error: unknown) => Failure.from(error),
  );
  const after = snapshot(hostStateOf(world.folder));
  expect(after, difference(before, after)).toBe(before);
  expect(world.operations.open()).toEqual([]);
  expect(promisedAddresses(world.context.incus)).toEqual([]);
  return failure;
}

/** Like {@link undone}, for a call that must be refused before it tries any change. */
export async function refused(world: World, act: () => Promise<unknown>): Promise<Failure> {
  const before = changesOf(world);
  const failure = await undone(world, act);
  expect(changesOf(world)).toEqual(before);
  return failure;
}

/** Runs `act` while another operation holds the target. */
export async function whileHeld<T>(world: World, target: string, act: () => Promise<T>): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const holder = world.operations.run(
    { verb: 'restart', target, actor: carol, input: {} },
    () => Promise.resolve(),
    () => promise,
  );
  try {
    return await act();
  } finally {
    resolve(undefined);
    await holder;
  }
}

/** Changes what Incus reports of a single instance, until the end of the test. */
export function reportInstances(
  { context: { incus } }: World,
  change: (instance: IncusInstance) => IncusInstance,
): void {
  const query = incus.instance.bind(incus);
  vi.spyOn(incus, 'instance').mockImplementation(async (...args) => {
    const found = await query(...args);
    return found === undefined ? undefined : change(found);
  });
}
