/** `create` on a simulated host with a prepared image and the container of bob. */
import { describe, expect, it, vi } from 'vitest';
import type { FailureCode } from '../../../src/domain/failure.ts';
import { parseName } from '../../../src/domain/values/username.ts';
import { createContainer, type CreateRequest } from '../../../src/service/create.ts';
import { promisedAddresses } from '../../../src/service/instances/addresses.ts';
import type { PortAnswer, SshPort } from '../../../src/host/sshPort.ts';
import type { Fault } from '../../../src/simulated/faults/faults.ts';
import type { HostState, InstanceRecord } from '../../../src/simulated/state/state.ts';
import {
  alice,
  bob,
  callBy,
  changesOf,
  hosts,
  refused,
  undone,
  whileHeld,
  withoutQuotas,
  type HostOptions,
} from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import { commandsOf, hostStateOf, type World } from '../../support/world/world.ts';

const gib = 1024 ** 3;
const mib = 1024 ** 2;
const keys = [newKey('alice@desk'), newKey('alice@laptop')];
const bobKey = newKey('bob@desk');

const host = hosts(async (world) => {
  await world.context.accounts.ensureGroup('other');
  await world.context.accounts.create({ name: 'dave', comment: 'Dave, not ours', group: 'other' });
  await world.must('image build');
  await createContainer(world.context, { user: bob, keys: [bobKey] }, callBy());
});

const create = (world: World, over: Partial<CreateRequest> = {}, call = callBy()): ReturnType<typeof createContainer> =>
  createContainer(world.context, { user: alice, keys: keys.slice(0, 1), ...over }, call);

const instanceOf = (world: World, name = 'alice-container'): InstanceRecord => {
  const found = hostStateOf(world.folder).instances[name];
  if (found === undefined) throw new Error(`the host has no ${name}`);
  return found;
};

/** Settings with a name of the host. */
const named: HostOptions = { settings: { jump: { hostKeys: [], hostname: 'jump.example.org' } } };

const poolOf = (state: HostState): HostState['pools'][number] => {
  const [pool] = state.pools;
  if (pool === undefined) throw new Error('the host has no pool');
  return pool;
};

const bridge = (state: HostState, address: string): void => {
  for (const network of state.networks) if (network.name === 'incusbr0') network.config['ipv4.address'] = address;
};

/** Stops bob's container and gives it these fixed addresses instead of its own. */
const moveBob = (state: HostState, ...addresses: readonly string[]): void => {
  const found = state.instances['bob-container'];
  if (found === undefined) throw new Error('the host has no container of bob');
  const { eth0, ...others } = found.devices;
  const nics = addresses.map((address, n) => [`eth${n}`, { ...eth0, name: `eth${n}`, 'ipv4.address': address }]);
  found.devices = { ...others, ...(Object.fromEntries(nics) as InstanceRecord['devices']) };
  found.run = null;
};

