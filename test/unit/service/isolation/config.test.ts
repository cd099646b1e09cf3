/** When the next start of a container changes the owner of every file. */
import { describe, expect, it } from 'vitest';
import { shiftsIds } from '../../../../src/service/isolation/config.ts';

const map = (first: number): string =>
  JSON.stringify([{ Isuid: true, Isgid: true, Hostid: first, Nsid: 0, Maprange: 65_536 }]);
const instance = (onDisk: string | undefined, next: string) => ({
  config: { ...(onDisk === undefined ? {} : { 'volatile.last_state.idmap': onDisk }), 'volatile.idmap.next': next },
});

describe('the ids of the files of a container', () => {
  it.each([
    ['change at the first start with ids of its own', instance(map(1_000_000), map(1_065_536)), true],
    ['stay at the starts after it', instance(map(1_065_536), map(1_065_536)), false],
    ['stay where the storage maps them at its mount', instance('[]', map(1_065_536)), false],
    ['stay as far as is known where Incus does not say', instance(undefined, map(1_065_536)), false],
    ['stay as far as is known where it cannot be read', instance('{', map(1_065_536)), false],
  ])('%s', (_, found, shifts) => {
    expect(shiftsIds(found)).toBe(shifts);
  });
});
