/** How much of a storage pool is free, also after something was deleted from it. */
import { setTimeout } from 'node:timers/promises';
import type { ServiceContext } from '../context.ts';

type Context = Pick<ServiceContext, 'incus' | 'settings'>;

export type Pause = (ms: number) => Promise<unknown>;

/**
 * How long a pool may take to show the space of what was deleted, in milliseconds. btrfs counts it as free at its next
 * commit, which is 30 s later at most (btrfs(5), `commit`).
 */
const maxLagMs = 45_000;
const everyMs = 1000;

async function freePercent({ incus }: Context, pool: string): Promise<number> {
  const { usedBytes, totalBytes } = await incus.poolSpace(pool);
  return totalBytes === 0 ? 100 : ((totalBytes - usedBytes) / totalBytes) * 100;
}

export async function isLow(context: Context, pool: string): Promise<boolean> {
  return (await freePercent(context, pool)) < context.settings.trash.minFreePercent;
}

/** Deletes something from a low pool, and reports whether the pool is still low when that space is free. */
export async function isLowAfter(
  context: Context,
  pool: string,
  act: () => Promise<unknown>,
  pause: Pause = setTimeout,
): Promise<boolean> {
  const before = await freePercent(context, pool);
  await act();
  let free = await freePercent(context, pool);
  for (let waitedMs = 0; free <= before && waitedMs < maxLagMs; waitedMs += everyMs) {
    await pause(everyMs);
    free = await freePercent(context, pool);
  }
  return free < context.settings.trash.minFreePercent;
}
