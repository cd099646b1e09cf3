import { describe, expect, test } from 'vitest';
import { base, Clock, devices, failureOf, fixture, spec } from '../support.ts';

const create = (name: string, image = base) => ['create', image, name, '--no-profiles', '--quiet'];
const patch = (name: string, body: unknown) => [
  'query',
  '--request',
  'PATCH',
  '--data',
  JSON.stringify(body),
  `/1.0/instances/${name}`,
];

const remoteError = 'Failed instance creation: Failed getting remote image info: Failed getting image:';

describe('incus create', () => {
  test('makes a stopped instance with its configuration, its devices and the properties of its image', async () => {
    const { incus } = fixture();
    await incus.create('alice-container', base, {
      config: { 'limits.cpu': '2', 'user.x': '' },
      devices: devices('10.0.3.7'),
    });
    const made = await incus.instance('alice-container');
    expect(made).toMatchObject({
      name: 'alice-container',
      status: 'Stopped',
      devices: devices('10.0.3.7'),
      state: { status: 'Stopped' },
    });
    expect(made?.config).toMatchObject({
      'limits.cpu': '2',
      'image.os': 'Debian',
      'volatile.apply_template': 'create',
    });
    expect(made?.config).not.toHaveProperty('user.x');
    expect(made?.state?.network).toBeNull();
  });

  // The exit codes and texts below are those of Incus 6.0.4.
  test.each([
    ['an underscore', 'sim_bad', 'Invalid instance name: Name can only contain alphanumeric and hyphen characters'],
    ['a dot', 'sim.x', 'Invalid instance name: Name can only contain alphanumeric and hyphen characters'],
    ['a hyphen at the end', 'sim-', 'Invalid instance name: Name must not end with "-" character'],
    ['64 characters', 'a'.repeat(64), 'Invalid instance name: Name must be 1-63 characters long'],
  ])('refuses a name with %s', async (_, name, message) => {
    expect(await fixture().say('incus', create(name), spec())).toBe(`1 Error: ${message}`);
  });

  test('refuses a name that is taken, with the error of the database', async () => {
    const { say } = fixture();
    expect(await say('incus', create('a'), spec())).toBe('0 ');
    expect(await say('incus', create('a'), spec())).toBe(
      '1 Error: Failed creating instance record: Add instance info to the database: Failed to create "instances" entry: ' +
        'UNIQUE constraint failed: instances.project_id, instances.name',
    );
  });

  test.each([
    ['base/unknown', 'Image "base/unknown" not found'],
    ['deadbeefdeadbeef', 'Image "deadbeefdeadbeef" not found'],
    ['foo:debian/12', 'The remote "foo" doesn\'t exist'],
    ['images:debian/99', `${remoteError} The requested image couldn't be found for fingerprint "debian/99"`],
    ['images:__proto__', `${remoteError} The requested image couldn't be found for fingerprint "__proto__"`],
  ])('refuses the unknown image %s and downloads nothing', async (image, message) => {
    const { say, incus } = fixture();
    expect(await say('incus', create('a', image), spec())).toBe(`1 Error: ${message}`);
    expect(await incus.images()).toEqual([]);
  });

  test.each([
    ['a bad limit', { config: { 'limits.memory': 'nonsense' }, devices: devices() }, 'Invalid value: nonsense'],
    ['an unknown key', { config: { 'nokey.x': '1' }, devices: devices() }, 'Unknown configuration key: nokey.x'],
    [
      'no root disk',
      { config: {} },
      'Failed initializing instance: Failed getting root disk: No root device could be found',
    ],
    [
      'an unknown pool',
      { devices: { root: { type: 'disk', path: '/', pool: 'nopool' } } },
      'Failed initializing instance: Failed loading storage pool: Storage pool not found',
    ],
    [
      'an unknown network',
      { devices: { ...devices(), eth0: { type: 'nic', network: 'nonet' } } },
      'Failed initializing instance: Invalid devices: Device validation failed for "eth0": Failed loading device "eth0": ' +
        'Failed to load network "nonet" for project "default": Network not found',
    ],
    [
      'an address outside the bridge',
      { devices: devices('10.94.0.3') },
      'Failed initializing instance: Invalid devices: Device validation failed for "eth0": ' +
        'Device IP address "10.94.0.3" not within network "incusbr0" subnet',
    ],
    [
      'a bad size',
      { devices: devices(undefined, 'nonsense') },
      'Failed initializing instance: Invalid devices: Device validation failed for "root": ' +
        'Invalid value for device option "size": Invalid value: nonsense',
    ],
  ])('refuses %s and leaves nothing behind', async (_, input, message) => {
    const { say, incus } = fixture();
    expect(await say('incus', create('a'), JSON.stringify(input))).toBe(
      `1 Error: Failed creating instance record: ${message}`,
    );
    expect(await incus.instances()).toEqual([]);
    expect(await incus.images()).toEqual([]);
  });
});

