import { expect, test } from 'vitest';
import { makeHostKey } from '../../../../src/host/hostKey.ts';
import { base, devices, fixture, prepareImage, seed } from '../support.ts';
import type { Fixture } from '../support.ts';

const address = '10.0.3.7';
const image = 'cx/debian';

async function prepared(): Promise<Fixture> {
  const made = fixture();
  await prepareImage(made, image);
  await made.incus.create('a', image, { config: {}, devices: devices(address) });
  return made;
}

test('ssh-keyscan returns the seeded host key of a prepared container only while it runs', async () => {
  const made = await prepared();
  const key = makeHostKey('a');
  await seed(made, 'a', key.privateKey);
  expect(await made.keyscan.hostKey(address)).toBeUndefined();
  await made.incus.start('a');
  expect(await made.keyscan.hostKey(address)).toBe(key.publicKey);
  const scan = (...args: string[]) => made.run('ssh-keyscan', args);
  expect((await scan('-t', 'ed25519', '-p', '22', '-T', '2', address)).stdout).toBe(`${address} ${key.publicKey}\n`);
  expect(await scan('-t', 'ed25519', '-p', '23', '-T', '2', address)).toEqual({ stdout: '', stderr: '', exitCode: 1 });
  expect(await scan('-t', 'ed25519', '-p', '22', '-T', '2', '10.0.3.99')).toEqual({
    stdout: '',
    stderr: '',
    exitCode: 1,
  });
  await made.incus.restart('a');
  expect(await made.keyscan.hostKey(address)).toBe(key.publicKey);
  await made.incus.stop('a');
  expect(await made.keyscan.hostKey(address)).toBeUndefined();
});

test('the first start of a prepared container applies the seed', async () => {
  const made = await prepared();
  await seed(made, 'a', makeHostKey('a').privateKey, 'alice');
  await made.incus.start('a');
  expect(await made.incus.pullFile('a', '/etc/hostname')).toBe('a\n');
  expect(await made.incus.pullFile('a', '/etc/sudoers.d/90-containarium')).toBe('alice ALL=(ALL) NOPASSWD:ALL\n');
  expect(await made.incus.pullFile('a', '/etc/containarium/seed/user')).toBeUndefined();
  expect(await made.incus.pullFile('a', '/etc/containarium/seed/done')).toBe('alice\n');
});

test('the first boot with a partial seed fails and starts no sshd', async () => {
  const made = await prepared();
  await made.incus.create('b', image, { config: {}, devices: devices('10.0.3.8') });
  await made.incus.pushFile({ instance: 'b', path: '/etc/containarium/seed/user', content: 'bob\n', mode: '0644' });
  await made.incus.pushFile({
    instance: 'b',
    path: '/etc/ssh/ssh_host_ed25519_key',
    content: makeHostKey('b').privateKey,
    mode: '0600',
  });
  await made.incus.start('b');
  expect(await made.keyscan.hostKey('10.0.3.8')).toBeUndefined();
});

test('a host key that is pushed after the start is served from the next start on', async () => {
  const made = await prepared();
  const key = makeHostKey('a');
  await made.incus.start('a');
  await made.incus.pushFile({
    instance: 'a',
    path: '/etc/ssh/ssh_host_ed25519_key',
    content: key.privateKey,
    mode: '0600',
  });
  expect(await made.keyscan.hostKey(address)).toBeUndefined();
  await made.incus.restart('a');
  expect(await made.keyscan.hostKey(address)).toBe(key.publicKey);
});

test.each([
  ['no key', undefined, '0600'],
  ['a damaged key', 'garbage', '0600'],
  ['a key that others may read', makeHostKey('a').privateKey, '0644'],
])('sshd does not answer with %s', async (_, content, mode) => {
  const made = await prepared();
  if (content !== undefined)
    await made.incus.pushFile({ instance: 'a', path: '/etc/ssh/ssh_host_ed25519_key', content, mode });
  await made.incus.start('a');
  expect(await made.keyscan.hostKey(address)).toBeUndefined();
});

test('a bare base image has no sshd', async () => {
  const made = fixture();
  await made.incus.create('a', base, { config: {}, devices: devices(address) });
  await seed(made, 'a', makeHostKey('a').privateKey);
  await made.incus.start('a');
  expect(await made.keyscan.hostKey(address)).toBeUndefined();
});
