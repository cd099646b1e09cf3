/** Reads of console logs that are followed: one a second for a container, however many follow it. */
import type { Incus } from '../host/incus/incus.ts';

type LogSource = Pick<Incus, 'consoleLog'>;

/** Interval at which a followed log is read again, in milliseconds: Incus has no stream of it. */
const followEveryMs = 1000;

/** The next read of each log, by the Incus and the name of the instance. */
const next = new WeakMap<LogSource, Map<string, Promise<string>>>();

/** Resolves with the console log as it is a second from the first request. All who ask meanwhile share the read. */
export function nextLog(incus: LogSource, name: string): Promise<string> {
  const reads = next.get(incus) ?? new Map<string, Promise<string>>();
  next.set(incus, reads);
  const known = reads.get(name);
  if (known !== undefined) return known;
  const read = new Promise((resolve) => setTimeout(resolve, followEveryMs))
    .then(() => incus.consoleLog(name))
    .finally(() => reads.delete(name));
  reads.set(name, read);
  return read;
}
