/** Plans of the verbs about backups read lists and manifests, and neither read data nor write to a place of backups. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { describe, expect, it, vi } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import type { Manifest } from '../../../../src/repository/manifest.ts';
import { DirectoryStore } from '../../../../src/repository/stores/directory.ts';
import type { HostState } from '../../../../src/simulated/state/state.ts';
import { nameBackup } from '../../../support/backups.ts';
import { changesOf, hosts, type HostOptions } from '../../../support/world/hosts.ts';
import { newKey } from '../../../support/world/keys.ts';
import {
  commandsOfPlan,
  planned,
  timeless,
  transfersOfPlan,
  undoneTransfersOfPlan,
  undoOfPlan,
  unplanned,
} from '../../../support/world/plans.ts';
import { backupsPath, commandsOf, type World } from '../../../support/world/world.ts';

const id = '20261129-120000-abcd';
/** An id that no backup has. */
const none = '20261129-120000-zzzz';
const alice = { user: 'alice' };
const named = { user: 'alice', backup: id };
const folderOf = ({ folder }: World): string => join(backupsPath(folder), 'alice-container', id);

const host = hosts(async (world) => {
  await world.must('image build');
  await world.must('create', { user: 'alice', keys: newKey('alice@desk').line });
  await world.must('backup create', alice);
  await nameBackup(backupsPath(world.folder), 'alice-container', id);
});

const identity = await generateX25519Identity();
const other = await generateX25519Identity();
const recipients = [await identityToRecipient(identity)];
const encryptedHost = hosts(async (world) => {
  await world.must('image build');
  await world.must('create', { user: 'alice', keys: newKey('alice@desk').line });
});

/** Opens a world whose backup is encrypted. */
async function encrypted(options: HostOptions): Promise<World> {
  const first = await encryptedHost();
  const directory = backupsPath(first.folder);
  const world = await encryptedHost({ ...options, settings: { backups: { directory, recipients } } });
  await world.must('backup create', alice);
  await nameBackup(directory, 'alice-container', id);
  return world;
}

