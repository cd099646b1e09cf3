import { expect, it } from 'vitest';
import { info, type InfoResult } from '../../../src/catalogue/verbs/info.ts';
import { container } from '../../support/containers.ts';

const context = { now: new Date('2026-11-23T12:00:00Z'), terminal: false };

function fieldsOf(change: Parameters<typeof container>[1]): Map<string, string> {
  const result: InfoResult = {
    container: {
      ...container('alice', change),
      storage: { pool: 'default', driver: 'zfs', quotas: true },
      hostKeyFingerprint: null,
      lastLoginAt: null,
      keyList: [],
      network: null,
      recent: { cpuPercent: [], memoryBytes: [] },
      jumpAccount: { exists: true, shell: '/usr/sbin/nologin' },
    },
  };
  const [block] = info.view(result, context);
  if (block?.kind !== 'fields') throw new Error('no fields');
  return new Map(block.fields.map(([name, value]) => [name, value]));
}

it('info shows the processes with their limit', () => {
  expect(fieldsOf({}).get('Processes')).toBe('20 of at most 2000');
  expect(fieldsOf({ processes: null }).get('Processes')).toBe('- of at most 2000');
  expect(fieldsOf({ processLimit: null }).get('Processes')).toBe('20');
  expect(fieldsOf({ processes: null, processLimit: null }).get('Processes')).toBe('-');
});

it('info says why a container has to restart, and how, only while it has to', () => {
  expect(fieldsOf({}).has('Restart needed')).toBe(false);
  expect(fieldsOf({ restartFor: ['it still has the user ids of other containers'] }).get('Restart needed')).toBe(
    'it still has the user ids of other containers: "restart alice"',
  );
});
