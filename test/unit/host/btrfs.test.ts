import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { Btrfs, nestedIn, parseGroups, parseSubvolumes } from '../../../src/host/btrfs.ts';
import type { Command, Runner } from '../../../src/host/runner.ts';

const listing = [
  'ID 257 gen 10 top level 5 path containers/alice-container',
  'ID 258 gen 10 top level 5 path containers/bob-container',
  'ID 259 gen 11 top level 5 path containers-snapshots/alice-container/snap0',
  'ID 300 gen 12 top level 301 path containers/alice-container/rootfs/root/b/c',
  'ID 301 gen 12 top level 257 path containers/alice-container/rootfs/root/b',
  'ID 302 gen 13 top level 257 path containers/alice-container/rootfs/var/lib/docker/btrfs/subvolumes/0abc',
  '',
].join('\n');
const groups = [
  'Qgroupid    Referenced    Exclusive   Path',
  '--------    ----------    ---------   ----',
  '0/5              16384        16384   <toplevel>',
  '0/257         33554432     33554432   containers/alice-container',
  '0/300             1000         1000   x',
  '0/301              200          200   x',
  '0/302               30           30   x',
  '1/0               9999         9999   <0 member qgroups>',
].join('\n');

describe('nestedIn', () => {
  const tree = { ...parseSubvolumes(listing), bytes: parseGroups(groups).bytes };

  it("sums up a container's subvolumes at any depth, without snapshots of Incus", () => {
    expect(tree.doubtful).toBe(false);
    expect(nestedIn(tree, 257)).toEqual({ count: 3, docker: 1, bytes: 1230 });
    expect(nestedIn(tree, 258)).toEqual({ count: 0, docker: 0, bytes: 0 });
  });

  it('does not know bytes if quotas are off', () => {
    expect(nestedIn({ ...tree, bytes: undefined }, 257).bytes).toBeNull();
  });
});

describe('parseSubvolumes', () => {
  it('is in doubt about a name with a line break, and still returns the subvolume that has it', () => {
    const forged = (line: string) =>
      parseSubvolumes(`ID 257 gen 1 top level 5 path containers/a\nID 300 gen 1 top level 257 path x\n${line}\n`);
    expect(forged('ID 301 gen 1 top level 5 path y')).toMatchObject({ doubtful: false });
    for (const line of ['y', 'ID 300 gen 1 top level 258 path y', 'ID 299 gen 1 top level 258 path y', '']) {
      expect(forged(line), line).toMatchObject({ doubtful: true });
      expect(nestedIn({ ...forged(line), bytes: undefined }, 257).count).toBe(1);
    }
  });

  it('reads an empty list', () => {
    expect(parseSubvolumes('')).toEqual({ subvolumes: [], doubtful: false });
  });
});

describe('Btrfs', () => {
  const refused = (stderr: string) =>
    new Failure('program-failed', { what: 'btrfs', why: stderr, details: { stderr } });

  it('lists in a unit of its own where the kernel refuses the server itself', async () => {
    const commands: Command[] = [];
    const runner: Runner = {
      run: (command) => {
        commands.push(command);
        return command.program === 'btrfs'
          ? Promise.reject(refused("ERROR: can't perform the search: Operation not permitted"))
          : Promise.resolve({ stdout: command.args.includes('list') ? listing : groups, stderr: '', exitCode: 0 });
      },
    };
    const tree = await new Btrfs(runner).tree('/pool');
    expect(nestedIn(tree, 257).bytes).toBe(1230);
    expect(commands.map(({ program }) => program)).toEqual(['btrfs', 'systemd-run', 'btrfs', 'systemd-run']);
    expect(commands[1]?.args.slice(-5)).toEqual(['--', 'btrfs', 'subvolume', 'list', '/pool']);
  });

  it('lists without bytes where quotas are off, and rejects for any other failure', async () => {
    const failing = (stderr: string): Runner => ({
      run: ({ args }) =>
        args.includes('list')
          ? Promise.resolve({ stdout: listing, stderr: '', exitCode: 0 })
          : Promise.reject(refused(stderr)),
    });
    expect(
      (await new Btrfs(failing("ERROR: can't list qgroups: quotas not enabled")).tree('/pool')).bytes,
    ).toBeUndefined();
    await expect(new Btrfs(failing('ERROR: not a btrfs filesystem')).tree('/pool')).rejects.toThrow('not a btrfs');
  });
});