describe('create', () => {
  it('makes a running container that serves its host key, and answers with it', async () => {
    const world = await host(named);
    const { container, ...result } = await create(world, { keys });
    expect(container).toMatchObject({
      user: 'alice',
      name: 'alice-container',
      status: 'running',
      provisioning: 'ready',
      address: '10.0.3.101',
      cpus: 4,
      memoryLimitBytes: 4 * gib,
      diskQuotaBytes: 50 * gib,
      autostart: true,
      docker: true,
      labels: {},
      createdBy: 'carol',
      keys: keys.map(({ fingerprint }) => fingerprint),
    });
    const { run, config, files } = instanceOf(world);
    expect(run).toMatchObject({ address: '10.0.3.101', hostKey: config['user.containarium.host-key'] });
    expect(result).toMatchObject({
      hostKeyFingerprint: expect.stringMatching(/^SHA256:/) as string,
      operation: config['user.containarium.operation'],
      warnings: [],
      sshConfig: { user: 'alice', alias: 'alice-dev', jumpHost: 'jump.example.org', address: '10.0.3.101' },
    });
    expect(result.sshConfig.knownHosts).toEqual([`alice-dev ${run?.hostKey ?? ''}`]);
    expect(result.steps).toHaveLength(5);
    expect(files['/etc/ssh/ssh_host_ed25519_key']?.mode).toBe('0600');
    expect(files['/etc/ssh/authorized_keys.d/alice']?.content).toContain(keys.map(({ line }) => line).join('\n'));
    expect(await world.faults()).toEqual([]);
  });

  it('sets no disk priority unless the settings have one', async () => {
    const priority = async (options?: HostOptions): Promise<string | undefined> => {
      const world = await host(options);
      await create(world);
      return instanceOf(world).config['limits.disk.priority'];
    };
    expect(await priority()).toBeUndefined();
    expect(await priority({ settings: { defaults: { diskPriority: 3 } } })).toBe('3');
  });

  it('gives the jump account no shell, and keys that reach only its container', async () => {
    const world = await host();
    const { operation } = await create(world, { keys });
    const { accounts, groups, jumpKeys } = hostStateOf(world.folder);
    expect(accounts.find(({ name }) => name === 'alice')).toMatchObject({
      shell: '/usr/sbin/nologin',
      home: '/nonexistent',
      gid: groups.find(({ name }) => name === 'containarium-jump')?.gid,
      comment: `containarium jump account of alice - ${operation}`,
    });
    const lines = (jumpKeys['alice'] ?? '').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines).toEqual(keys.map(({ line }) => `restrict,port-forwarding,permitopen="10.0.3.101:22" ${line}`));
  });

  it('isolates the container on its bridge, and uses no profile', async () => {
    const world = await host();
    await create(world);
    expect(instanceOf(world).devices).toEqual({
      root: { type: 'disk', path: '/', pool: 'default', size: '50GiB' },
      eth0: {
        type: 'nic',
        name: 'eth0',
        network: 'incusbr0',
        'ipv4.address': '10.0.3.101',
        host_name: 'ctn0a000365',
        hwaddr: '02:c7:0a:00:03:65',
        'security.port_isolation': 'true',
        'security.mac_filtering': 'true',
        'security.ipv4_filtering': 'true',
      },
    });
    expect(changesOf(world).find((command) => command.startsWith('incus create'))).toContain('--no-profiles');
    expect(instanceOf(world).config['security.privileged']).toBeUndefined();
  });

  it('gives the container its own user ids, a process limit and no guest API', async () => {
    const world = await host();
    const { container } = await create(world);
    expect(container).toMatchObject({ processLimit: 2000, restartFor: [] });
    const [first, second] = ['bob-container', 'alice-container'].map((name) => instanceOf(world, name).config);
    expect(second).toMatchObject({
      'security.idmap.isolated': 'true',
      'limits.processes': '2000',
      'security.guestapi': 'false',
    });
    expect(second?.['volatile.idmap.current']).not.toBe(first?.['volatile.idmap.current']);
  });

  it('says that the ids are used up, and leaves nothing behind, if Incus has none for the container', async () => {
    const message =
      'Error: Failed creating instance record: Failed to get ID map: Not enough uid/gid available for the container';
    const world = await host({ faults: [{ match: { argIncludes: 'create' }, mode: 'fail-before', message }] });
    expect(await undone(world, () => create(world))).toMatchObject({
      code: 'no-space',
      what: 'the subordinate ids of root',
      next: expect.stringContaining('"doctor"') as string,
    });
  });

  it('writes the address into the container before its first start, and records it', async () => {
    const world = await host();
    await create(world);
    const { config, files } = instanceOf(world);
    expect(config['user.containarium.address']).toBe('10.0.3.101/24');
    expect(files['/etc/containarium/seed/network.done']?.content).toBe(
      "address=10.0.3.101/24\ngateway=10.0.3.1\ndns='10.0.3.1'\nipv6=no\n",
    );
    expect(files['/etc/systemd/network/05-containarium.network']?.content).toContain('Address=10.0.3.101/24');
  });

  it('pushes no file into the container, and keeps its seed no longer than until it is ready', async () => {
    const world = await host();
    await create(world);
    expect(changesOf(world).filter((command) => command.includes('incus file push - alice-container'))).toEqual([]);
    expect(instanceOf(world).config).not.toHaveProperty('user.containarium.seed');
    expect(JSON.stringify(instanceOf(world).config)).not.toContain('PRIVATE KEY');
    expect(instanceOf(world).files).not.toHaveProperty('/etc/containarium/seed/bundle');
  });

  it('makes the jump account while the container boots', async () => {
    const world = await host();
    await create(world);
    const changes = changesOf(world);
    expect(changes.findIndex((command) => command.startsWith('useradd') && command.endsWith(' alice'))).toBeGreaterThan(
      changes.findIndex((command) => command.startsWith('incus start alice-container')),
    );
  });

  describe('on a host whose network it can see', () => {
    const answers = (...all: PortAnswer[]) => {
      const introduce = vi.fn<SshPort['introduce']>(() => Promise.resolve());
      const knock = vi.fn<SshPort['knock']>(() =>
        Promise.resolve(all.length > 1 ? (all.shift() ?? 'banner') : (all[0] ?? 'banner')),
      );
      return { introduce, knock };
    };
    const createBeside = (world: World, sshPort: SshPort, readyMs = 60_000): ReturnType<typeof createContainer> => {
      const { settings } = world.context;
      const timeouts = { ...settings.timeouts, readyMs };
      const context = { ...world.context, sshPort, settings: { ...settings, timeouts } };
      return createContainer(context, { user: alice, keys: keys.slice(0, 1) }, callBy());
    };

    it('tells the kernel the MAC address, and waits for a banner before it asks for the host key', async () => {
      const world = await host();
      const sshPort = answers('silent', 'refused', 'refused', 'banner');
      await createBeside(world, sshPort);
      expect(sshPort.introduce).toHaveBeenCalledExactlyOnceWith('10.0.3.101', '02:c7:0a:00:03:65', 'incusbr0');
      expect(sshPort.knock).toHaveBeenCalledTimes(4);
      expect(
        commandsOf(world.folder).filter(({ args }) => args.includes('22') && args.includes('10.0.3.101')),
      ).toHaveLength(1);
    });

    it('works without that', async () => {
      const world = await host();
      const sshPort = { ...answers('banner'), introduce: () => Promise.reject(new Error('not permitted')) };
      expect((await createBeside(world, sshPort)).container.address).toBe('10.0.3.101');
    });

    it('removes everything if no network comes up', async () => {
      const world = await host();
      const failure = await undone(world, () => createBeside(world, answers('silent'), 30));
      expect(failure).toMatchObject({
        code: 'timeout',
        why: 'it did not get its address 10.0.3.101 within 30 milliseconds',
      });
    });

    it('removes everything if the container stops while its network is silent', async () => {
      const world = await host();
      const sshPort = answers('silent');
      vi.spyOn(world.context.incus, 'storedInstance').mockImplementation(async (name) => {
        const found = await world.context.incus.instance(name);
        return found === undefined ? undefined : { ...found, status: 'Stopped' };
      });
      const failure = await undone(world, () => createBeside(world, sshPort));
      expect(failure).toMatchObject({ code: 'wrong-state', why: 'it stopped while it was starting' });
    });
  });

  it('tells the container the router and the name servers of the bridge', async () => {
    const world = await host({
      edit: ({ networks }) => {
        Object.assign(networks.find(({ name }) => name === 'incusbr0')?.config ?? {}, {
          'ipv4.dhcp.gateway': '10.0.3.254',
          'dns.nameservers': '192.0.2.53,2001:db8::53',
          'ipv6.address': 'fd42::1/64',
        });
      },
    });
    await create(world);
    expect(instanceOf(world).files['/etc/containarium/seed/network.done']?.content).toBe(
      "address=10.0.3.101/24\ngateway=10.0.3.254\ndns='192.0.2.53 2001:db8::53'\nipv6=yes\n",
    );
  });

  it('brings what applies the address to an image that another version built, and notes that it is old', async () => {
    const world = await host({
      edit: ({ images }) => {
        for (const image of images) {
          image.properties['containarium.recipe'] = 'older';
          delete image.files['/etc/containarium/network'];
        }
      },
    });
    const steps: string[] = [];
    const notes: string[] = [];
    const progress = {
      step: ({ index, total }: { index: number; total: number }) => void steps.push(`${index}/${total}`),
      note: (text: string) => void notes.push(text),
      output: () => undefined,
    };
    await create(world, {}, callBy(undefined, { progress }));
    expect(notes).toEqual([expect.stringContaining('"image build" renews it')]);
    expect(steps.at(-1)).toBe('7/7');
    const { config, files } = instanceOf(world);
    expect(files['/etc/systemd/network/05-containarium.network']).toBeDefined();
    expect(files['/etc/ssh/ssh_host_ed25519_key']?.mode).toBe('0600');
    expect(config).not.toHaveProperty('user.containarium.seed');
    expect(await world.faults()).toEqual([]);
  });

  it('follows its options in the instance configuration', async () => {
    const world = await host();
    const { container } = await create(world, {
      cpu: 2,
      memory: 64 * mib,
      disk: gib,
      processes: 500,
      autostart: false,
      docker: false,
      labels: [
        { key: 'team', value: 'red' },
        { key: 'use', value: 'ci' },
      ],
    });
    expect(container).toMatchObject({ cpus: 2, autostart: false, docker: false, labels: { team: 'red', use: 'ci' } });
    const { config, devices, files } = instanceOf(world);
    expect(config).toMatchObject({
      'boot.autostart': 'false',
      'boot.autorestart': 'false',
      'limits.cpu': '2',
      'limits.memory': '64MiB',
      'limits.processes': '500',
      'security.nesting': 'false',
      'user.containarium.owner': 'alice',
      'user.containarium.state': 'ready',
      'user.containarium.label.team': 'red',
      'user.containarium.label.use': 'ci',
    });
    expect(devices['root']?.['size']).toBe('1GiB');
    expect(files['/etc/containarium/seed/docker']?.content).toBe('no\n');
  });

  it('leaves out an option that this Incus does not know', async () => {
    const world = await host();
    world.context.incus.hasAutorestart = () => Promise.resolve(false);
    await create(world, { autostart: true });
    expect(instanceOf(world).config).toMatchObject({ 'boot.autostart': 'true' });
    expect(instanceOf(world).config).not.toHaveProperty('boot.autorestart');
  });

  it('takes the settings where an option is missing', async () => {
    const world = await host({
      settings: {
        defaults: { cpu: 1, memory: '512MiB', disk: '2GiB', processes: 300, autostart: false, docker: false },
        jump: { hostKeys: [], hostname: 'jump.example.org' },
      },
    });
    const { sshConfig } = await create(world);
    expect(sshConfig.jumpHost).toBe('jump.example.org');
    expect(instanceOf(world)).toMatchObject({
      config: {
        'boot.autostart': 'false',
        'limits.cpu': '1',
        'limits.memory': '512MiB',
        'limits.processes': '300',
        'security.nesting': 'false',
      },
      devices: { root: { size: '2GiB' } },
    });
  });

  it('sets no disk size on a pool without quotas', async () => {
    const world = await host({ edit: withoutQuotas, settings: { defaults: { disk: '1MiB' } } });
    const { container } = await create(world);
    expect(container.diskQuotaBytes).toBeNull();
    expect(instanceOf(world).devices['root']).toEqual({ type: 'disk', path: '/', pool: 'default' });
  });

  it('builds the image of another base first, and notes the base in the container', async () => {
    const world = await host();
    const notes: string[] = [];
    const progress = {
      step: () => undefined,
      note: (text: string) => void notes.push(text),
      output: () => undefined,
    };
    const { container } = await create(world, { image: 'images:debian/12' }, callBy(undefined, { progress }));
    expect(container.image).toBe('images:debian/12');
    expect(notes).toEqual(['No prepared image yet: building it once from images:debian/12']);
    expect(changesOf(world).filter((command) => command.startsWith('incus publish'))).toHaveLength(1);
    expect(await world.faults()).toEqual([]);
  });

  it('warns of a key that opens the container of another user', async () => {
    const { warnings } = await create(await host(named), { keys: [bobKey, ...keys] });
    expect(warnings).toEqual([`the key ${bobKey.fingerprint} also opens the container of bob`]);
  });

  it('names the address that its caller reached where the settings have no name of the host, and warns of that', async () => {
    const { sshConfig, warnings } = await create(await host());
    expect(sshConfig.jumpHost).toBe('198.51.100.1');
    expect(warnings).toEqual([expect.stringMatching(/^jump\.hostname is not set/)]);
  });

  it('warns of a disk that is larger than the whole pool', async () => {
    const { warnings } = await create(await host(named), { disk: 101 * gib });
    expect(warnings).toEqual(['the disk (101GiB) is larger than the whole pool (100GiB)']);
  });

  it('warns of CPUs and memory that the host does not have', async () => {
    const { warnings } = await create(await host(named), { cpu: 512, memory: 100 * 1024 * gib });
    expect(warnings).toEqual([
      expect.stringMatching(/^the host has \d+ CPUs?, so a limit of 512 limits nothing$/),
      expect.stringMatching(/^the host has .* of memory, so a limit of 100 TiB limits nothing$/),
    ]);
  });

  it('gives containers that are created at the same time different addresses', async () => {
    const world = await host();
    const users = ['alice', 'erin', 'zoe'].map(parseName);
    const made = await Promise.all(users.map((user) => create(world, { user, keys: [newKey(user)] })));
    expect(made.map(({ container }) => container.address).sort()).toEqual(['10.0.3.101', '10.0.3.102', '10.0.3.103']);
    expect(promisedAddresses(world.context.incus)).toEqual([]);
  });

  it.each<[what: string, network: string, taken: readonly string[], address: string]>([
    ['the first free address from .100 up', '10.0.3.1/24', ['10.0.3.50'], '10.0.3.100'],
    [
      'an address below .100 when all others are taken',
      '10.0.3.1/25',
      Array.from({ length: 27 }, (_, n) => `10.0.3.${100 + n}`),
      '10.0.3.2',
    ],
    ['an address of a network without .100', '10.0.3.1/30', ['10.0.3.99'], '10.0.3.2'],
  ])('gives the container %s', async (_, network, taken, address) => {
    const world = await host({
      edit: (state) => {
        bridge(state, network);
        moveBob(state, ...taken);
      },
    });
    expect((await create(world)).container.address).toBe(address);
  });

  it("never gives the container the host's own address, even if Incus does not list it as taken", async () => {
    const world = await host({
      edit: (state) => {
        bridge(state, '10.0.3.2/29');
        moveBob(state, '10.0.3.99');
      },
    });
    vi.spyOn(world.context.incus, 'leasedAddresses').mockResolvedValue([]);
    expect((await create(world)).container.address).toBe('10.0.3.3');
  });

  it('succeeds if the last step took effect although its program failed', async () => {
    const world = await host({
      faults: [{ match: { program: 'incus', argIncludes: '"ready"' }, mode: 'fail-after' }],
    });
    expect((await create(world)).container.provisioning).toBe('ready');
    expect(await world.faults()).toEqual([]);
  });
});

