import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseIncusSize } from '../../../../src/simulated/program/units.ts';
import { base, devices, fixture } from '../support.ts';

test('a fresh host has a pool, a closed bridge with NAT, a simulated server, and nothing else', async () => {
  const { incus } = fixture();
  expect(await incus.pools()).toEqual([expect.objectContaining({ name: 'default', driver: 'btrfs' })]);
  expect((await incus.networks()).filter(({ managed }) => managed)).toEqual([
    {
      name: 'incusbr0',
      type: 'bridge',
      managed: true,
      config: {
        'ipv4.address': '10.0.3.1/24',
        'ipv4.nat': 'true',
        'ipv6.address': 'none',
        'dns.mode': 'none',
        'raw.dnsmasq': expect.stringContaining('dhcp-ignore=tag:!known') as string,
      },
    },
  ]);
  expect(await incus.instances()).toEqual([]);
  expect(await incus.images()).toEqual([]);
  expect(await incus.leasedAddresses('incusbr0')).toEqual(['10.0.3.1']);
  expect((await incus.poolSpace('default')).totalBytes).toBe(100 * 1024 ** 3);
  expect(await incus.server()).toMatchObject({
    auth: 'trusted',
    environment: { server_version: '6.0.4', kernel_version: '6.1.0-simulated' },
  });
});

test('incus query prints documents as the real client does, with sorted keys, tabs and an empty line at the end', async () => {
  const { run, incus } = fixture();
  await incus.create('b', base, { config: {}, devices: devices() });
  await incus.create('a', base, { config: {}, devices: devices() });
  const { stdout } = await run('incus', ['query', '/1.0/instances']);
  expect(stdout).toBe('[\n\t"/1.0/instances/a",\n\t"/1.0/instances/b"\n]\n\n');
  const document = (await run('incus', ['query', '/1.0/instances/a'])).stdout;
  const keys = Object.keys(JSON.parse(document) as object);
  expect(keys).toEqual([...keys].sort());
});

test('the recursion parameter selects how much of an instance is shown', async () => {
  const { run, incus } = fixture();
  await incus.create('a', base, { config: {}, devices: devices() });
  const fields = async (recursion: number) =>
    Object.keys(
      (JSON.parse((await run('incus', ['query', `/1.0/instances?recursion=${recursion}`])).stdout) as object[])[0] ??
        {},
    );
  expect(await fields(1)).not.toContain('state');
  expect(await fields(2)).toEqual(expect.arrayContaining(['state', 'snapshots', 'backups', 'expanded_devices']));
});

test('a query of a name finds exactly that instance', async () => {
  const { incus } = fixture();
  for (const name of ['al', 'alice', 'alice-2']) await incus.create(name, base, { config: {}, devices: devices() });
  expect((await incus.instance('alice'))?.name).toBe('alice');
  expect(await incus.instance('ali')).toBeUndefined();
});

test('incus query prints nothing for an empty object, like the real client on an idle server', async () => {
  const { run } = fixture();
  expect(await run('incus', ['query', '/1.0/operations?recursion=1'])).toEqual({ stdout: '', stderr: '', exitCode: 0 });
});

test.each([
  ['/1.0/nonsense', 'not found'],
  ['/nonsense', 'not found'],
  ['/1.0/instances/a/b/c', 'not found'],
  ['/1.0/instances/a/snapshots/b/c', 'not found'],
  ['/1.0/storage-pools/nope/resources', 'Storage pool not found'],
  ['/1.0/networks/nope', 'Network not found'],
  ['/1.0/networks/nope/leases', 'Failed loading network: Network not found'],
  ['/1.0/images/nope', 'Image "nope" not found'],
  ['/1.0/instances?recursion=2&filter=bogus', 'Invalid filter: the simulated host has none'],
  ['/1.0/instances/%FF', 'invalid URL escape "%FF"'],
])('incus query of %s fails with "%s"', async (path, message) => {
  expect(await fixture().say('incus', ['query', path])).toBe(`1 Error: ${message}`);
});

test('incus refuses unknown commands, unknown flags and missing arguments', async () => {
  const { say } = fixture();
  expect(await say('incus', ['nosuch'])).toBe('1 Error: unknown command "nosuch" for "incus"');
  expect(await say('incus', ['start', 'a', '--bogus'])).toBe('1 Error: unknown flag: --bogus');
  expect(await say('incus', ['start'])).toMatch(/^1 Error/);
  expect(await say('incus', [])).toMatch(/^1 Error/);
});

test('images and instances take space in the pool, and deleting them frees it', async () => {
  const { incus } = fixture();
  const used = async () => (await incus.poolSpace('default')).usedBytes;
  const before = await used();
  await incus.create('a', base, { config: {}, devices: devices() });
  const filled = await used();
  expect(filled).toBeGreaterThan(before);
  await incus.delete('a');
  expect(await used()).toBeLessThan(filled);
  for (const image of await incus.images()) await incus.deleteImage(image.fingerprint);
  expect(await used()).toBe(before);
});

test('parseIncusSize accepts an integer with a suffix of Incus, and nothing else', () => {
  const suffixes = { '': 1, B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(...Object.entries(suffixes)), (number, [suffix, factor]) => {
      expect(parseIncusSize(`${number}${suffix}`)).toBe(number * factor);
      expect(parseIncusSize(`${number} ${suffix}`)).toBeUndefined();
      expect(parseIncusSize(`-${number}${suffix}`)).toBeUndefined();
      expect(parseIncusSize(`${number}.5${suffix}`)).toBeUndefined();
    }),
  );
  for (const text of ['', 'GiB', '1gb', '1K', '1constructor', '1e3']) expect(parseIncusSize(text)).toBeUndefined();
});
