/** The kernel limits that containers share (`src/domain/values/kernelLimits.ts`), as this kernel has them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KernelLimits } from '../domain/values/kernelLimits.ts';

export interface LimitState {
  readonly name: string;
  readonly value: number;
  readonly wanted: number;
}

/** Returns the limits that this kernel has, with their present values. */
export async function limitStates(wanted: KernelLimits, root = '/proc/sys'): Promise<LimitState[]> {
  const states = await Promise.all(
    Object.entries(wanted).map(async ([name, limit]) => {
      const text = await readFile(join(root, ...name.split('.')), 'utf8').catch(() => undefined);
      return text === undefined ? [] : [{ name, value: Number(text), wanted: limit }];
    }),
  );
  return states.flat();
}

/** Returns the limits that are too low. Leaves out limits that this kernel does not have. */
export async function lowLimits(wanted: KernelLimits, root = '/proc/sys'): Promise<LimitState[]> {
  return (await limitStates(wanted, root)).filter((state) => state.value < state.wanted);
}
