/** Raises the kernel limits that containers share: see `src/host/kernelLimits.ts`. */
import { access, constants, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { kernelLimits, lowLimits } from '../host/kernelLimits.ts';

const limitsPath = '/etc/sysctl.d/50-containarium.conf';

/** Renders a file for sysctl.d(5). `-` keeps a limit that the kernel lacks or refuses from being an error at boot. */
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

/** Raises the limits that are too low, now and at boot. Never lowers a limit. */
export async function raiseKernelLimits(say: (line: string) => void): Promise<void> {
  const low: string[] = [];
  // In a container the limits belong to the outer host and are read-only.
  for (const name of await lowLimits()) if (await writable(name)) low.push(name);
  if (low.length === 0) return;
  say(`Raising the kernel limits that all containers share: ${low.join(', ')}`);
  await writeFileAtomic(limitsPath, renderLimits(), { mode: 0o644 });
  for (const name of low) {
    await writeFile(join('/proc/sys', ...name.split('.')), `${kernelLimits[name]}\n`);
  }
}
