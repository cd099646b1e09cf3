/**
 * Kernel limits that a machine with many containers reaches: they count for all containers together, because every
 * container's root is one and the same user of the host. Every systemd takes about ten of the 128 inotify instances
 * that Debian allows in all, so the fourteenth container does not boot. The values follow Incus's "production setup"
 * documentation, lower where that is plenty.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export const kernelLimits: Readonly<Record<string, number>> = {
  'fs.inotify.max_user_instances': 65_536,
  'fs.inotify.max_user_watches': 524_288,
  // Every container and every Docker container in it has a session keyring.
  'kernel.keys.maxkeys': 2000,
  'kernel.keys.maxbytes': 2_000_000,
};

/** The limits that are lower than wanted. One that this kernel does not have is left out. */
export async function lowLimits(root = '/proc/sys'): Promise<string[]> {
  const low: string[] = [];
  for (const [name, wanted] of Object.entries(kernelLimits)) {
    const text = await readFile(join(root, ...name.split('.')), 'utf8').catch(() => undefined);
    if (text !== undefined && Number(text) < wanted) low.push(name);
  }
  return low;
}
