/** `reconcile` on a simulated host with the containers of alice and bob and with accounts of other people. */
import { describe, expect, it, vi } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { parseName } from '../../../src/domain/values/username.ts';
import { createContainer } from '../../../src/service/create.ts';
import { deleteContainer } from '../../../src/service/delete.ts';
import { reconcile } from '../../../src/service/reconcile.ts';
import type { Fault } from '../../../src/simulated/faults/faults.ts';
import type { AccountRecord, HostState, InstanceRecord } from '../../../src/simulated/state/state.ts';
import {
  alice,
  bob,
  callBy,
  changesOf,
  hosts,
  refused,
  whileHeld,
  type HostOptions,
} from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import { snapshot } from '../../support/world/snapshot.ts';
import { carol, hostStateOf, type World } from '../../support/world/world.ts';

const keysPath = '/etc/ssh/authorized_keys.d/alice';

let healthy = '';
const host = hosts(async (world) => {
  const { context } = world;
  await context.accounts.ensureGroup('other');
  await context.accounts.create({ name: 'dave', comment: 'Dave, not ours', group: 'other' });
  await world.must('image build');
  await createContainer(context, { user: bob, keys: [newKey('bob@desk')] }, callBy());
  await createContainer(context, { user: alice, keys: [newKey('alice@desk')] }, callBy());
  healthy = snapshot(hostStateOf(world.folder));
});

const instanceIn = ({ instances }: HostState): InstanceRecord => {
  const found = instances['alice-container'];
  if (found === undefined) throw new Error('the host has no container of alice');
  return found;
};

const accountIn = ({ accounts }: HostState, user = 'alice'): AccountRecord => {
  const found = accounts.find(({ name }) => name === user);
  if (found === undefined) throw new Error(`the host has no account of ${user}`);
  return found;
};

const withoutAccount = (state: HostState): void => {
  state.accounts = state.accounts.filter(({ name }) => name !== 'alice');
};

const look = (world: World): ReturnType<typeof reconcile> => reconcile(world.context, {}, callBy());
const repair = (world: World, notes: string[] = []): ReturnType<typeof reconcile> => {
  const progress = { step: () => undefined, note: (text: string) => void notes.push(text), output: () => undefined };
  return reconcile(world.context, { apply: true }, callBy(undefined, { progress }));
};
const stateOf = (world: World): string => snapshot(hostStateOf(world.folder));

/** Each difference that reconcile repairs, as it is made from a healthy host. */
const repairable: readonly [kind: string, fix: string, edit: (state: HostState) => void][] = [
  ['account-missing', 'create the account', withoutAccount],
  ['account-wrong', 're-create the account', (state) => void (accountIn(state).shell = '/bin/bash')],
  ['jump-keys-missing', 'write the keys from Incus', (state) => delete state.jumpKeys['alice']],
  ['jump-keys-differ', 'write the keys from Incus', (state) => void (state.jumpKeys['alice'] = '# no keys\n')],
  [
    'container-keys-differ',
    'write the keys from Incus',
    (state) => void (instanceIn(state).files[keysPath] = { content: 'x\n', mode: '0644', uid: 0, gid: 0 }),
  ],
  ['container-keys-differ', 'write the keys from Incus', (state) => delete instanceIn(state).files[keysPath]],
  ['isolation-missing', 'set what is missing', (state) => delete instanceIn(state).config['limits.processes']],
  ['isolation-missing', 'set what is missing', (state) => delete instanceIn(state).config['security.guestapi']],
];

/** Makes alice's container one of a version that left its address to DHCP. */
const byDhcp = (interfaces: string) => (state: HostState) => {
  const { config, files } = instanceIn(state);
  delete config['user.containarium.address'];
  for (const path of Object.keys(files)) if (/network/.test(path)) delete files[path];
  if (interfaces !== '') files['/etc/network/interfaces'] = { content: interfaces, mode: '0644', uid: 0, gid: 0 };
};
/** The same, with a system that sets up its network by another file. */
const byFile = (path: string, content: string) => (state: HostState) => {
  byDhcp('')(state);
  instanceIn(state).files[path] = { content, mode: '0644', uid: 0, gid: 0 };
};
const dhcpStanza = 'auto eth0\niface eth0 inet dhcp\n';

