/** The files of jump accounts' keys, on a real file system and as root. */
import { chown, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JumpKeyFiles } from '../../src/host/jumpKeys.ts';
import { skipReason } from './jumpHost.ts';

describe.skipIf(skipReason !== undefined)('the keys of jump accounts', () => {
  let folder: string;
  let group: number;
  let files: JumpKeyFiles;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'containarium-keys-'));
    group = process.getgid?.() ?? 0;
    files = new JumpKeyFiles(folder, () => Promise.resolve(group));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('are what was written, until they are removed', async () => {
    expect(await files.read('alice')).toBeUndefined();
    await files.write('alice', 'one\n');
    await files.write('alice', 'two\n');
    expect(await files.read('alice')).toBe('two\n');
    expect((await stat(join(folder, 'alice'))).mode & 0o777).toBe(0o640);
    expect(await files.users()).toEqual(['alice']);
    await files.remove('alice');
    await files.remove('alice');
    expect(await readdir(folder)).toEqual([]);
  });

  it('are none if sshd cannot read them as the account: of another owner or group', async () => {
    for (const [uid, gid] of [
      [0, group + 12_345],
      [12_345, group],
    ] as const) {
      await files.write('alice', 'one\n');
      await chown(join(folder, 'alice'), uid, gid);
      expect(await files.read('alice')).toBeUndefined();
      await files.write('alice', 'one\n');
      expect(await files.read('alice')).toBe('one\n');
    }
  });

  it('are read again when the group has another number, as after a move to another machine', async () => {
    await files.write('alice', 'one\n');
    expect(await files.read('alice')).toBe('one\n');
    group += 1;
    await files.write('alice', 'one\n');
    expect(await files.read('alice')).toBe('one\n');
  });
});
