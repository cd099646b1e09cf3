import type { Settings } from '../../settings/settings.ts';
import { formatExact } from '../../domain/values/size.ts';

/** Returns the sizes of a new container as `create` takes them. */
export function defaultSizes({ defaults: { cpu, memory, disk, processes } }: Settings): Record<string, string> {
  return { cpu: String(cpu), memory: formatExact(memory), disk: formatExact(disk), processes: String(processes) };
}
