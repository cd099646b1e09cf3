/** Containers and updates of the live list. */
import type { FeedContainer, FeedUpdate } from '../../src/domain/events/notice.ts';

export const gib = 1024 ** 3;

export function container(user: string, over: Partial<FeedContainer> = {}): FeedContainer {
  return {
    user,
    name: `${user}-container`,
    status: 'running',
    provisioning: 'ready',
    address: '10.0.3.100',
    cpus: 2,
    memoryLimitBytes: 4 * gib,
    memoryUsedBytes: gib,
    diskQuotaBytes: 50 * gib,
    diskUsedBytes: 10 * gib,
    autostart: true,
    docker: true,
    protected: false,
    expiresAt: null,
    image: 'images:ubuntu/24.04',
    labels: {},
    createdAt: '2026-01-01T00:00:00.000Z',
    createdBy: 'tester',
    startedAt: '2026-01-02T00:00:00.000Z',
    processes: 20,
    processLimit: 2000,
    restartFor: [],
    snapshots: 0,
    lastSnapshotAt: null,
    lastBackupAt: null,
    outOfMemory: null,
    keys: [],
    cpuPercent: 3,
    ...over,
  };
}

export function whole(...containers: readonly FeedContainer[]): FeedUpdate {
  return { whole: true, changed: containers, removed: [], measuredAt: '2026-01-02T03:00:00.000Z', stale: null };
}

export function change(update: Partial<FeedUpdate>): FeedUpdate {
  return { whole: false, changed: [], removed: [], measuredAt: '2026-01-02T03:00:15.000Z', stale: null, ...update };
}