describe('create refuses, and changes nothing,', () => {
  it.each<[what: string, code: FailureCode, why: string | RegExp, over: Partial<CreateRequest>, options: HostOptions]>([
    ['a user who has a container', 'exists', 'it already exists', { user: bob }, {}],
    [
      'the name of an instance that it did not create',
      'not-ours',
      'it exists but was not created by containarium',
      { user: bob },
      { edit: (state) => delete state.instances['bob-container']?.config['user.containarium.owner'] },
    ],
    [
      'a copy of a container of another user',
      'not-ours',
      'it exists but was not created by containarium',
      {},
      {
        edit: (state) => {
          const original = state.instances['bob-container'];
          if (original !== undefined) state.instances['alice-container'] = { ...original, name: 'alice-container' };
        },
      },
    ],
    [
      'a user whose jump account is left over',
      'exists',
      'it is left over from a deleted container',
      { user: bob },
      { edit: (state) => delete state.instances['bob-container'] },
    ],
    [
      'the name of an account that it did not create',
      'not-ours',
      'the host has an account of this name that containarium did not create',
      { user: parseName('dave') },
      {},
    ],
    [
      'an account with its group but without its mark',
      'not-ours',
      'the host has an account of this name that containarium did not create',
      { user: bob },
      {
        edit: (state) => {
          delete state.instances['bob-container'];
          for (const account of state.accounts) if (account.name === 'bob') account.comment = 'Bob';
        },
      },
    ],
    [
      'memory with which no container starts',
      'invalid-size',
      'too small for a container to start',
      { memory: 64 * mib - 1 },
      {},
    ],
    [
      'a disk with which no container starts',
      'invalid-size',
      'too small for a container to start',
      { disk: gib - 1 },
      {},
    ],
    [
      'a default size with which no container starts',
      'invalid-size',
      'too small for a container to start',
      {},
      { settings: { defaults: { memory: '1MiB' } } },
    ],
    [
      'a full storage pool',
      'no-space',
      'only 0B is free',
      {},
      { edit: (state) => void (poolOf(state).totalBytes = 600 * mib) },
    ],
    [
      'a disk size on a pool without quotas',
      'settings',
      'its driver (dir) has no quotas, so --disk-quota cannot be enforced',
      { disk: gib },
      { edit: withoutQuotas },
    ],
    [
      'a host without a storage pool',
      'settings',
      'Incus has 0 to choose from',
      {},
      { edit: (state) => void (state.pools = []) },
    ],
    [
      'a choice of storage pools that the settings do not make',
      'settings',
      'Incus has 2 to choose from',
      {},
      {
        edit: (state) => {
          const pool = poolOf(state);
          state.pools = ['fast', 'slow'].map((name) => ({ ...pool, name }));
        },
      },
    ],
    [
      'a storage pool of the settings that Incus does not have',
      'settings',
      'Incus does not have it',
      {},
      { settings: { incus: { pool: 'fast' } } },
    ],
    [
      'a network of the settings that Incus does not manage',
      'settings',
      'Incus does not have it',
      {},
      { settings: { incus: { network: 'eth0' } } },
    ],
    [
      'a bridge without an IPv4 address',
      'settings',
      'it has no IPv4 address',
      {},
      { edit: (state) => bridge(state, 'none') },
    ],
    [
      'a network whose addresses are all taken',
      'no-space',
      'all its addresses are taken',
      {},
      {
        edit: (state) => {
          bridge(state, '10.0.3.1/30');
          moveBob(state, '10.0.3.2');
        },
      },
    ],
    [
      'a host that does not answer',
      'incus-unavailable',
      'its server does not answer',
      {},
      { faults: [{ match: { program: 'incus' }, mode: 'down', repeat: true }] },
    ],
  ])('%s', async (_, code, why, over, options) => {
    const world = await host(options);
    expect(await refused(world, () => create(world, over))).toMatchObject({ code, why });
  });

  it('a user whom another operation holds', async () => {
    const world = await host();
    const failure = await refused(world, () => whileHeld(world, 'alice', () => create(world)));
    expect(failure).toMatchObject({ code: 'busy', what: '"alice"' });
  });

  it('with a next step that names the free space and the way out', async () => {
    const world = await host({ edit: (state) => void (poolOf(state).totalBytes = 600 * mib) });
    expect(await refused(world, () => create(world))).toMatchObject({
      what: 'storage pool "default"',
      next: 'delete a container, or enlarge the pool',
    });
  });
});

