import { expect, test } from 'vitest';
import { base, devices, fixture } from '../support.ts';
import type { Fixture } from '../support.ts';

const push = (path: string, ...more: string[]) => [
  'file',
  'push',
  '-',
  path,
  ...more,
  '--mode',
  '0600',
  '--uid',
  '0',
  '--gid',
  '0',
  '--quiet',
];

async function withInstance(): Promise<Fixture> {
  const made = fixture();
  await made.incus.create('a', base, { config: {}, devices: devices() });
  return made;
}

test('a file that is pushed to a stopped instance is pulled byte for byte', async () => {
  const { incus } = await withInstance();
  const content = 'line one\n\ttwo ünïcödé "quoted"\n\n';
  await incus.pushFile({ instance: 'a', path: '/deep/new/folder/file', content, mode: '0600' });
  expect(await incus.pullFile('a', '/deep/new/folder/file')).toBe(content);
  await incus.pushFile({ instance: 'a', path: '/deep/new/folder/file', content: '', mode: '0600' });
  expect(await incus.pullFile('a', '/deep/new/folder/file')).toBe('');
});

test('pullFile returns undefined for a missing file, and incus file pull fails for a missing instance', async () => {
  const { incus, say } = await withInstance();
  expect(await incus.pullFile('a', '/etc/nothing')).toBeUndefined();
  expect(await say('incus', ['file', 'pull', 'a/etc/nothing', '-'])).toBe('1 Error: file does not exist');
  expect(await say('incus', ['file', 'pull', 'a/__proto__', '-'])).toBe('1 Error: file does not exist');
  expect(await say('incus', ['file', 'pull', 'b/etc/nothing', '-'])).toContain('Instance not found');
});

test('incus file refuses a folder in place of a file, and a file in place of a folder', async () => {
  const { say } = await withInstance();
  expect(await say('incus', ['file', 'pull', 'a/etc', '-'])).toBe(
    "1 Error: Can't pull a directory without --recursive",
  );
  expect(await say('incus', ['file', 'pull', 'a/etc/os-release/x', '-'])).toBe(
    '1 Error: sftp: "open /etc/os-release/x: not a directory" (SSH_FX_FAILURE)',
  );
  expect(await say('incus', push('a/etc', '--create-dirs'), 'x')).toBe(
    '1 Error: sftp: "open /etc: is a directory" (SSH_FX_FAILURE)',
  );
  expect(await say('incus', push('a/etc/os-release/x', '--create-dirs'), 'x')).toBe(
    '1 Error: etc/os-release is not a directory',
  );
});

test('incus file push makes missing folders only with --create-dirs', async () => {
  const { say } = await withInstance();
  expect(await say('incus', push('a/nodir/x'), 'x')).toBe('1 Error: file does not exist');
  expect(await say('incus', push('a/etc/x'), 'x')).toBe('0 ');
  expect(await say('incus', push('a/nodir/x', '--create-dirs'), 'x')).toBe('0 ');
  expect(await say('incus', push('a/nodir/y'), 'y')).toBe('0 ');
});

test('incus delete removes the files of the instance', async () => {
  const { incus } = await withInstance();
  await incus.pushFile({ instance: 'a', path: '/etc/x', content: 'secret', mode: '0600' });
  await incus.delete('a');
  await incus.create('a', base, { config: {}, devices: devices() });
  expect(await incus.pullFile('a', '/etc/x')).toBeUndefined();
});

test('pushed files count as disk usage', async () => {
  const { incus } = await withInstance();
  const before = (await incus.state('a')).disk?.['root']?.usage ?? 0;
  await incus.pushFile({ instance: 'a', path: '/srv/big', content: 'x'.repeat(100_000), mode: '0600' });
  expect((await incus.state('a')).disk?.['root']?.usage).toBe(before + 100_000);
});

test('a command that prints more than its limit fails', async () => {
  const { incus } = await withInstance();
  await incus.pushFile({ instance: 'a', path: '/srv/big', content: 'x'.repeat(101), mode: '0600' });
  await expect(incus.pullFile('a', '/srv/big', { maxBytes: 100 })).rejects.toMatchObject({ code: 'unexpected-output' });
  expect(await incus.pullFile('a', '/srv/big', { maxBytes: 101 })).toHaveLength(101);
});
