import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseNetwork } from '../../../../src/domain/values/network.ts';
import { BanStore } from '../../../../src/service/access/banStore.ts';

const maxPenaltyMs = 600_000;
const give = { forMs: undefined, reason: undefined, by: 'carol' };

let folder: string;
let nowMs: number;
let bans: BanStore;

const open = (): Promise<BanStore> =>
  BanStore.open(join(folder, 'bans.json'), { now: () => new Date(nowMs), maxPenaltyMs, onTrouble: () => undefined });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-bans-'));
  nowMs = Date.parse('2026-11-24T12:00:00Z');
  bans = await open();
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function penalised(source: string, overMs = 60_000) {
  return bans.penalised({ source, why: 'failedLogin', times: 1, untilMs: nowMs + overMs });
}

describe('bans', () => {
  it('last until they end, survive a reopening, and are reported at every change', async () => {
    const told: string[][] = [];
    bans.follow({
      bans: (all) => told.push(all.map(({ network }) => network)),
      lifted: (source) => told.push([`lifted ${source}`]),
    });
    await bans.add(parseNetwork('192.0.2.0/24'), { ...give, forMs: 3_600_000, reason: 'scans' });
    await bans.add(parseNetwork('2001:db8::/48'), give);
    bans = await open();
    expect(bans.list().map(({ network, until, reason, by }) => [network, until, reason, by])).toEqual([
      ['192.0.2.0/24', '2026-11-24T13:00:00.000Z', 'scans', 'carol'],
      ['2001:db8::/48', null, null, 'carol'],
    ]);
    nowMs += 3_600_000;
    expect(bans.list().map(({ network }) => network)).toEqual(['2001:db8::/48']);
    expect(told).toEqual([['192.0.2.0/24'], ['192.0.2.0/24', '2001:db8::/48']]);
  });

  it('replace an earlier ban of the same network, and number at most 1,000', async () => {
    await bans.add(parseNetwork('192.0.2.7'), give);
    await bans.add(parseNetwork('192.0.2.7'), { ...give, reason: 'again' });
    expect(bans.list()).toMatchObject([{ network: '192.0.2.7', reason: 'again' }]);
    await writeFile(
      join(folder, 'bans.json'),
      JSON.stringify({
        penalties: [],
        bans: Array.from({ length: 1000 }, (_, i) => ({
          network: `10.0.${i >> 8}.${i & 255}`,
          reason: null,
          by: 'carol',
          at: '',
          until: null,
        })),
      }),
    );
    bans = await open();
    await expect(bans.add(parseNetwork('192.0.2.8'), give)).rejects.toMatchObject({ code: 'busy' });
  });

  it('are unchanged if they cannot be written', async () => {
    await bans.add(parseNetwork('192.0.2.7'), give);
    await rm(folder, { recursive: true });
    await expect(bans.add(parseNetwork('192.0.2.8'), give)).rejects.toThrow();
    await expect(bans.lift(parseNetwork('192.0.2.7'))).rejects.toThrow();
    expect(bans.list().map(({ network }) => network)).toEqual(['192.0.2.7']);
  });

  it('and penalties are both on disk, whichever was written last', async () => {
    const onDisk = async (): Promise<string[]> => (await open()).list().map(({ network }) => network);
    await bans.add(parseNetwork('192.0.2.0/24'), give);
    penalised('198.51.100.1');
    await bans.settled();
    expect(await onDisk()).toEqual(['192.0.2.0/24', '198.51.100.1']);
    await bans.add(parseNetwork('203.0.113.0/24'), give);
    expect(await onDisk()).toEqual(['192.0.2.0/24', '203.0.113.0/24', '198.51.100.1']);
  });

  it('are not lost silently if their file is damaged', async () => {
    await writeFile(join(folder, 'bans.json'), '{"bans": [');
    await expect(open()).rejects.toMatchObject({ code: 'settings' });
  });
});

describe('penalties from the front', () => {
  it('are remembered after their end for as long as the longest penalty lasts', async () => {
    penalised('192.0.2.7');
    await bans.settled();
    bans = await open();
    expect(bans.list()).toMatchObject([
      { network: '192.0.2.7', kind: 'penalty', reason: 'too many failed logins', by: null },
    ]);
    nowMs += 60_000;
    expect(bans.list()).toEqual([]);
    expect(bans.penalties).toHaveLength(1);
    nowMs += maxPenaltyMs;
    expect(bans.penalties).toEqual([]);
  });

  it('are rejected for a network, for a name, and for too long a duration', () => {
    for (const source of ['192.0.2.0/24', '2001:db8::/63', '2001:db8::1', 'localhost', ''])
      expect(penalised(source)).toBeUndefined();
    expect(penalised('192.0.2.7', maxPenaltyMs + 2000)).toBeUndefined();
    expect(penalised('2001:db8::/64')).toMatchObject({ network: '2001:db8::/64' });
  });

  it('are limited in number; the newest are kept', async () => {
    for (let i = 0; i < 12_000; i++) penalised(`10.0.${i >> 8}.${i & 255}`);
    expect(bans.penalties).toHaveLength(10_000);
    await bans.settled();
    expect(
      (JSON.parse(await readFile(join(folder, 'bans.json'), 'utf8')) as { penalties: unknown[] }).penalties,
    ).toHaveLength(10_000);
  });

  it('are lifted with a network that contains them, or by an address of their source', async () => {
    const lifted: string[] = [];
    bans.follow({ bans: () => undefined, lifted: (source) => lifted.push(source) });
    for (const source of ['192.0.2.7', '192.0.2.8', '198.51.100.1', '2001:db8::/64']) penalised(source);
    await bans.lift(parseNetwork('192.0.2.0/24'));
    await bans.lift(parseNetwork('2001:db8::5'));
    expect(lifted).toEqual(['192.0.2.7', '192.0.2.8', '2001:db8::/64']);
    await expect(bans.lift(parseNetwork('192.0.2.7'))).rejects.toMatchObject({ code: 'not-found' });
    expect(bans.list().map(({ network }) => network)).toEqual(['198.51.100.1']);
  });
});
