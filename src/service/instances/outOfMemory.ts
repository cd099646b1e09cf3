/** Whether a container has lately run out of memory, and what became of it. */
import type { OutOfMemory } from '../../domain/results/container.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import type { OomKills } from '../../host/oomKills.ts';

/** How long after the end of a container's init Incus may take to start it again, in milliseconds. */
const restartMs = 60_000;

/** Returns null if it has not, or if that is not known. */
export function outOfMemory(instance: IncusInstance, kills: OomKills | undefined): OutOfMemory | null {
  const kill = kills?.get(instance.name);
  if (kill === undefined) return null;
  const at = kill.at.toISOString();
  const running = instance.status.toLowerCase() === 'running';
  const startedMs = Date.parse((running ? instance.state?.started_at : null) ?? instance.last_used_at);
  const afterStartMs = kill.at.getTime() - startedMs;
  if (Number.isNaN(afterStartMs)) return null;
  if (running && afterStartMs >= 0) return { at, effect: 'killed' };
  if (!kill.init) return null;
  if (running) return afterStartMs > -restartMs ? { at, effect: 'restarted' } : null;
  return afterStartMs >= 0 ? { at, effect: 'stopped' } : null;
}
