import { describe, expect, it } from 'vitest';
import {
  idChange,
  parseIdRanges,
  rootIds,
  roomFor,
  usermodArguments,
  type SubordinateIds,
} from '../../../src/host/subordinateIds.ts';

const block = 65_536;
const both = (text: string): SubordinateIds => ({ uids: parseIdRanges(text), gids: parseIdRanges(text) });
const debian = 'root:1000000:1000000000\n';

describe('parseIdRanges', () => {
  it('reads ranges, and skips comments and lines that are no range', () => {
    expect(parseIdRanges('# ids\nroot:100000:65536\n\nbroken\nbob:1:x\n1001:165536:65536\n')).toEqual([
      { owner: 'root', first: 100_000, count: block },
      { owner: '1001', first: 165_536, count: block },
    ]);
  });
});

describe('rootIds', () => {
  it('counts the containers for which the ids suffice: the first block stays with the others', () => {
    expect(rootIds(both(debian))).toMatchObject({ containers: 15_257 });
    expect([1, 2, 3, 252].map((blocks) => roomFor(blocks * block))).toEqual([0, 0, 1, 250]);
    expect(roomFor(3 * block + 1)).toBe(2);
  });

  it.each<[what: string, ids: SubordinateIds, fault: string]>([
    ['no entry', both('bob:100000:65536\n'), 'none'],
    ['ids too few for one container', both('root:100000:1000\n'), 'none'],
    ['several ranges', both('root:100000:65536\nroot:1000000:1000000000\n'), 'several'],
    ['user ids alone', { ...both(debian), gids: [] }, 'differ'],
    ['other group ids', { ...both(debian), gids: parseIdRanges('root:2000000:1000000000\n') }, 'differ'],
  ])('says what is wrong with %s', (_, ids, fault) => {
    expect(rootIds(ids)).toEqual({ fault });
  });
});

describe('idChange', () => {
  it('is undefined if there is room for 250 containers', () => {
    expect(idChange(both(debian))).toBeUndefined();
    expect(idChange(both(`root:100000:${252 * block}\n`))).toBeUndefined();
  });

  it.each<[what: string, text: string, used: readonly number[], first: number]>([
    ['where the packages of Incus begin', '', [], 1_000_000],
    ['above the ranges of other accounts', 'bob:100000:65536\nzoe:1000000:65536\n', [], 1_065_536],
    ['above accounts with such an id', '', [1001, 1_500_000], 1_500_001],
  ])('adds a range to root that has none, %s', (_, text, used, first) => {
    expect(idChange(both(text), used)).toEqual({ add: { owner: 'root', first, count: 1_000_000_000 } });
  });

  it('enlarges a range at its end, up to the next one, and keeps all that it has', () => {
    const change = idChange(both('root:100000:65536\nbob:50000000:65536\n'));
    expect(change).toEqual({
      remove: { owner: 'root', first: 100_000, count: block },
      add: { owner: 'root', first: 100_000, count: 49_900_000 },
    });
    expect(usermodArguments(change as NonNullable<typeof change>)).toEqual([
      ...['--del-subuids', '100000-165535', '--del-subgids', '100000-165535'],
      ...['--add-subuids', '100000-49999999', '--add-subgids', '100000-49999999', 'root'],
    ]);
  });

  it('enlarges no range into the group ids of another account', () => {
    const ids = { ...both('root:100000:65536\n'), gids: parseIdRanges('root:100000:65536\nbob:165536:65536\n') };
    expect(idChange(ids)).toBeNull();
  });

  it.each([
    ['another account has the next ids', 'root:100000:65536\nbob:165536:65536\n'],
    ['root has several ranges', 'root:100000:65536\nroot:1000000:65536\n'],
    ['no ids are left above those of others', 'bob:100000:4294000000\n'],
  ])('leaves it to an admin if %s', (_, text) => {
    expect(idChange(both(text))).toBeNull();
  });

  it('never overlaps an account whose id lies behind the range', () => {
    expect(idChange(both('root:100000:65536\n'), [20_000_000])).toMatchObject({ add: { count: 19_900_000 } });
  });
});