describe('reconcile of a container whose address comes by DHCP', () => {
  it('writes the address into it, for its next start', async () => {
    const world = await host({ edit: byDhcp(dhcpStanza) });
    const { differences } = await repair(world);
    expect(differences).toEqual([
      {
        kind: 'container-address',
        target: 'alice',
        detail: 'its address comes by DHCP',
        fix: 'write the address into it, for its next start',
        fixed: true,
      },
    ]);
    const { config, files, run } = instanceIn(hostStateOf(world.folder));
    expect(config['user.containarium.address']).toBe(`${run?.address ?? ''}/24`);
    expect(files['/etc/containarium/seed/network']?.content).toContain(`address=${run?.address ?? ''}/24\n`);
    expect(files['/etc/systemd/system/containarium-network.service']).toBeDefined();
    await world.must('restart', { user: 'alice' });
    expect(instanceIn(hostStateOf(world.folder)).files['/etc/containarium/seed/network']).toBeUndefined();
    expect((await look(world)).differences).toEqual([]);
  });

  it.each([
    ['systemd-networkd', '/etc/systemd/network/eth0.network', '[Match]\nName=eth0\n\n[Network]\nDHCP=true\n'],
    ['netplan', '/etc/netplan/10-lxc.yaml', 'network:\n  version: 2\n  ethernets:\n    eth0: {}\n      dhcp4: true\n'],
  ])('writes it where the image uses %s', async (_, path, content) => {
    const { differences } = await repair(await host({ edit: byFile(path, content) }));
    expect(differences).toMatchObject([{ kind: 'container-address', fixed: true }]);
  });

  it.each([
    ['/etc/systemd/network/eth0.network', '[Match]\nName=eth0\n\n[Network]\nDHCP=no\nAddress=10.0.3.77/24\n'],
    ['/etc/systemd/network/eth0.network', '[Match]\nName=eth0\n\n[Network]\nDHCP=yes\n\n[Route]\nGateway=10.0.3.9\n'],
    ['/etc/netplan/50-cloud-init.yaml', 'network:\n  ethernets:\n    eth0:\n      addresses: [10.0.3.77/24]\n'],
    [
      '/etc/netplan/10-lxc.yaml',
      'network:\n  ethernets:\n    eth0:\n      dhcp4: true\n      routes:\n        - to: default\n',
    ],
  ])('leaves a network alone that its owner set up in %s', async (path, content) => {
    const { differences } = await repair(await host({ edit: byFile(path, content) }));
    expect(differences).toMatchObject([
      { kind: 'container-address', detail: expect.stringContaining('set up by its owner'), fixed: false },
    ]);
  });

  it.each<[what: string, edit: (state: HostState) => void]>([
    [
      'Incus, where the container and its jump account have the old one',
      (state) => {
        const nic = instanceIn(state).devices['eth0'];
        if (nic !== undefined) nic['ipv4.address'] = '10.0.3.9';
      },
    ],
    [
      'the note in its configuration',
      (state) => void (instanceIn(state).config['user.containarium.address'] = '10.0.3.9/24'),
    ],
    ['the note, which is gone', (state) => delete instanceIn(state).config['user.containarium.address']],
  ])('mends an address that was changed in %s', async (_, edit) => {
    const world = await host({ edit });
    const { differences } = await repair(world);
    expect(differences).toMatchObject([{ kind: 'container-address', target: 'alice', fixed: true }]);
    expect(stateOf(world)).toBe(healthy);
    expect((await look(world)).differences).toEqual([]);
  });

  it('leaves an address that another instance has meanwhile', async () => {
    const world = await host({
      edit: ({ instances }) => {
        const [mine, other] = [instances['alice-container'], instances['bob-container']].map(
          (instance) => instance?.devices['eth0'],
        );
        if (mine === undefined || other === undefined) throw new Error('the host lacks a container');
        other['ipv4.address'] = mine['ipv4.address'] ?? '';
        mine['ipv4.address'] = '10.0.3.9';
      },
    });
    const { differences } = await look(world);
    expect(differences.find(({ target }) => target === 'alice')).toMatchObject({
      detail: expect.stringContaining('another instance has the first') as string,
      fix: null,
    });
  });

  it.each([
    ['whose owner set up its network', byDhcp('iface eth0 inet static\n'), /set up by its owner/],
    [
      'that was not made from a prepared image',
      (state: HostState): void => {
        byDhcp(dhcpStanza)(state);
        delete instanceIn(state).files['/etc/containarium/first-boot'];
      },
      /not made from a prepared image/,
    ],
  ])('leaves one alone %s, and says so', async (_, edit, detail) => {
    const world = await host({ edit });
    const { differences } = await repair(world);
    expect(differences).toEqual([
      {
        kind: 'container-address',
        target: 'alice',
        detail: expect.stringMatching(detail) as string,
        fix: null,
        fixed: false,
      },
    ]);
    expect(changesOf(world)).toEqual([]);
  });
});

