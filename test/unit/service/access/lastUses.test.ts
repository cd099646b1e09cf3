import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LastUses } from '../../../../src/service/access/lastUses.ts';
import type { Actor } from '../../../../src/domain/access/actor.ts';
import { certificateUse } from '../../../../src/service/access/adminStore.ts';

let folder: string;
let troubles: string[];
const path = (): string => join(folder, 'last-uses.json');
const open = (): Promise<LastUses> => LastUses.open(path(), ({ code }) => troubles.push(code));
const carol: Actor = {
  name: 'carol',
  role: 'operator',
  entryPoint: 'manage',
  fingerprint: 'SHA256:carol',
  address: '192.0.2.1',
};
const at = new Date('2026-11-24T12:00:00Z');

beforeEach(async () => {
  troubles = [];
  folder = await mkdtemp(join(tmpdir(), 'containarium-uses-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the last use of a key', () => {
  it('is recorded for logins at manage@, by key or by certificate, and survives a restart', async () => {
    const uses = await open();
    uses.note(carol, at);
    uses.note(
      { ...carol, certificate: { ca: 'office', keyId: 'x', serial: '1' }, fingerprint: 'SHA256:certified' },
      at,
    );
    uses.note(
      {
        name: 'alice',
        role: 'owner',
        entryPoint: 'self',
        owns: ['alice'],
        fingerprint: 'SHA256:alice',
        address: '192.0.2.1',
      },
      at,
    );
    uses.note({ name: 'root', role: 'root', entryPoint: 'local' }, at);
    await uses.settled();
    const later = await open();
    const known = ['SHA256:carol', certificateUse('carol'), 'SHA256:certified', 'SHA256:alice'].map(
      (key) => later.of(key) ?? null,
    );
    const use = { at: at.toISOString(), address: '192.0.2.1' };
    expect(known).toEqual([use, use, null, null]);
  });

  it('is kept for the ten thousand most recently used keys', async () => {
    const uses = await open();
    uses.note(carol, at);
    uses.note({ ...carol, fingerprint: 'SHA256:first' }, at);
    for (let i = 0; i < 9998; i++) uses.note({ ...carol, fingerprint: `SHA256:${i}` }, at);
    uses.note(carol, at);
    uses.note({ ...carol, fingerprint: 'SHA256:last' }, at);
    expect(
      ['SHA256:carol', 'SHA256:first', 'SHA256:0', 'SHA256:last'].map((key) => uses.of(key) !== undefined),
    ).toEqual([true, false, true, true]);
  });

  it('prevents neither start nor stop: a damaged file is left alone, and a failed write is ignored', async () => {
    await writeFile(path(), '{"uses": [');
    const uses = await open();
    expect(troubles).toHaveLength(1);
    uses.note(carol, at);
    await uses.settled();
    expect(uses.of('SHA256:carol')).toBeDefined();
    expect(await readFile(path(), 'utf8')).toBe('{"uses": [');
    await rm(path());
    const other = await open();
    await rm(folder, { recursive: true });
    other.note(carol, at);
    await other.settled();
    expect(other.of('SHA256:carol')).toBeDefined();
  });
});