describe('create removes everything that it made if', () => {
  const first = (match: Fault['match'], mode: Fault['mode'] = 'fail-after'): HostOptions => ({
    faults: [{ match, mode }],
  });
  /** On an image of another version, into which files are pushed. */
  const older = (match: Fault['match']): HostOptions => ({
    ...first(match),
    edit: ({ images }) => {
      for (const image of images) image.properties['containarium.recipe'] = 'older';
    },
  });
  it.each<[what: string, code: FailureCode, options: HostOptions]>([
    ['the image cannot be cloned', 'program-failed', first({ argIncludes: 'alice-container', changes: true })],
    [
      'Incus goes on with a clone after its client has failed',
      'program-failed',
      first({ argIncludes: '--no-profiles' }, 'fail-late'),
    ],
    ['the seed cannot be written', 'program-failed', older({ argIncludes: '/seed/docker' })],
    ['the host key cannot be written', 'program-failed', older({ argIncludes: 'ssh_host_ed25519_key.pub' })],
    ['the account cannot be created', 'program-failed', first({ program: 'useradd' })],
    [
      'the keys of the jump account cannot be written',
      'program-failed',
      first({ program: 'jump-keys', changes: true }),
    ],
    ['the container does not start', 'timeout', first({ argIncludes: 'start', changes: true }, 'hang-after')],
    ['the container cannot be marked as ready', 'program-failed', first({ argIncludes: '"ready"' }, 'fail-before')],
  ])('%s', async (_, code, options) => {
    const world = await host(options);
    expect((await undone(world, () => create(world))).code).toBe(code);
    expect(changesOf(world)).not.toEqual([]);
    expect(await world.faults()).toEqual([]);
    expect((await create(world)).container.address).toBe('10.0.3.101');
  });

  it('its sshd does not answer in time, and reports the log of its boot', async () => {
    const world = await host({ faults: [{ match: { program: 'ssh-keyscan' }, mode: 'hang', repeat: true }] });
    const { settings } = world.context;
    const context = { ...world.context, settings: { ...settings, timeouts: { ...settings.timeouts, readyMs: 30 } } };
    const failure = await undone(world, () =>
      createContainer(context, { user: alice, keys: keys.slice(0, 1) }, callBy()),
    );
    expect(failure).toMatchObject({
      code: 'timeout',
      what: 'container "alice-container"',
      why: 'its sshd did not answer within 30 milliseconds',
      details: { bootLog: expect.any(String) as string },
    });
    expect(await world.faults()).toEqual([]);
  });

  it('an sshd with another host key answers at its address', async () => {
    const world = await host();
    const other = newKey('other');
    const context = { ...world.context, keyscan: { hostKey: () => Promise.resolve(`${other.type} ${other.base64}`) } };
    const failure = await undone(world, () =>
      createContainer(context as never, { user: alice, keys: keys.slice(0, 1) }, callBy()),
    );
    expect(failure).toMatchObject({ code: 'unexpected-output', why: 'its sshd answers with the wrong host key' });
  });

  it('keeps the file of an orphaned jump account as it was', async () => {
    const world = await host({
      edit: (state) => void (state.jumpKeys['alice'] = 'left over\n'),
      faults: [{ match: { argIncludes: 'start', changes: true }, mode: 'fail-before' }],
    });
    await undone(world, () => create(world));
    expect(hostStateOf(world.folder).jumpKeys['alice']).toBe('left over\n');
  });
});
