/**
 * Kernel limits that a machine with many containers reaches. All containers share them, because the root users of all
 * containers are the same user of the host. Each systemd takes about ten of the 128 inotify instances that Debian
 * allows, so the fourteenth container would not boot. The values follow Incus's "production setup" documentation, or
 * are lower where that is enough.
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

/** Returns the limits that are too low. Leaves out limits that this kernel does not have. */
export async function lowLimits(root = '/proc/sys'): Promise<string[]> {
  const low: string[] = [];
  for (const [name, wanted] of Object.entries(kernelLimits)) {
    const text = await readFile(join(root, ...name.split('.')), 'utf8').catch(() => undefined);
    if (text !== undefined && Number(text) < wanted) low.push(name);
  }
  return low;
}
