/**
 * Kernel limits that a machine with many containers reaches: they count for all containers together, because every container's root
 * is one and the same user of the host. Every systemd takes several of the 128 inotify instances that Debian allows in all.
 * The values follow Incus's "production setup" documentation, lower where 1024 of something is plenty for one machine.
 */
import { access, constants, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';

export const kernelLimits: Readonly<Record<string, number>> = {
  'fs.inotify.max_user_instances': 1024,
  'fs.inotify.max_user_watches': 524_288,
  // Every container and every Docker container in it has a session keyring.
  'kernel.keys.maxkeys': 2000,
  'kernel.keys.maxbytes': 2_000_000,
};

export const limitsPath = '/etc/sysctl.d/50-containarium.conf';

/** The limits that are lower than wanted. One that this kernel does not have is left out. */
export async function lowLimits(root = '/proc/sys'): Promise<string[]> {
  const low: string[] = [];
  for (const [name, wanted] of Object.entries(kernelLimits)) {
    const text = await readFile(join(root, ...name.split('.')), 'utf8').catch(() => undefined);
    if (text !== undefined && Number(text) < wanted) low.push(name);
  }
  return low;
}

/** sysctl.d(5); `-` makes a limit that the kernel does not have, or refuses, no error at boot. */
export function renderLimits(): string {
  const lines = Object.entries(kernelLimits).map(([name, value]) => `-${name} = ${value}`);
  return `# Written by containarium: limits that all containers share.\n${lines.join('\n')}\n`;
}

async function writable(name: string): Promise<boolean> {
  return access(join('/proc/sys', ...name.split('.')), constants.W_OK).then(
    () => true,
    () => false,
  );
}

/** Raises what is too low, now and at boot; never lowers anything. */
export async function raiseKernelLimits(say: (line: string) => void): Promise<void> {
  const low: string[] = [];
  // In a container they belong to the host around it, and are nobody's to change.
  for (const name of await lowLimits()) if (await writable(name)) low.push(name);
  if (low.length === 0) return;
  say(`Raising kernel limits that all containers share: ${low.join(', ')}`);
  await writeFileAtomic(limitsPath, renderLimits(), { mode: 0o644 });
  for (const name of low) {
    await writeFile(join('/proc/sys', ...name.split('.')), `${kernelLimits[name]}\n`);
  }
}