describe('a simulated instance', () => {
  test('starts with its fixed address on eth0', async () => {
    const clock = new Clock();
    const { incus } = fixture({ now: clock.now });
    await incus.create('a', base, { config: {}, devices: devices('10.0.3.7') });
    clock.advance(1000);
    await incus.start('a');
    const made = await incus.instance('a');
    expect(made).toMatchObject({
      status: 'Running',
      state: { status: 'Running', started_at: new Date(clock.ms).toISOString() },
    });
    expect(made?.state?.network?.['eth0']?.addresses?.[0]).toEqual({
      family: 'inet',
      address: '10.0.3.7',
      scope: 'global',
    });
  });

  test('gets user ids of its own if it is isolated, from its next start on', async () => {
    const { incus } = fixture();
    const ids = async (name: string): Promise<(string | undefined)[]> => {
      const { config = {} } = (await incus.instance(name)) ?? {};
      return ['current', 'next', 'base'].map((key) => config[`volatile.idmap.${key}`]);
    };
    await incus.create('a', base, { config: {}, devices: devices() });
    await incus.create('b', base, { config: { 'security.idmap.isolated': 'true' }, devices: devices() });
    await incus.start('a');
    const [shared, , none] = await ids('a');
    expect([(await ids('b'))[2], none]).toEqual(['1065536', '0']);
    await incus.patch('a', { config: { 'security.idmap.isolated': 'true' } });
    const [still, next, block] = await ids('a');
    expect(still).toBe(shared);
    expect(block).toBe('1131072');
    expect(next).toContain('"Hostid":1131072,"Nsid":0,"Maprange":65536');
    await incus.restart('a', { force: true });
    expect((await ids('a'))[0]).toBe(next);
  });

  test('gets no address on a closed bridge if Incus has none for it', async () => {
    const { incus } = fixture();
    await incus.create('a', base, { config: {}, devices: devices() });
    await incus.start('a');
    expect(await incus.leasedAddresses('incusbr0')).toEqual(['10.0.3.1']);
  });

  test('gets a unique address by DHCP if Incus filters its addresses', async () => {
    const { incus } = fixture();
    const { eth0, ...others } = devices();
    const filtered = { ...others, eth0: { ...eth0, 'security.ipv4_filtering': 'true' } };
    for (const name of ['a', 'b', 'c', 'd']) {
      await incus.create(name, base, { config: {}, devices: filtered });
      await incus.start(name);
    }
    const leased = await incus.leasedAddresses('incusbr0');
    expect(leased).toHaveLength(5);
    expect(new Set(leased).size).toBe(5);
    for (const address of leased) expect(address).toMatch(/^10\.0\.3\.\d+$/);
  });

  test('uses CPU time that grows until a restart, and memory below its limit', async () => {
    const clock = new Clock();
    const { incus } = fixture({ now: clock.now });
    await incus.create('a', base, { config: { 'limits.memory': '64MiB' }, devices: devices() });
    await incus.start('a');
    const first = await incus.state('a');
    clock.advance(3_600_000);
    const later = await incus.state('a');
    expect(later.cpu?.usage).toBeGreaterThan(first.cpu?.usage ?? Infinity);
    expect(later.disk?.['root']?.usage).toBeGreaterThan(first.disk?.['root']?.usage ?? Infinity);
    expect(later.memory?.usage).toBeGreaterThan(0);
    expect(later.memory?.usage).toBeLessThan(64 * 1024 ** 2);
    expect(later.memory?.total).toBe(64 * 1024 ** 2);
    await incus.restart('a');
    expect((await incus.state('a')).cpu?.usage).toBe(first.cpu?.usage);
    await incus.stop('a');
    const stopped = await incus.state('a');
    expect(stopped).toMatchObject({
      status: 'Stopped',
      cpu: { usage: 0 },
      memory: { usage: 0 },
      started_at: '0001-01-01T00:00:00Z',
    });
    expect(stopped.disk?.['root']?.usage).toBe(later.disk?.['root']?.usage);
  });

  test('is charged for page cache until the limit is near, which does not count as memory in use', async () => {
    const clock = new Clock();
    const { run, incus } = fixture({ now: clock.now });
    await incus.create('a', base, { config: { 'limits.memory': '512MiB' }, devices: devices() });
    await incus.create('off', base, { config: {}, devices: devices() });
    await incus.start('a');
    clock.advance(86_400_000);
    const charged = (await incus.state('a')).memory?.usage ?? 0;
    const inUse = await incus.memoryInUse();
    expect(charged).toBe(Math.floor(512 * 1024 ** 2 * 0.97));
    expect([...inUse.keys()]).toEqual(['a']);
    expect(inUse.get('a')).toBeGreaterThan(24 * 1024 ** 2);
    expect(inUse.get('a')).toBeLessThan(192 * 1024 ** 2);
    // The new limit lies between memory in use and charged memory: the kernel drops cache to reach it.
    await incus.patch('a', { config: { 'limits.memory': '192MiB' } });
    expect((await incus.memoryInUse()).get('a')).toBe(inUse.get('a'));
    const { stdout } = await run('incus', ['query', '/1.0/metrics?project=default']);
    expect(stdout).toMatch(
      /^incus_memory_MemTotal_bytes\{name="a",project="default",type="container"\} 2\.01326592e\+08$/m,
    );
    await incus.stop('a');
    expect(await incus.memoryInUse()).toEqual(new Map());
  });

  test('uses the same resources on every host', async () => {
    const usage = async () => {
      const { incus } = fixture({ now: new Clock().now });
      await incus.create('a', base, { config: {}, devices: devices() });
      await incus.start('a');
      return incus.instancesWithState();
    };
    expect(await usage()).toEqual(await usage());
  });

  test('refuses a change to the state it is in already, with the hints of the real client', async () => {
    const { say, incus } = fixture();
    await incus.create('a', base, { config: {}, devices: devices() });
    const hint = 'Try `incus info --show-log a` for more info';
    expect(await say('incus', ['stop', 'a', '--timeout', '30', '--quiet'])).toBe(
      '1 Error: The instance is already stopped',
    );
    expect(await say('incus', ['restart', 'a', '--force', '--quiet'])).toBe(
      `1 Error: The instance is already stopped\n${hint}`,
    );
    await incus.start('a');
    expect(await say('incus', ['start', 'a', '--quiet'])).toBe(`1 Error: The instance is already running\n${hint}`);
    expect(await say('incus', ['delete', 'a', '--quiet'])).toBe(
      '1 Error: The instance is currently running, stop it first or pass --force',
    );
    expect(await say('incus', ['delete', 'a', '--force', '--quiet'])).toBe('0 ');
    expect(await incus.instance('a')).toBeUndefined();
  });

  test('can be created with an address that another instance has, but neither of them starts', async () => {
    const { say, incus } = fixture();
    await incus.create('a', base, { config: {}, devices: devices('10.0.3.7') });
    await incus.create('b', base, { config: {}, devices: devices('10.0.3.7') });
    for (const name of ['a', 'b']) {
      expect(await say('incus', ['start', name, '--quiet'])).toBe(
        '1 Error: Failed start validation for device "eth0": IP address "10.0.3.7" already defined on another NIC\n' +
          `Try \`incus info --show-log ${name}\` for more info`,
      );
    }
  });

  test.each([
    ['incus start', ['start', 'no', '--quiet']],
    ['incus stop', ['stop', 'no', '--timeout', '30', '--quiet']],
    ['incus restart', ['restart', 'no', '--force', '--quiet']],
    ['incus exec', ['exec', 'no', '--force-noninteractive', '--', 'true']],
    [
      'incus file push',
      ['file', 'push', '-', 'no/x', '--create-dirs', '--mode', '0600', '--uid', '0', '--gid', '0', '--quiet'],
    ],
    ['incus file pull', ['file', 'pull', 'no/x', '-']],
    ['incus publish', ['publish', 'no', '--alias', 'x', '--reuse', '--quiet']],
    ['a PATCH request', patch('no', {})],
    ['a request for the state', ['query', '/1.0/instances/no/state']],
    ['incus start with the name of a prototype property', ['start', 'constructor', '--quiet']],
  ])('that does not exist makes %s fail', async (_, args) => {
    const name = args.includes('constructor') ? 'constructor' : 'no';
    expect(await fixture().say('incus', args)).toBe(
      `1 Error: Failed to fetch instance "${name}" in project "default": Instance not found`,
    );
  });

  test('that does not exist makes incus delete fail with a message of its own', async () => {
    expect(await fixture().say('incus', ['delete', 'no', '--force', '--quiet'])).toBe(
      '1 Error: Failed checking instance exists "local:no": Failed to fetch instance "no" in project "default": Instance not found',
    );
  });
});

