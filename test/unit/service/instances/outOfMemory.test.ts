import { describe, expect, it } from 'vitest';
import type { IncusInstance } from '../../../../src/host/incus/documents.ts';
import { outOfMemory } from '../../../../src/service/instances/outOfMemory.ts';

const start = Date.parse('2030-01-01T12:00:00Z');
const time = (seconds: number): string => new Date(start + seconds * 1000).toISOString();

function instance(status: 'Running' | 'Stopped'): IncusInstance {
  return {
    name: 'a',
    type: 'container',
    status,
    created_at: '',
    last_used_at: time(0),
    location: 'none',
    config: {},
    devices: {},
    state: { status, started_at: status === 'Running' ? time(0) : '0001-01-01T00:00:00Z' },
  };
}

describe('outOfMemory', () => {
  it.each([
    ['a process was killed since its start', 'Running', 60, false, 'killed'],
    ['its init was killed just before its start', 'Running', -3, true, 'restarted'],
    ['its init was killed long before its start', 'Running', -3600, true, null],
    ['a process was killed before its start', 'Running', -3, false, null],
    ['it stopped because its init was killed', 'Stopped', 60, true, 'stopped'],
    ['it stopped later than a process was killed', 'Stopped', 60, false, null],
    ['its init was killed in an earlier run', 'Stopped', -60, true, null],
  ] as const)('knows of a container that %s (%s)', (_, status, seconds, init, effect) => {
    const kills = new Map([['a', { at: new Date(start + seconds * 1000), init }]]);
    expect(outOfMemory(instance(status), kills)).toEqual(effect === null ? null : { at: time(seconds), effect });
  });

  it('is null if nothing was killed, or if that is not known', () => {
    expect(outOfMemory(instance('Running'), new Map())).toBeNull();
    expect(outOfMemory(instance('Running'), undefined)).toBeNull();
  });
});
