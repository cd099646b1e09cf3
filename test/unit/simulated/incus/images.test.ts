import { expect, test } from 'vitest';
import { base, devices, fixture } from '../support.ts';

test('incus create keeps one local copy of a remote image', async () => {
  const { incus } = fixture();
  await incus.create('a', 'images:ubuntu/24.04', { config: {}, devices: devices() });
  await incus.create('b', 'images:ubuntu/24.04', { config: {}, devices: devices() });
  const images = await incus.images();
  expect(images).toHaveLength(1);
  expect(images[0]).toMatchObject({ aliases: [], properties: { os: 'Ubuntu', release: 'noble' } });
  expect(await incus.pullFile('b', '/etc/os-release')).toContain('VERSION_ID="24.04"');
});

test('a published image has files, an alias and properties, and instances can be created from its alias or fingerprint', async () => {
  const { incus, run } = fixture();
  await incus.create('a', base, { config: {}, devices: devices() });
  await incus.pushFile({ instance: 'a', path: '/opt/tool', content: 'v1', mode: '0755' });
  const publish = ['publish', 'a', '--alias', 'cx/debian', '--reuse', '--quiet'];
  const { stdout } = await run('incus', [...publish, 'user.base=images:debian/12', 'empty']);
  const fingerprint = /^Instance published with fingerprint: ([0-9a-f]{64})\n$/.exec(stdout)?.[1] ?? '';
  const image = (await incus.images()).find((candidate) => candidate.fingerprint === fingerprint);
  expect(image).toMatchObject({
    aliases: [{ name: 'cx/debian' }],
    properties: { 'user.base': base, empty: '', os: 'Debian' },
  });
  await incus.pushFile({ instance: 'a', path: '/opt/tool', content: 'v2', mode: '0755' });
  for (const [name, reference] of [
    ['b', 'cx/debian'],
    ['c', fingerprint],
    ['d', fingerprint.slice(0, 12)],
  ] as const) {
    await incus.create(name, reference, { config: {}, devices: devices() });
    expect(await incus.pullFile(name, '/opt/tool')).toBe('v1');
  }
  expect((await incus.instance('b'))?.config).toMatchObject({
    'volatile.base_image': fingerprint,
    'image.user.base': base,
  });
});

test('incus publish replaces the image that has the same alias', async () => {
  const { incus } = fixture();
  await incus.create('a', base, { config: {}, devices: devices() });
  await incus.publish('a', 'x', { turn: '1' });
  await incus.publish('a', 'x', { turn: '2' });
  const turns = (await incus.images()).map((image) => image.properties?.['turn']);
  expect(turns).toEqual([undefined, '2']);
});

test('incus publish refuses a running instance', async () => {
  const { incus, say } = fixture();
  await incus.create('a', base, { config: {}, devices: devices() });
  await incus.start('a');
  expect(await say('incus', ['publish', 'a', '--alias', 'x', '--reuse', '--quiet'])).toBe(
    '1 Error: The instance is currently running. Use --force to have it stopped and restarted',
  );
});

test('incus image delete removes an image and keeps its instances', async () => {
  const { incus, say } = fixture();
  await incus.create('a', base, { config: {}, devices: devices() });
  const [image] = await incus.images();
  await incus.deleteImage(image?.fingerprint ?? '');
  expect(await say('incus', ['image', 'delete', image?.fingerprint ?? '', '--quiet'])).toBe('1 Error: Image not found');
  expect(await incus.images()).toEqual([]);
  expect((await incus.instance('a'))?.status).toBe('Stopped');
});