describe('reconcile', () => {
  it('repairs other containers if root in one has put a folder in the place of a file', async () => {
    const world = await host({ edit: (state) => delete state.jumpKeys['alice'] });
    const { incus } = world.context;
    incus.pullFile = () =>
      Promise.reject(new Failure('program-failed', { what: '"incus file pull"', why: 'it is a folder' }));
    const { differences } = await repair(world);
    expect(differences).toContainEqual(
      expect.objectContaining({ target: 'alice', kind: 'jump-keys-missing', fixed: true }),
    );
    expect(differences).toContainEqual(
      expect.objectContaining({
        kind: 'container-keys-differ',
        detail: expect.stringMatching(/^files in the container cannot be read: /) as string,
        fix: null,
        fixed: false,
      }),
    );
  });

  it.each([
    ['a FIFO that nobody writes to', new Failure('timeout', { what: '"incus file pull"', why: 'it did not end' })],
    [
      'a file without end',
      new Failure('unexpected-output', { what: '"incus file pull"', why: 'more than 262144 bytes' }),
    ],
  ])('repairs bob if root in the container of alice has put %s in the place of her keys', async (_, failure) => {
    const world = await host({ edit: (state) => delete state.jumpKeys['bob'] });
    const { incus } = world.context;
    const pull = incus.pullFile.bind(incus);
    incus.pullFile = (name, ...rest) => (name === 'alice-container' ? Promise.reject(failure) : pull(name, ...rest));
    expect((await repair(world)).differences.map(({ target, kind, fixed }) => [target, kind, fixed])).toEqual([
      ['bob', 'jump-keys-missing', true],
      ['alice', 'container-keys-differ', false],
    ]);
  });

  it('names the command that shows a container without a fixed address, and repairs the others', async () => {
    const world = await host({
      edit: (state) => {
        instanceIn(state).run = null;
        delete instanceIn(state).devices['eth0'];
        delete state.jumpKeys['bob'];
      },
    });
    const { differences } = await repair(world);
    expect(differences).toContainEqual({
      kind: 'container-address',
      target: 'alice',
      detail: 'alice-container has no fixed address: "incus config show alice-container"',
      fix: null,
      fixed: false,
    });
    expect(differences).toContainEqual(expect.objectContaining({ target: 'bob', fixed: true }));
  });

  it('finds nothing on a healthy host, and counts what it has compared', async () => {
    const world = await host();
    expect(await repair(world)).toEqual({
      applied: true,
      differences: [],
      checked: { containers: 2, accounts: 2, keyFiles: 2 },
    });
    expect(changesOf(world)).toEqual([]);
  });

  it.each(repairable)('shows %s, and changes nothing', async (kind, fix, edit) => {
    const world = await host({ edit });
    const before = stateOf(world);
    const { applied, differences } = await look(world);
    expect(applied).toBe(false);
    expect(differences).toEqual([{ kind, target: 'alice', detail: expect.any(String) as string, fix, fixed: false }]);
    expect(stateOf(world)).toBe(before);
    expect(changesOf(world)).toEqual([]);
  });

  it.each(repairable)('--apply repairs %s, so that the host is as before', async (kind, fix, edit) => {
    const world = await host({ edit });
    const notes: string[] = [];
    const { differences } = await repair(world, notes);
    expect(differences).toMatchObject([{ kind, target: 'alice', fixed: true }]);
    expect(notes).toEqual([`alice: ${fix}`]);
    expect(stateOf(world)).toBe(healthy);
    expect((await look(world)).differences).toEqual([]);
  });

  it('--apply removes an account and keys that no container needs any more', async () => {
    const world = await host({ edit: (state) => delete state.instances['alice-container'] });
    const { differences } = await repair(world);
    expect(differences.map(({ kind, target, fixed }) => [kind, target, fixed])).toEqual([
      ['account-orphan', 'alice', true],
      ['jump-keys-orphan', 'alice', true],
    ]);
    const { accounts, jumpKeys } = hostStateOf(world.folder);
    expect(accounts.map(({ name }) => name)).not.toContain('alice');
    expect(accounts.map(({ name }) => name)).toEqual(expect.arrayContaining(['bob', 'dave']));
    expect(Object.keys(jumpKeys)).toEqual(['bob']);
    expect(changesOf(world).findIndex((command) => command.startsWith('pkill'))).toBeLessThan(
      changesOf(world).findIndex((command) => command.startsWith('userdel')),
    );
  });

  it.each<[what: string, ends: boolean, edit: (text: string) => string]>([
    ['a key too many', true, (text) => `${text}${newKey('mallory').line}\n`],
    ['a key without its restrictions', true, (text) => text.replace('restrict,', '')],
    ['no key at all', false, () => '# no keys\n'],
  ])('--apply rewrites a jump keys file with %s, and ends connections: %s', async (_, ends, edit) => {
    const world = await host({
      edit: ({ jumpKeys }) => void (jumpKeys['alice'] = edit(jumpKeys['alice'] ?? '')),
    });
    await repair(world);
    expect(stateOf(world)).toBe(healthy);
    expect(changesOf(world).some((command) => command === 'pkill -KILL -u alice')).toBe(ends);
  });

  it('--apply rewrites the jump keys although pkill hangs, and says that connections may still be open', async () => {
    const world = await host({
      edit: ({ jumpKeys }) => void (jumpKeys['alice'] = `${newKey('mallory').line}\n`),
      faults: [{ match: { program: 'pkill' }, mode: 'hang' }],
    });
    const notes: string[] = [];
    await repair(world, notes);
    expect(stateOf(world)).toBe(healthy);
    expect(notes[1]).toMatch(/^connections of alice through the host may still be open: /);
  });

  it('--apply repairs several users, each in an operation of its own', async () => {
    const world = await host({
      edit: (state) => {
        withoutAccount(state);
        state.jumpKeys['bob'] = '';
        state.jumpKeys['zoe'] = 'left over\n';
      },
    });
    expect((await repair(world)).differences.every(({ fixed }) => fixed)).toBe(true);
    expect(stateOf(world)).toBe(healthy);
    const { records } = await world.must('audit', { verb: 'reconcile' });
    const ended = (records as { type: string; target?: string }[]).filter(({ type }) => type === 'operation-end');
    expect(ended.map(({ target }) => target).sort()).toEqual(['alice', 'bob', 'zoe']);
  });

  it('--apply makes the group of the jump accounts if it is missing', async () => {
    const world = await host({
      edit: (state) => {
        withoutAccount(state);
        state.accounts = state.accounts.filter(({ name }) => name !== 'bob');
        state.groups = state.groups.filter(({ name }) => name !== 'containarium-jump');
      },
    });
    await repair(world);
    expect((await look(world)).differences).toEqual([]);
    expect(hostStateOf(world.folder).groups.map(({ name }) => name)).toContain('containarium-jump');
  });

  it('compares the keys of a stopped container', async () => {
    const world = await host({
      edit: (state) => {
        instanceIn(state).run = null;
        delete instanceIn(state).config['user.containarium.runs'];
        delete instanceIn(state).files[keysPath];
      },
    });
    expect((await look(world)).differences).toMatchObject([{ kind: 'container-keys-differ' }]);
  });

  it.each<[what: string, kind: string, edit: (state: HostState) => void]>([
    [
      'an account that it did not create',
      'account-foreign',
      (state) => void (accountIn(state).comment = 'Alice, a person'),
    ],
    [
      'a container that a create left unfinished',
      'container-unfinished',
      (state) => void (instanceIn(state).config['user.containarium.state'] = 'creating'),
    ],
    [
      'a container that a delete left unfinished',
      'container-unfinished',
      (state) => void (instanceIn(state).config['user.containarium.state'] = 'deleting'),
    ],
  ])('--apply shows %s and leaves it to a person', async (_, kind, edit) => {
    const world = await host({ edit });
    const before = stateOf(world);
    expect((await repair(world)).differences).toEqual([
      { kind, target: 'alice', detail: expect.any(String) as string, fix: null, fixed: false },
    ]);
    expect(stateOf(world)).toBe(before);
  });

  it.each<[how: string, decide: (world: World) => Promise<unknown>, left: readonly string[]]>([
    [
      'keeps it',
      // An empty value unsets the key.
      ({ context: { incus } }) => incus.patch('alice-container', { config: { 'user.containarium.state': '' } }),
      ['alice', 'bob'],
    ],
    ['removes it', ({ context: { incus } }) => incus.delete('alice-container'), ['bob']],
  ])('--apply ends what an unfinished create left, when a person %s as its refusal says', async (_, decide, left) => {
    const world = await host({
      edit: (state) => {
        instanceIn(state).config['user.containarium.state'] = 'creating';
        delete state.jumpKeys['alice'];
      },
    });
    await expect(deleteContainer(world.context, { user: alice, purge: true }, callBy())).rejects.toMatchObject({
      code: 'wrong-state',
      next: 'on the host, "incus config unset alice-container user.containarium.state" keeps it and "incus delete --force alice-container" removes it; then "reconcile --apply"',
    });
    await decide(world);
    await repair(world);
    expect((await look(world)).differences).toEqual([]);
    expect(Object.keys(hostStateOf(world.folder).jumpKeys).sort()).toEqual(left);
    for (const user of left) await deleteContainer(world.context, { user: parseName(user), purge: true }, callBy());
    expect(hostStateOf(world.folder).instances).toEqual({});
  });

  it('leaves instances and accounts of others alone', async () => {
    const world = await host({
      edit: (state) => {
        const { config, ...instance } = instanceIn(state);
        state.instances['copy-container'] = { ...instance, config: { ...config }, name: 'copy-container' };
        state.accounts.push({
          ...accountIn(state, 'dave'),
          name: 'erin',
          comment: 'containarium jump account of erin - x',
        });
        state.accounts.push({ ...accountIn(state), name: 'frank', comment: 'Frank, in our group' });
      },
    });
    const before = stateOf(world);
    expect((await repair(world)).differences).toEqual([]);
    expect(stateOf(world)).toBe(before);
  });

  it('--apply gives a running container of an earlier version its own ids, and asks for a restart until it has them', async () => {
    const world = await host({
      edit: (state) => {
        const { config } = instanceIn(state);
        const sharedIds = '[{"Isuid":true,"Isgid":false,"Hostid":1000000,"Nsid":0,"Maprange":1000000000}]';
        for (const key of ['security.idmap.isolated', 'limits.processes', 'security.guestapi']) delete config[key];
        Object.assign(config, { 'volatile.idmap.current': sharedIds, 'volatile.idmap.next': sharedIds });
      },
    });
    const why = 'it still has the user ids of other containers';
    expect((await repair(world)).differences).toEqual([
      {
        kind: 'isolation-missing',
        target: 'alice',
        detail: 'alice-container lacks security.idmap.isolated, limits.processes, security.guestapi',
        fix: `set what is missing, then "restart alice" because ${why}`,
        fixed: true,
      },
    ]);
    expect(stateOf(world)).toBe(healthy);
    const pending = {
      kind: 'restart-pending',
      target: 'alice',
      detail: `${why}: "restart alice"`,
      fix: null,
      fixed: false,
    };
    expect((await repair(world)).differences).toEqual([pending]);
    expect(await world.must('info', { user: 'alice' })).toMatchObject({ container: { restartFor: [why] } });
    await world.must('restart', { user: 'alice' });
    expect((await look(world)).differences).toEqual([]);
    expect(await world.must('info', { user: 'alice' })).toMatchObject({ container: { restartFor: [] } });
  });

  it('--apply keeps the process limit and the guest API that an admin has set', async () => {
    const world = await host({
      edit: (state) =>
        void Object.assign(instanceIn(state).config, { 'limits.processes': '50000', 'security.guestapi': 'true' }),
    });
    expect((await repair(world)).differences).toEqual([]);
    expect(changesOf(world)).toEqual([]);
  });

  it('passes over a user whom an operation holds', async () => {
    const world = await host({ edit: withoutAccount });
    const { differences } = await whileHeld(world, 'alice', () => repair(world));
    expect(differences).toEqual([]);
    expect(changesOf(world)).toEqual([]);
    expect((await look(world)).differences).toMatchObject([{ kind: 'account-missing' }]);
  });

  it('passes over a user whom an operation has begun to hold while it compared', async () => {
    const world = await host({ edit: withoutAccount });
    const { incus } = world.context;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    let holder: Promise<unknown> | undefined;
    const pull = incus.pullFile.bind(incus);
    vi.spyOn(incus, 'pullFile').mockImplementation((...args) => {
      holder ??= world.operations.run(
        { verb: 'delete', target: 'alice', actor: carol, input: {} },
        () => Promise.resolve(),
        () => promise,
      );
      return pull(...args);
    });
    const { differences } = await repair(world);
    resolve(undefined);
    await holder;
    expect(differences).toEqual([]);
    expect(changesOf(world)).toEqual([]);
  });

  it('--apply skips a user whom an operation has begun to hold since, and says so', async () => {
    const world = await host({
      edit: (state) => {
        withoutAccount(state);
        state.jumpKeys['bob'] = '';
      },
    });
    const notes: string[] = [];
    const { promise, resolve } = Promise.withResolvers<undefined>();
    let holder: Promise<unknown> | undefined;
    const note = (text: string): void => {
      notes.push(text);
      holder ??= world.operations.run(
        { verb: 'restart', target: 'bob', actor: carol, input: {} },
        () => Promise.resolve(),
        () => promise,
      );
    };
    const progress = { step: () => undefined, note, output: () => undefined };
    const { differences } = await reconcile(world.context, { apply: true }, callBy(carol, { progress }));
    resolve(undefined);
    await holder;
    expect(differences.map(({ target, fixed }) => [target, fixed])).toEqual([
      ['alice', true],
      ['bob', false],
    ]);
    expect(notes).toEqual([
      'alice: create the account',
      expect.stringMatching(/^bob: skipped: "restart" by carol has been in progress/),
    ]);
  });

  it('shows an operation that could not be ended, and --apply ends it', async () => {
    const fault = (match: NonNullable<Fault['match']>, mode: Fault['mode']): Fault => ({ match, mode });
    const world = await host({
      faults: [
        fault({ argIncludes: 'delete' }, 'fail-before'),
        ...Array.from({ length: 3 }, () => fault({ argIncludes: 'start', changes: true }, 'down')),
      ],
    });
    expect(await world.call('delete', { user: 'alice', purge: true, yes: true })).toMatchObject({
      failure: { code: 'partial' },
    });
    expect((await look(world)).differences).toEqual([
      {
        kind: 'operation-unfinished',
        target: 'alice',
        detail: expect.stringMatching(/^"delete" by carol, started /) as string,
        fix: null,
        fixed: false,
      },
    ]);
    expect((await repair(world)).differences).toEqual([]);
    expect(stateOf(world)).toBe(healthy);
  });

  it.each<[what: string, match: NonNullable<Fault['match']>, mode: Fault['mode'], code: string]>([
    ['Incus', { program: 'incus' }, 'down', 'incus-unavailable'],
    ['the accounts', { program: 'getent' }, 'fail-before', 'program-failed'],
    ['the files of keys', { program: 'jump-keys', argIncludes: 'users' }, 'fail-before', 'program-failed'],
    ['the keys of a jump account', { program: 'jump-keys', argIncludes: 'read' }, 'fail-before', 'program-failed'],
    ['the keys in a container', { argIncludes: 'pull' }, 'down', 'incus-unavailable'],
  ])('--apply repairs nothing if a query for %s fails', async (_, match, mode, code) => {
    const options: HostOptions = {
      edit: (state) => {
        withoutAccount(state);
        state.jumpKeys['zoe'] = 'left over\n';
      },
      faults: [{ match, mode }],
    };
    const world = await host(options);
    expect((await refused(world, () => repair(world))).code).toBe(code);
  });

  it('removes no account if Incus has neither a container nor a storage pool, and names the page that helps', async () => {
    const world = await host({
      edit: (state) => {
        state.instances = {};
        state.pools = [];
      },
    });
    expect(await refused(world, () => repair(world))).toMatchObject({
      code: 'incus-unavailable',
      why: 'it has no storage pool and no containers, but this host has 2 jump accounts',
      next: expect.stringContaining('docs/recovery.md'),
    });
  });

  it('--apply fails with a repair, keeps those before it, and can be repeated', async () => {
    const world = await host({
      edit: (state) => {
        withoutAccount(state);
        state.jumpKeys['alice'] = '';
      },
      faults: [{ match: { program: 'jump-keys', changes: true }, mode: 'fail-before' }],
    });
    await expect(repair(world)).rejects.toMatchObject({ code: 'program-failed' });
    expect(world.operations.open()).toEqual([]);
    expect((await look(world)).differences.map(({ kind }) => kind)).toEqual(['jump-keys-differ']);
    await repair(world);
    expect(stateOf(world)).toBe(healthy);
  });
});
