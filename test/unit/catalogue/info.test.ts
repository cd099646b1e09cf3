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
      lastSeen: { at: '2026-11-23T11:00:00.000Z', address: '192.0.2.7', fingerprint: null },
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

it('info shows when and from where the user was last connected', () => {
  expect(fieldsOf({}).get('Last seen')).toBe('2026-11-23T11:00:00.000Z, from 192.0.2.7');
});

it('info says why a container has to restart, and how, only while it has to', () => {
  expect(fieldsOf({}).has('Restart needed')).toBe(false);
  expect(fieldsOf({ restartFor: ['it still has the user ids of other containers'] }).get('Restart needed')).toBe(
    'it still has the user ids of other containers: "restart alice"',
  );
});
