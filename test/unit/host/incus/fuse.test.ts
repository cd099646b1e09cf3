import { mkdir, readFile, writeFile, chown } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { FuseConnections, ownIds } from '../../../../src/host/incus/fuse.ts';
import { eventually, temporaryFolder } from '../../../support/server.ts';

const uid = process.getuid?.() ?? 0;
const mine = { first: uid, count: 1 };

describe('FUSE connections of a container that is being killed', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  /** Adds a connection as fusectl shows it. */
  async function connection(name: string): Promise<string> {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'abort'), '');
    return join(folder, name, 'abort');
  }

  it('are aborted while it lasts, also those that are opened meanwhile', async () => {
    const first = await connection('41');
    let second = '';
    const result = await new FuseConnections(folder, 5).abortDuring(
      () => Promise.resolve(mine),
      async () => {
        await eventually(async () => (await readFile(first, 'utf8')) === '1' || undefined, 'the first is aborted');
        second = await connection('42');
        await eventually(async () => (await readFile(second, 'utf8')) === '1' || undefined, 'the second is aborted');
        return 'stopped';
      },
    );
    expect(result).toBe('stopped');
  });

  it.runIf(uid === 0)('of others are left alone', async () => {
    const [ours, others] = [await connection('41'), await connection('42')];
    await chown(join(folder, '42'), 165_536, 165_536);
    await new FuseConnections(folder, 5).abortDuring(
      () => Promise.resolve(mine),
      () => eventually(async () => (await readFile(ours, 'utf8')) === '1' || undefined, 'ours is aborted'),
    );
    expect(await readFile(others, 'utf8')).toBe('');
  });

  it('are not looked for twice at the same Incus, and a failure of the query changes nothing', async () => {
    const abort = await connection('41');
    let asked = 0;
    const ids = () => {
      asked += 1;
      return asked === 1 ? Promise.reject(new Error('Incus does not answer')) : Promise.resolve(mine);
    };
    await new FuseConnections(folder, 5).abortDuring(ids, () =>
      eventually(async () => (await readFile(abort, 'utf8')) === '1' || undefined, 'it is aborted'),
    );
    expect(asked).toBe(2);
  });

  it('need no folder', async () => {
    const kill = (): Promise<string> => new Promise((resolve) => setImmediate(() => resolve('stopped')));
    const none = new FuseConnections(join(folder, 'none'), 1);
    expect(await none.abortDuring(() => Promise.resolve(mine), kill)).toBe('stopped');
  });

  it('make no failure of another kind', async () => {
    const failing = new FuseConnections(folder, 1).abortDuring(
      () => Promise.resolve(undefined),
      () => Promise.reject(new Error('busy')),
    );
    await expect(failing).rejects.toThrow('busy');
  });
});

describe('the ids of an instance', () => {
  const map = JSON.stringify([
    { Isuid: true, Isgid: false, Hostid: 1_131_072, Nsid: 0, Maprange: 65_536 },
    { Isuid: false, Isgid: true, Hostid: 1_131_072, Nsid: 0, Maprange: 65_536 },
  ]);

  it('are those of its map if no other has them', () => {
    expect(ownIds({ 'security.idmap.isolated': 'true', 'volatile.idmap.current': map })).toEqual({
      first: 1_131_072,
      count: 65_536,
    });
  });

  it.each([
    ['shared with others', { 'volatile.idmap.current': map }],
    ['absent', { 'security.idmap.isolated': 'true' }],
    ['unreadable', { 'security.idmap.isolated': 'true', 'volatile.idmap.current': '{' }],
    ['none', { 'security.idmap.isolated': 'true', 'volatile.idmap.current': '[]' }],
  ])('are unknown if they are %s', (_why, config) => {
    expect(ownIds(config)).toBeUndefined();
  });
});