/** Returns the keys in the folder of backups, without what differs in each call. */
function stored({ folder }: World): string[] {
  const entries = readdirSync(backupsPath(folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => timeless(join(parentPath, name).slice(backupsPath(folder).length + 1)))
    .sort();
}

/** Changes the manifest of the backup. */
function editManifest(world: World, change: (manifest: Manifest) => unknown): void {
  const path = join(folderOf(world), 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  change(manifest);
  writeFileSync(path, JSON.stringify(manifest));
}

const huge = (world: World): void => editManifest(world, ({ data }) => void (data.plainBytes = 1024 ** 5));
const withoutAlice = (state: HostState): void => {
  delete state.instances['alice-container'];
  delete state.jumpKeys['alice'];
  state.accounts = state.accounts.filter(({ name }) => name !== 'alice');
};

interface Refusal {
  readonly code: string;
  readonly verb: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly options?: HostOptions;
  readonly prepare?: (world: World) => void;
}

const damage = (world: World): void => writeFileSync(join(folderOf(world), 'manifest.json'), '{');
const refusals: Readonly<Record<string, Refusal>> = {
  'create without a container': { code: 'not-found', verb: 'backup create', input: { user: 'bob' } },
  'create without a place for backups': {
    code: 'settings',
    verb: 'backup create',
    input: alice,
    options: { settings: { backups: {} } },
  },
  'create in a folder that is gone': {
    code: 'store-unavailable',
    verb: 'backup create',
    input: alice,
    prepare: ({ folder }) => rmSync(backupsPath(folder), { recursive: true }),
  },
  'create without room on the disk of Incus': {
    code: 'no-space',
    verb: 'backup create',
    input: alice,
    prepare: ({ context }) => void vi.spyOn(context.streams, 'freeForBackups').mockResolvedValue(1),
  },
  'create without room in the folder': {
    code: 'no-space',
    verb: 'backup create',
    input: alice,
    prepare: () => void vi.spyOn(DirectoryStore.prototype, 'freeBytes').mockResolvedValue(1),
  },
  'verify of no backup': { code: 'not-found', verb: 'backup verify', input: { ...alice, backup: none } },
  'verify of a damaged backup': { code: 'backup-damaged', verb: 'backup verify', input: named, prepare: damage },
  'verify without room in the pool': {
    code: 'no-space',
    verb: 'backup verify',
    input: named,
    prepare: huge,
  },
  'verify of a backup whose data are gone': {
    code: 'backup-damaged',
    verb: 'backup verify',
    input: named,
    prepare: (world) => rmSync(join(folderOf(world), 'data')),
  },
  'verify of a backup whose list is gone': {
    code: 'backup-damaged',
    verb: 'backup verify',
    input: named,
    prepare: (world) => rmSync(join(folderOf(world), 'files')),
  },
  'restore of no backup': {
    code: 'not-found',
    verb: 'backup restore',
    input: { ...alice, backup: none, yes: true },
  },
  'restore of the latest of none': {
    code: 'not-found',
    verb: 'backup restore',
    input: { ...alice, backup: 'latest', yes: true },
    prepare: (world) => rmSync(folderOf(world), { recursive: true }),
  },
  'restore of a damaged backup': {
    code: 'backup-damaged',
    verb: 'backup restore',
    input: { ...named, yes: true },
    prepare: damage,
  },
  'restore without room in the pool': {
    code: 'no-space',
    verb: 'backup restore',
    input: { ...named, yes: true },
    prepare: huge,
  },
  'delete of no backup': {
    code: 'not-found',
    verb: 'backup delete',
    input: { ...alice, backup: none, yes: true },
  },
};

describe.each([
  ['a simulated host', false],
  ['a host that is copied by queries', true],
])('the plan on %s', (_, copiedByQueries) => {
  it.each(Object.entries(refusals))(
    'fails as the call does: %s',
    async (_says, { code, verb, input, options = {}, prepare }) => {
      const world = await host({ copiedByQueries, ...options });
      prepare?.(world);
      const failure = await unplanned(world, verb, input);
      const call = await world.call(verb, input);
      vi.restoreAllMocks();
      if (call.ok) return expect.fail('the call succeeded');
      expect(failure.code).toBe(code);
      expect(failure.toData()).toEqual(call.failure.toData());
    },
  );

  it('of a backup that is encrypted needs an identity, which it does not record', async () => {
    const world = await encrypted({ copiedByQueries });
    for (const verb of ['backup verify', 'backup restore']) {
      const failure = await unplanned(world, verb, named);
      expect(failure).toMatchObject({ code: 'usage', next: expect.stringContaining('--identity') });
      expect((await planned(world, verb, { ...named, identity })).steps).not.toEqual([]);
      // Whether it is the right one shows only when the data are read.
      expect((await planned(world, verb, { ...named, identity: other })).steps).not.toEqual([]);
    }
    expect((await planned(world, 'backup delete', named)).steps).not.toEqual([]);
    const journal = readdirSync(join(world.folder, 'journal')).map((file) =>
      readFileSync(join(world.folder, 'journal', file), 'utf8'),
    );
    expect(journal.join('')).toContain('"backup verify --plan"');
    expect(journal.join('')).not.toContain('AGE-SECRET-KEY');
  });

  it('of create names what is stored, and its undo deletes that', async () => {
    const world = await host({ copiedByQueries });
    const before = stored(world);
    const plan = await planned(world, 'backup create', alice);
    const parts = ['data', 'files', 'manifest.json'].map((part) => `alice-container/TIME/${part}`);
    expect(transfersOfPlan(plan)).toEqual([
      'delete what interrupted backups left in part before TIME',
      ...parts.map((part) => `store ${part}`),
    ]);
    expect(undoneTransfersOfPlan(plan)).toEqual([
      'delete alice-container/TIME/manifest.json',
      'delete alice-container/TIME/',
    ]);
    await world.must('backup create', alice);
    expect(stored(world)).toEqual([...before, ...parts].sort());
  });

  it('of create names the left parts that it deletes', async () => {
    const world = await host({ copiedByQueries });
    const left = join(backupsPath(world.folder), 'alice-container', '20251129-120000-abcd');
    mkdirSync(left);
    writeFileSync(join(left, 'data'), 'half of it');
    const long = Date.now() + 90 * 24 * 3_600_000;
    vi.spyOn(world.context, 'now').mockReturnValue(new Date(long));
    const plan = await planned(world, 'backup create', alice);
    expect(transfersOfPlan(plan)).toContain('delete alice-container/TIME/');
    await world.must('backup create', alice);
    expect(readdirSync(join(left, '..'))).not.toContain('20251129-120000-abcd');
  });

  it('of create leaves the age that lists show as it is', async () => {
    const world = await host({ copiedByQueries });
    await world.context.backupAges.refresh();
    const age = world.context.backupAges.of('alice-container');
    await planned(world, 'backup create', alice);
    expect(age).not.toBeNull();
    expect(world.context.backupAges.of('alice-container')).toBe(age);
  });

  it('of rebuild and of delete --backup name what they do there', async () => {
    const world = await host({ copiedByQueries });
    const deletion = await planned(world, 'delete', { ...alice, backup: true });
    expect(deletion.notes.filter((note) => note.includes('is not read'))).toEqual([]);
    expect(transfersOfPlan(deletion).slice(1)).toEqual(
      ['data', 'files', 'manifest.json', 'verified.json'].map((part) => `store alice-container/TIME/${part}`),
    );
    await world.must('delete', { ...alice, purge: true, yes: true });
    const plan = await planned(world, 'backup rebuild');
    expect(plan.notes[0]).toBe(`alice: backup ${id}`);
    expect(transfersOfPlan(plan)).toEqual([]);
    expect(commandsOfPlan(plan)).toContain('incus-streams import containarium-restore-ID');
  });

  it('of verify says that the outcome is stored', async () => {
    const world = await host({ copiedByQueries });
    const before = stored(world);
    const plan = await planned(world, 'backup verify', named);
    expect(transfersOfPlan(plan)).toEqual(['store alice-container/TIME/verified.json']);
    await world.must('backup verify', named);
    expect(stored(world)).toEqual([...before, 'alice-container/TIME/verified.json'].sort());
  });

  it('of delete names what is deleted, also of a backup that cannot be read, and says that nothing undoes it', async () => {
    const world = await host({ copiedByQueries });
    damage(world);
    const plan = await planned(world, 'backup delete', named);
    expect(transfersOfPlan(plan)).toEqual([
      'delete alice-container/TIME/manifest.json',
      'delete alice-container/TIME/',
    ]);
    expect(plan.steps[0]).toMatchObject({ step: 'delete-backup', undo: null });
    await world.must('backup delete', { ...named, yes: true });
    expect(stored(world)).toEqual([]);
  });

  it.each(['of a container', 'of a container that is gone'])('of a restore %s has what undoes it', async (which) => {
    const edit = which === 'of a container' ? () => undefined : withoutAlice;
    const world = await host({ copiedByQueries, edit });
    const undo = undoOfPlan(await planned(world, 'backup restore', named));
    const { incus } = world.context;
    const start = incus.start.bind(incus);
    vi.spyOn(incus, 'start').mockImplementationOnce(async (...args) => {
      await start(...args);
      throw new Failure('timeout', { what: 'the start', why: 'it took too long' });
    });
    expect(await world.call('backup restore', { ...named, yes: true })).toMatchObject({ ok: false });
    const ran = changesOf(world).map(timeless);
    expect(undo.length).toBeGreaterThan(2);
    expect(ran.slice(ran.indexOf('incus start alice-container --quiet') + 1)).toEqual(undo);
  });

  it('of a restore needs no host key in the manifest', async () => {
    const world = await host({ copiedByQueries });
    editManifest(world, ({ config }) => delete config['user.containarium.host-key']);
    expect(commandsOfPlan(await planned(world, 'backup restore', named))).toContain(
      'incus-streams import containarium-restore-ID',
    );
    // The real host has no such instance.
    const asked = commandsOf(world.folder).filter(({ args }) =>
      args.some((arg) => arg.includes('containarium-restore')),
    );
    expect(asked).toEqual([]);
  });

  it('opens nothing but manifests and verifications, and calls nothing that writes', async () => {
    const world = await host({ copiedByQueries });
    await world.must('backup verify', named);
    const times = stored(world).map((key) => statSync(join(folderOf(world), key.split('/').at(-1) ?? '')).mtimeMs);
    const opened = vi.spyOn(DirectoryStore.prototype, 'get');
    const writing = (['put', 'delete', 'clear', 'sweep'] as const).map((name) =>
      vi.spyOn(DirectoryStore.prototype, name),
    );
    await planned(world, 'backup create', alice);
    for (const verb of ['backup verify', 'backup restore', 'backup delete']) await planned(world, verb, named);
    const keys = new Set(opened.mock.calls.map(([key]) => key.split('/').at(-1)));
    expect([...keys].sort()).toEqual(['manifest.json', 'verified.json']);
    for (const spy of writing) expect(spy).not.toHaveBeenCalled();
    expect(stored(world).map((key) => statSync(join(folderOf(world), key.split('/').at(-1) ?? '')).mtimeMs)).toEqual(
      times,
    );
    vi.restoreAllMocks();
  });
});

describe.each([
  ['a simulated host', false],
  ['a host that is copied by queries', true],
])('the plan of a backup on ZFS, on %s', (_, copiedByQueries) => {
  const onZfs = ({ pools }: HostState): void => {
    for (const pool of pools) Object.assign(pool, { driver: 'zfs', config: { 'zfs.pool_name': 'tank' } });
  };
  /** Opens a world with two backups, of which the second builds on the first. */
  async function opened(): Promise<World> {
    const first = await encryptedHost({ edit: onZfs });
    const world = await encryptedHost({
      edit: onZfs,
      copiedByQueries,
      settings: { backups: { directory: backupsPath(first.folder) } },
    });
    for (const second of [1, 2]) {
      Object.assign(world.context, { now: () => new Date(`2026-11-29T12:00:0${second}Z`) });
      await world.must('backup create', alice);
    }
    return world;
  }

  it.each(['backup create', 'backup verify', 'backup restore'])(
    'is what the call then does, and the restore of what it undoes: %s',
    async (verb) => {
      const world = await opened();
      const input =
        verb === 'backup create'
          ? alice
          : { ...alice, backup: 'latest', ...(verb === 'backup restore' ? { yes: true } : {}) };
      const plan = await planned(world, verb, input);
      const before = commandsOf(world.folder).length;
      await world.must(verb, input);
      const called = changesOf(world).slice(-commandsOfPlan(plan).length);
      expect(before).toBeGreaterThan(0);
      const ofZfs = (lines: readonly string[]): string[] =>
        lines.filter((line) => / zfs (?:bookmark|receive|destroy) /.test(line));
      expect(ofZfs(commandsOfPlan(plan))).toEqual(ofZfs(called.map(timeless)));
      expect(ofZfs(commandsOfPlan(plan)).length).toBeGreaterThan(0);
    },
  );

  it('says what stops the programs of ZFS and takes the bookmark away again', async () => {
    const world = await opened();
    const plan = await planned(world, 'backup create', alice);
    expect(
      undoOfPlan(plan).filter((line) => /systemctl stop|zfs destroy tank.containers.alice-container#/.test(line))
        .length,
    ).toBe(3);
  });
});