describe('a PATCH request', () => {
  test('sets and unsets keys, replaces whole devices, and keeps the rest', async () => {
    const { incus } = fixture();
    await incus.create('a', base, { config: { 'user.x': '1', 'user.y': '2' }, devices: devices('10.0.3.7') });
    await incus.patch('a', {
      config: { 'user.x': '', 'limits.cpu': '3' },
      devices: { root: { ...devices()['root'], size: '9GiB' } },
    });
    const made = await incus.instance('a');
    expect(made?.config).toMatchObject({ 'user.y': '2', 'limits.cpu': '3' });
    expect(made?.config).not.toHaveProperty('user.x');
    expect(made?.devices).toEqual(devices('10.0.3.7', '9GiB'));
    expect(made?.state?.disk?.['root']?.total).toBe(9 * 1024 ** 3);
  });

  test.each([
    [{ 'limits.memory': 'nonsense' }, 'Invalid value: nonsense'],
    [{ 'limits.memory': '512 MiB' }, 'Invalid value: 512 MiB'],
    [{ 'limits.memory': '0' }, "Memory limit can't be 0"],
    [{ 'limits.memory': '-1' }, 'Invalid value: -1'],
    [{ 'limits.cpu': 'nonsense' }, 'Invalid CPU limit syntax'],
    [{ 'limits.cpu': '0' }, 'Invalid cpuset value: 0'],
    [{ 'boot.autostart': 'maybe' }, 'Invalid value for a boolean "maybe"'],
    [{ 'limits.processes': 'x' }, 'Invalid value for an integer "x"'],
    [{ 'boot.nokey': 'x' }, 'Unknown configuration key: boot.nokey'],
  ])('refuses the configuration %j', async (config, message) => {
    const { say, incus } = fixture();
    await incus.create('a', base, { config: {}, devices: devices() });
    const before = await incus.instance('a');
    expect(await say('incus', patch('a', { config }))).toBe(`1 Error: Invalid config: ${message}`);
    expect(await incus.instance('a')).toEqual(before);
  });

  test('applies nothing if one part of the change is invalid', async () => {
    const { say, incus } = fixture();
    await incus.create('a', base, { config: {}, devices: devices() });
    const change = { config: { 'limits.memory': '256MiB' }, devices: devices(undefined, 'nonsense') };
    expect(await say('incus', patch('a', change))).toBe(
      '1 Error: Invalid devices: Device validation failed for "root": Invalid value for device option "size": Invalid value: nonsense',
    );
    expect((await incus.instance('a'))?.config).not.toHaveProperty('limits.memory');
  });

  test.each([
    [
      { root: { ...devices()['root'], bogus: '1' } },
      'Device validation failed for "root": Invalid device option "bogus"',
    ],
    [
      { root: { type: 'disk', path: '/' } },
      'Device validation failed for "root": Root disk entry must have a "pool" property set',
    ],
    [{ root: {} }, 'Device validation failed for "root": Failed loading device "root": Missing device type in config'],
    [{ x: { type: 'nosuch' } }, 'Device validation failed for "x": Failed loading device "x": Unsupported device type'],
  ])('refuses the devices %j', async (changed, message) => {
    const { say, incus } = fixture();
    await incus.create('a', base, { config: {}, devices: devices() });
    expect(await say('incus', patch('a', { devices: changed }))).toBe(`1 Error: Invalid devices: ${message}`);
  });

  test('refuses an address that another instance has', async () => {
    const { say, incus } = fixture();
    await incus.create('a', base, { config: {}, devices: devices('10.0.3.7') });
    await incus.create('b', base, { config: {}, devices: devices('10.0.3.8') });
    expect(await say('incus', patch('b', { devices: devices('10.0.3.7') }))).toBe(
      '1 Error: Failed update validation for device "eth0": IP address "10.0.3.7" already defined on another NIC',
    );
    expect((await incus.instance('b'))?.devices).toEqual(devices('10.0.3.8'));
  });

  test('can shrink a disk, but not below its used space', async () => {
    const { incus } = fixture();
    await incus.create('a', base, { config: {}, devices: devices() });
    await incus.patch('a', { devices: devices(undefined, '1GiB') });
    const failure = await failureOf(incus.patch('a', { devices: devices(undefined, '1MiB') }));
    expect(failure.code).toBe('program-failed');
    expect(failure.why).toMatch(/btrfs qgroup limit 1048576 .*Disk quota exceeded/);
    expect((await incus.instance('a'))?.devices).toEqual(devices(undefined, '1GiB'));
    // A size of 0 means no quota.
    await incus.patch('a', { devices: devices(undefined, '0') });
    expect((await incus.instance('a'))?.state?.disk?.['root']?.total).toBe(100 * 1024 ** 3);
  });

  test('can set the memory limit far below the memory in use only while the instance is stopped', async () => {
    const { say, incus } = fixture();
    await incus.create('a', base, { config: {}, devices: devices() });
    await incus.start('a');
    const less = patch('a', { config: { 'limits.memory': '1MiB' } });
    expect(await say('incus', less)).toBe('1 Error: setting cgroup item for the container failed');
    await incus.stop('a');
    expect(await say('incus', less)).toBe('0 ');
  });

  test("refuses an invalid body with the errors of Go's JSON decoder", async () => {
    const { say, incus } = fixture();
    await incus.create('a', base, { config: {}, devices: devices() });
    expect(await say('incus', ['query', '--request', 'PATCH', '--data', '{bad', '/1.0/instances/a'])).toBe(
      '1 Error: json: cannot unmarshal string into Go value of type jmap.Map',
    );
    expect(await say('incus', patch('a', { config: { 'user.x': 5 } }))).toBe(
      '1 Error: json: cannot unmarshal number into Go struct field InstancePut.config of type string',
    );
    expect(await say('incus', patch('a', []))).toBe(
      '1 Error: json: cannot unmarshal array into Go value of type jmap.Map',
    );
  });
});
