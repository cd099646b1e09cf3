import { describe, expect, it } from 'vitest';
import { stateOf, type BlockDevice } from '../../../src/install/dataDisk/disk.ts';

type Part = Omit<BlockDevice, 'children'>;

const blank: Part = {
  name: '/dev/vdb',
  type: 'disk',
  size: 100 * 1024 ** 3,
  fstype: null,
  label: null,
  pttype: null,
  mountpoints: [null],
};
const partition: Part = { ...blank, name: '/dev/vdb1', type: 'part' };
const member: Part = { ...partition, fstype: 'zfs_member', label: 'containarium' };

describe('a disk for the data', () => {
  it('may be empty', () => {
    expect(stateOf(blank)).toEqual({ kind: 'empty' });
  });

  it('may hold our pool, in the partition that ZFS makes', () => {
    const disk = { ...blank, pttype: 'gpt', children: [member, { ...partition, name: '/dev/vdb9' }] };
    expect(stateOf(disk)).toEqual({ kind: 'ours', member: '/dev/vdb1' });
  });

  it.each<[string, BlockDevice, RegExp]>([
    ['a file system', { ...blank, fstype: 'ext4', label: 'photos' }, /\/dev\/vdb has ext4 "photos"/],
    ['a partition table', { ...blank, pttype: 'dos' }, /has a partition table \(dos\)/],
    ['partitions', { ...blank, children: [partition] }, /it has partitions/],
    [
      'a file system in a partition',
      { ...blank, pttype: 'gpt', children: [{ ...partition, fstype: 'crypto_LUKS' }] },
      /partition table|crypto_LUKS/,
    ],
    ['another pool', { ...blank, pttype: 'gpt', children: [{ ...member, label: 'tank' }] }, /not empty/],
    ['a mounted file system', { ...blank, children: [{ ...partition, mountpoints: [null, '/'] }] }, /it is in use: \//],
    ['swap in use', { ...blank, fstype: 'swap', mountpoints: ['[SWAP]'] }, /it is in use: \[SWAP\]/],
    ['our pool, mounted', { ...blank, children: [{ ...member, mountpoints: ['/data'] }] }, /it is in use: \/data/],
    ['no disk', { ...blank, type: 'rom' }, /it is not a disk, but "rom"/],
    ['too little room', { ...blank, size: 1024 ** 3 }, /it has 1\.0 GiB, but at least 8 GiB are needed/],
  ])('is refused with %s', (_, disk, why) => {
    expect(() => stateOf(disk)).toThrow(
      expect.objectContaining({ code: 'wrong-state', why: expect.stringMatching(why) as string }),
    );
  });
});
