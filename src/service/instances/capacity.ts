/** Warns of limits that are larger than what the host has. They are allowed: a host may get more. */
import { cpus, totalmem } from 'node:os';
import { plural } from '../../domain/text.ts';
import { formatExact, formatHuman, formatLimit } from '../../domain/values/size.ts';

interface Wanted {
  readonly cpu?: number | undefined;
  readonly memory?: number | undefined;
  readonly disk?: number | undefined;
}

export interface Capacity {
  readonly cpus: number;
  readonly memoryBytes: number;
  /** The storage pool, unless it has no quotas or Incus does not know its size. */
  readonly poolBytes: number | undefined;
}

/** Returns the capacity of this machine, with a pool of this size; 0 if Incus does not know it. */
export function capacityWith(poolBytes: number): Capacity {
  return {
    cpus: cpus().length,
    memoryBytes: totalmem(),
    poolBytes: poolBytes > 0 ? poolBytes : undefined,
  };
}

export function capacityWarnings({ cpu, memory, disk }: Wanted, host: Capacity): string[] {
  const { cpus: cpuCount, memoryBytes, poolBytes } = host;
  return [
    ...(cpu !== undefined && cpu > cpuCount
      ? [`the host has ${plural(cpuCount, 'CPU')}, so a limit of ${cpu} limits nothing`]
      : []),
    ...(memory !== undefined && memory > memoryBytes
      ? [`the host has ${formatHuman(memoryBytes)} of memory, so a limit of ${formatLimit(memory)} limits nothing`]
      : []),
    ...(disk !== undefined && poolBytes !== undefined && disk > poolBytes
      ? [`the disk (${formatExact(disk)}) is larger than the whole pool (${formatExact(poolBytes)})`]
      : []),
  ];
}
