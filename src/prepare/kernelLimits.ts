/** Raises the kernel limits that containers share: see `src/domain/values/kernelLimits.ts`. */
import { access, constants, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type { KernelLimits } from '../domain/values/kernelLimits.ts';
import { limitStates, type LimitState } from '../host/kernelLimits.ts';

const limitsPath = '/etc/sysctl.d/50-containarium.conf';

/**
 * Renders a file for sysctl.d(5), without limits that are higher already: it must not lower them at the next boot. `-`
 * keeps a limit that the kernel lacks or refuses from being an error.
 */
export function renderLimits(states: readonly LimitState[]): string {
  const lines = states.filter(({ value, wanted }) => value <= wanted).map(({ name, wanted }) => `-${name} = ${wanted}`);
  return `# Written by containarium: limits that all containers share.\n${lines.join('\n')}\n`;
}

async function writable(name: string): Promise<boolean> {
  return access(join('/proc/sys', ...name.split('.')), constants.W_OK).then(
    () => true,
    () => false,
  );
}

/** Raises the limits that are too low, now and at boot. Never lowers a limit. */
export async function raiseKernelLimits(say: (line: string) => void, limits: KernelLimits): Promise<void> {
  const states = await limitStates(limits);
  const low: LimitState[] = [];
  // In a container the limits belong to the outer host and are read-only.
  for (const state of states) if (state.value < state.wanted && (await writable(state.name))) low.push(state);
  if (low.length === 0) return;
  say(`Raising the kernel limits that all containers share: ${low.map(({ name }) => name).join(', ')}`);
  await writeFileAtomic(limitsPath, renderLimits(states), { mode: 0o644 });
  for (const { name, wanted } of low) await writeFile(join('/proc/sys', ...name.split('.')), `${wanted}\n`);
}
