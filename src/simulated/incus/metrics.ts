/** Simulates `/1.0/metrics`: the memory of containers as OpenMetrics text (incus 6.0, observed). */
import type { HostState, InstanceRecord } from '../state/state.ts';
import * as usage from './usage.ts';

/** Formats a number as Go does: from a million on with an exponent of two digits. */
function goNumber(value: number): string {
  return value < 1e6 ? String(value) : value.toExponential().replace(/\+(\d)$/, '+0$1');
}

/** Returns bytes by series. Half of the page cache is active. All other memory is anonymous. */
function memoryOf(instance: InstanceRecord, nowMs: number): Record<string, number> {
  const total = usage.memoryTotalBytes(instance);
  const charged = usage.memoryChargedBytes(instance, nowMs);
  const inUse = usage.memoryInUseBytes(instance, nowMs);
  const cached = charged - inUse;
  const active = Math.floor(cached / 2);
  return {
    Active_anon: 0,
    Active_file: active,
    Active: active,
    Cached: cached,
    Inactive_anon: inUse,
    Inactive_file: cached - active,
    Inactive: inUse + cached - active,
    MemAvailable: total - charged + cached,
    MemFree: total - charged,
    MemTotal: total,
    RSS: inUse,
    Shmem: 0,
  };
}

export function metricsText(state: HostState, nowMs: number): string {
  // Incus measures only running instances.
  const running = Object.values(state.instances)
    .filter((instance) => instance.run !== null)
    .map((instance) => ({ name: instance.name, memory: memoryOf(instance, nowMs) }));
  const series = Object.keys(running[0]?.memory ?? {}).flatMap((kind) => {
    const metric = `incus_memory_${kind}_bytes`;
    const samples = running.map(
      ({ name, memory }) =>
        `${metric}{name="${name}",project="default",type="container"} ${goNumber(memory[kind] ?? 0)}`,
    );
    return [`# HELP ${metric} ${kind}.`, `# TYPE ${metric} gauge`, ...samples];
  });
  const server = [
    '# HELP incus_operations_total The number of running operations',
    '# TYPE incus_operations_total counter',
    `incus_operations_total ${state.underway.length}`,
  ];
  return [...series, ...server, '# EOF', ''].join('\n');
}
