/**
 * The life of a container, with errors, as a series of commands over ssh. It runs against the simulated host and
 * against a real Incus. Both must give the same exit codes, the same error codes, and documents of the same shape.
 */
import { expect } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { temporaryFolder, type Finished, type TestServer } from '../support/server.ts';

/** A server, and the keys of the users in the story. */
export interface World {
  readonly server: TestServer;
  readonly alice: TestKey;
  readonly laptop: TestKey;
}

export async function makeWorld(server: TestServer): Promise<World> {
  const folder = await temporaryFolder();
  const [alice, laptop] = await Promise.all([makeKey(folder, 'alice'), makeKey(folder, 'laptop')]);
  return { server, alice, laptop };
}

/** The part of each answer that both hosts must have in common, by step. */
export type Answers = Record<
  string,
  { readonly code: number; readonly error: string | null; readonly shape: string[] }
>;

interface Document {
  ok: boolean;
  result?: Record<string, unknown>;
  error?: { code: string; exitCode: number };
}

/** Returns every path in a document with the type of its value. All elements of a list share one path. */
function shapeOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value))
    return value.length === 0 ? [`${path}[]`] : [...new Set(value.flatMap((item) => shapeOf(item, `${path}[]`)))];
  if (value !== null && typeof value === 'object') {
    return Object.entries(value).flatMap(([key, inner]) => shapeOf(inner, path === '' ? key : `${path}.${key}`));
  }
  // The advice of doctor depends on the host, but whether a check may have advice does not.
  if (path === 'checks[].next' || path === 'links[].next') return [`${path}: advice`];
  return [`${path}: ${value === null ? 'null' : typeof value}`];
}

/** Runs the story. Its user names become accounts on a real host, and are unlikely to be in use there. */
export async function runStory(world: World): Promise<Answers> {
  const answers: Answers = {};
  const { server, alice, laptop } = world;
  const key = { alice: alice.line.trim(), laptop: laptop.line.trim() };
  const comment = (line: string): string => line.split(' ').slice(2).join(' ');

  const record = async (step: string, answer: Promise<Finished>): Promise<Document> => {
    const { code, stdout, stderr } = await answer;
    const document = JSON.parse(stdout) as Document;
    expect(code, `${step}: ${stderr}`).toBe(document.error?.exitCode ?? (document.ok ? 0 : code));
    answers[step] = {
      code,
      error: document.error?.code ?? null,
      shape: document.result === undefined ? [] : shapeOf(document.result).sort(),
    };
    return document;
  };
  const manage = (step: string, args: readonly string[], stdin?: string): Promise<Document> =>
    record(step, server.ssh([...args, '--json'], { shared: true, ...(stdin === undefined ? {} : { stdin }) }));
  const self = (step: string, args: readonly string[], as: TestKey): Promise<Document> =>
    record(step, server.ssh([...args, '--json'], { user: 'self', key: as.path }));
  const result = (document: Document): Record<string, any> => {
    expect(document.ok, JSON.stringify(document.error)).toBe(true);
    return document.result as Record<string, any>;
  };
  const containers = async (): Promise<{ user: string; status: string }[]> =>
    (
      JSON.parse((await server.ssh(['list', '--json'], { shared: true })).stdout) as {
        result: { containers: { user: string; status: string }[] };
      }
    ).result.containers;

  // An empty host.
  expect(result(await manage('list, empty', ['list']))).toMatchObject({ total: 0, containers: [] });
  await manage('info, unknown', ['info', 'cxt-alice']);
  await manage('delete, unknown', ['delete', 'cxt-alice', '--yes']);
  await manage('start, unknown', ['start', 'cxt-alice']);
  await manage('reconcile, empty', ['reconcile']);
  expect(result(await manage('doctor, fresh', ['doctor'])).worst).not.toBe('problem');

  // Calls that are refused before anything changes.
  await manage('create, no key', ['create', 'cxt-alice']);
  await manage('create, bad name', ['create', 'Alice'], key.alice);
  await manage('create, reserved', ['create', 'root'], key.alice);
  await manage('create, bad size', ['create', 'cxt-alice', '--memory', '4'], key.alice);
  await manage('create, unknown image', ['create', 'cxt-alice', '--image', 'no-such-image'], key.alice);
  expect(await containers()).toEqual([]);

  // Create, and create again.
  const created = result(
    await manage(
      'create',
      ['create', 'cxt-alice', '--cpu', '1', '--memory', '512MiB', '--disk', '3GiB', '--label', 'team=blue'],
      key.alice,
    ),
  );
  expect(created.container).toMatchObject({
    user: 'cxt-alice',
    name: 'cxt-alice-container',
    status: 'running',
    provisioning: 'ready',
    cpus: 1,
    labels: { team: 'blue' },
  });
  expect(created.steps).toHaveLength(5);
  const before = result(await manage('info', ['info', 'cxt-alice'])).container;
  await manage('create, again', ['create', 'cxt-alice', '--cpu', '2'], key.laptop);
  const after = result(await manage('info, after', ['info', 'cxt-alice'])).container;
  expect({ ...after, ...volatile }).toEqual({ ...before, ...volatile });
  expect(after).toMatchObject({
    memoryLimitBytes: 512 * 2 ** 20,
    diskQuotaBytes: 3 * 2 ** 30,
    autostart: true,
    docker: true,
    jumpAccount: { exists: true, shell: '/usr/sbin/nologin' },
  });
  expect(after.cpuPercent).toBeGreaterThanOrEqual(0);
  expect(after.memoryUsedBytes).toBeGreaterThan(0);
  expect(after.diskUsedBytes).toBeGreaterThan(0);

  // List.
  expect(result(await manage('list', ['list', '--label', 'team=blue', '--state', 'running']))).toMatchObject({
    total: 1,
    running: 1,
  });
  expect(result(await manage('list, other label', ['list', '--label', 'team=red']))).toMatchObject({ total: 0 });
  await manage('info, host', ['info']);
  expect(result(await manage('image list', ['image', 'list'])).images).toMatchObject([{ current: true }]);

  // Resize.
  expect(
    result(await manage('resize', ['resize', 'cxt-alice', '--cpu', '2', '--memory', '768MiB', '--disk', '4GiB']))
      .changes,
  ).toHaveLength(3);
  expect(
    result(await manage('resize, again', ['resize', 'cxt-alice', '--cpu', '2', '--memory', '768MiB', '--disk', '4GiB']))
      .changes,
  ).toEqual([]);
  expect(result(await manage('info, resized', ['info', 'cxt-alice'])).container).toMatchObject({
    cpus: 2,
    memoryLimitBytes: 768 * 2 ** 20,
    diskQuotaBytes: 4 * 2 ** 30,
  });
  // The new limit lies between memory in use and charged memory, which includes page cache.
  expect(
    result(await manage('resize, less memory', ['resize', 'cxt-alice', '--memory', '256MiB'])).changes,
  ).toHaveLength(1);
  await manage('resize, below use', ['resize', 'cxt-alice', '--disk', '1kB']);
  await manage('resize, nothing', ['resize', 'cxt-alice']);

  // Keys, named by comment and by fingerprint.
  expect(result(await manage('key add', ['key', 'add', 'cxt-alice'], key.laptop)).keys).toHaveLength(2);
  expect(result(await manage('key add, again', ['key', 'add', 'cxt-alice'], key.laptop)).added).toEqual([]);
  const listed = result(await manage('key list', ['key', 'list', 'cxt-alice'])).keys as {
    fingerprint: string;
    comment: string;
  }[];
  expect(listed.map((each) => each.comment)).toEqual([comment(key.alice), comment(key.laptop)]);
  await manage('key remove, unknown', ['key', 'remove', 'cxt-alice', 'nobody@nowhere']);
  expect(result(await manage('key remove', ['key', 'remove', 'cxt-alice', comment(key.laptop)])).removed).toHaveLength(
    1,
  );
  await manage('key remove, last', ['key', 'remove', 'cxt-alice', listed[0]?.fingerprint ?? '']);
  expect(
    result(await manage('key replace', ['key', 'replace', 'cxt-alice'], `${key.alice}\n${key.laptop}\n`)).keys,
  ).toHaveLength(2);

  // The owner at self@.
  expect(result(await self('self info', ['info'], alice)).container).toMatchObject({ user: 'cxt-alice' });
  await self('self info, other', ['info', 'cxt-bob'], alice);
  expect(result(await self('self config', ['config'], laptop))).toMatchObject({
    alias: 'cxt-alice-dev',
    jumpAlias: 'cxt-alice-jump',
  });
  await self('self delete', ['delete', 'cxt-alice', '--yes'], alice);
  const exported = result(await manage('export', ['export', 'cxt-alice', '--jump-host', 'jump.example.org']));
  expect(exported.config).toContain('HostName jump.example.org');
  expect(exported.knownHosts).toEqual(expect.arrayContaining([expect.stringMatching(/^cxt-alice-dev ssh-ed25519 /)]));

  // Snapshots.
  expect(result(await manage('snapshot list, none', ['snapshot', 'list', 'cxt-alice'])).snapshots).toEqual([]);
  await manage('snapshot create', ['snapshot', 'create', 'cxt-alice', 'first', '--expires', '3d']);
  await manage('snapshot create, again', ['snapshot', 'create', 'cxt-alice', 'first']);
  await manage('snapshot create, bad name', ['snapshot', 'create', 'cxt-alice', 'a/b']);
  await self('self snapshot create', ['snapshot', 'create', 'mine'], alice);
  expect(result(await self('self snapshot list', ['snapshot', 'list'], alice)).snapshots).toHaveLength(2);
  await self('self snapshot delete, not own', ['snapshot', 'delete', 'first', '--yes'], alice);
  await manage('snapshot restore, unknown', ['snapshot', 'restore', 'cxt-alice', 'none', '--yes']);
  await manage('snapshot restore, unconfirmed', ['snapshot', 'restore', 'cxt-alice', 'first']);
  const restored = result(await manage('snapshot restore', ['snapshot', 'restore', 'cxt-alice', 'first', '--yes']));
  expect(restored).toMatchObject({ status: 'running', restored: 'first' });
  expect(result(await manage('reconcile, restored', ['reconcile'])).differences).toEqual([]);
  await manage('snapshot rename', ['snapshot', 'rename', 'cxt-alice', 'first', 'second']);
  await self('self snapshot delete', ['snapshot', 'delete', 'mine', '--yes'], alice);
  await manage('snapshot delete', ['snapshot', 'delete', 'cxt-alice', 'second', '--yes']);
  expect(
    result(await manage('snapshot list', ['snapshot', 'list', 'cxt-alice'])).snapshots.map(
      (one: { name: string }) => one.name,
    ),
  ).toEqual([restored.before]);
  await manage('snapshot schedule', ['snapshot', 'schedule', 'cxt-alice', 'hourly', '--keep', '2d']);
  await manage('snapshot schedule, default', ['snapshot', 'schedule', 'cxt-alice', 'default']);

  // Backups.
  expect(result(await manage('backup list, none', ['backup', 'list', 'cxt-alice'])).backups).toEqual([]);
  await manage('backup verify, none', ['backup', 'verify', 'cxt-alice', 'latest']);
  const { backup } = result(await manage('backup create', ['backup', 'create', 'cxt-alice']));
  expect(result(await manage('backup list', ['backup', 'list'])).backups).toMatchObject([{ id: backup.id }]);
  expect(result(await self('self backup list', ['backup', 'list'], alice)).backups).toHaveLength(1);
  await self('self backup create', ['backup', 'create', 'cxt-alice'], alice);
  const verified = result(await manage('backup verify', ['backup', 'verify', 'cxt-alice', backup.id]));
  expect(verified.compared).toBeGreaterThan(0);
  expect(await containers()).toMatchObject([{ user: 'cxt-alice', status: 'running' }]);
  expect(result(await manage('reconcile, verified', ['reconcile'])).differences).toEqual([]);
  await manage('backup restore, unconfirmed', ['backup', 'restore', 'cxt-alice', backup.id]);
  const back = result(await manage('backup restore', ['backup', 'restore', 'cxt-alice', backup.id, '--yes']));
  expect(back).toMatchObject({ status: 'running', id: backup.id });
  expect(result(await manage('reconcile, backup restored', ['reconcile'])).differences).toEqual([]);
  expect(result(await manage('debug, backup restored', ['debug', 'cxt-alice'])).broken).toBeNull();
  await manage('snapshot restore, before the backup', ['snapshot', 'restore', 'cxt-alice', back.before, '--yes']);
  expect(result(await manage('reconcile, taken back', ['reconcile'])).differences).toEqual([]);
  await manage('backup delete, unconfirmed', ['backup', 'delete', 'cxt-alice', backup.id]);
  await manage('backup delete', ['backup', 'delete', 'cxt-alice', backup.id, '--yes']);
  await manage('backup delete, again', ['backup', 'delete', 'cxt-alice', backup.id, '--yes']);

  // Why can she not get in?
  expect(result(await manage('debug', ['debug', 'cxt-alice', '--from', '192.0.2.1'])).broken).toBeNull();
  expect(result(await self('self debug', ['debug'], alice)).broken).toBeNull();

  // Stop and start.
  expect(result(await manage('stop', ['stop', 'cxt-alice', '--force']))).toMatchObject({
    status: 'stopped',
    changed: true,
  });
  expect(result(await manage('stop, again', ['stop', 'cxt-alice']))).toMatchObject({ changed: false });
  expect((await manage('debug, stopped', ['debug', 'cxt-alice'])).result?.['broken']).toBe('container');
  expect(result(await manage('list, stopped', ['list', '--state', 'stopped']))).toMatchObject({ total: 1, stopped: 1 });
  expect(
    result(await manage('key remove, stopped', ['key', 'remove', 'cxt-alice', comment(key.laptop)])).keys,
  ).toHaveLength(1);
  expect(result(await manage('start', ['start', 'cxt-alice']))).toMatchObject({ status: 'running', changed: true });
  expect(result(await manage('restart', ['restart', 'cxt-alice', '--force']))).toMatchObject({
    status: 'running',
    changed: true,
  });
  expect(result(await manage('reconcile', ['reconcile'])).differences).toEqual([]);

  // Delete.
  const kept = result(await manage('backup create, before the delete', ['backup', 'create', 'cxt-alice'])).backup;
  expect(result(await manage('protect', ['protect', 'cxt-alice'])).changed).toBe(true);
  await manage('delete, protected', ['delete', 'cxt-alice', '--yes']);
  expect(result(await manage('unprotect', ['unprotect', 'cxt-alice'])).changed).toBe(true);
  await manage('delete, unconfirmed', ['delete', 'cxt-alice']);
  expect(await containers()).toMatchObject([{ user: 'cxt-alice', status: 'running' }]);

  // Labels, an end, and taking back.
  expect(result(await manage('label set', ['label', 'set', 'cxt-alice', 'team=red', 'new=1'])).labels).toEqual({
    team: 'red',
    new: '1',
  });
  expect(result(await manage('label remove', ['label', 'remove', 'cxt-alice', 'new'])).labels).toEqual({ team: 'red' });
  await manage('ttl set', ['ttl', 'set', 'cxt-alice', '30d']);
  await manage('ttl set, past', ['ttl', 'set', 'cxt-alice', '2020-01-01']);
  await manage('ttl clear', ['ttl', 'clear', 'cxt-alice']);
  expect(result(await manage('undo, shown', ['undo'])).done).toBe(false);
  expect(result(await manage('undo', ['undo', '--yes'])).change.verb).toBe('ttl clear');
  await self('self undo, nothing', ['undo'], alice);

  // Into the trash and back, with the same address and host key.
  const old = result(await manage('info, before delete', ['info', 'cxt-alice'])).container;
  expect(result(await manage('delete', ['delete', 'cxt-alice', '--yes'])).trash).not.toBeNull();
  expect(await containers()).toEqual([]);
  expect(result(await manage('reconcile, trash', ['reconcile'])).differences).toEqual([]);
  expect(result(await manage('trash list', ['trash', 'list'])).trashed).toMatchObject([{ user: 'cxt-alice' }]);
  // ssh itself fails with 255 when the key is rejected (ssh(1), EXIT STATUS).
  expect((await server.ssh(['info'], { user: 'self', key: alice.path })).code).toBe(255);
  expect(result(await manage('trash restore', ['trash', 'restore', 'cxt-alice']))).toMatchObject({
    status: 'running',
    isNewAddress: false,
    address: old.address,
  });
  const returned = result(await manage('info, restored', ['info', 'cxt-alice'])).container;
  expect({ ...returned, ...volatile, startedAt: old.startedAt }).toEqual({ ...old, ...volatile });
  expect(result(await manage('debug, restored', ['debug', 'cxt-alice'])).broken).toBeNull();
  expect(result(await manage('reconcile, out of the trash', ['reconcile'])).differences).toEqual([]);
  await manage('trash restore, again', ['trash', 'restore', 'cxt-alice']);
  await manage('delete, into the trash', ['delete', 'cxt-alice', '--yes']);
  await manage('trash purge, unconfirmed', ['trash', 'purge', 'cxt-alice']);
  await manage('trash purge', ['trash', 'purge', 'cxt-alice', '--yes']);
  await manage('trash purge, again', ['trash', 'purge', 'cxt-alice', '--yes']);
  // Not recorded: whether a job has run by now depends on the time of day.
  const scheduled = await server.ssh(['schedule', 'list', '--json'], { shared: true });
  expect(result(JSON.parse(scheduled.stdout) as Document)['heldUntil']).toBeNull();
  await manage('schedule run', ['schedule', 'run', 'trash']);
  // Not recorded: which alerts are open, and what happened, depends on the host and the time.
  const alerts = await server.ssh(['alert', 'list', '--json'], { shared: true });
  expect(result(JSON.parse(alerts.stdout) as Document)).toMatchObject({ channels: [] });
  const report = await server.ssh(['report', '--json'], { shared: true });
  for (const part of ['alerts', 'containers', 'changes', 'backups', 'logins', 'pools', 'disks', 'expiries', 'journal'])
    expect(result(JSON.parse(report.stdout) as Document)[part], part).toMatchObject({ trouble: null });
  await manage('alert test, no way', ['alert', 'test']);
  await manage('schedule run, unknown', ['schedule', 'run', 'nothing']);
  expect(await containers()).toEqual([]);

  // Gone, and back from its backup.
  const again = result(await manage('backup restore, gone', ['backup', 'restore', 'cxt-alice', kept.id, '--yes']));
  expect(again).toMatchObject({ status: 'running', before: null });
  expect(result(await manage('reconcile, back', ['reconcile'])).differences).toEqual([]);
  expect(result(await manage('debug, back', ['debug', 'cxt-alice'])).broken).toBeNull();
  await manage('backup delete, after the restore', ['backup', 'delete', 'cxt-alice', kept.id, '--yes']);
  await manage('delete, back', ['delete', 'cxt-alice', '--backup', '--purge', '--yes']);
  expect(await containers()).toEqual([]);
  expect(result(await manage('backup rebuild', ['backup', 'rebuild'])).restored).toEqual(['cxt-alice']);
  expect(result(await manage('reconcile, rebuilt', ['reconcile'])).differences).toEqual([]);
  await manage('delete, rebuilt', ['delete', 'cxt-alice', '--yes']);
  expect(await containers()).toEqual([]);
  expect(result(await manage('reconcile, after', ['reconcile'])).differences).toEqual([]);
  expect(result(await manage('audit verify', ['audit', 'verify'])).ok).toBe(true);
  await manage('audit, connections of an actor', ['audit', '--connections', '--actor', 'cxt-alice']);
  await manage('audit, a user without connections', ['audit', '--user', 'cxt-alice']);
  // Not recorded: whether connections are known depends on the host, which may have no journal of systemd.
  const security = await server.ssh(['security', '--json'], { shared: true });
  expect(result(JSON.parse(security.stdout) as Document)).toMatchObject({ connections: [], expiring: [] });
  const connections = JSON.parse(
    (await server.ssh(['audit', '--connections', '--json'], { shared: true })).stdout,
  ) as Document;
  expect(connections.ok ? result(connections)['connections'] : connections.error?.code).toEqual(
    connections.ok ? [] : 'program-missing',
  );
  // The contents of a record depend on the call. Here it is enough that the records are found.
  const records = JSON.parse(
    (await server.ssh(['audit', '--target', 'cxt-alice', '--verb', 'delete', '--json'], { shared: true })).stdout,
  ) as Document;
  expect(result(records).records.map((record: { outcome?: string }) => record.outcome)).toContain('ok');
  return answers;
}

/** Values that change from one measurement to the next. */
const volatile = { cpuPercent: 0, memoryUsedBytes: 0, diskUsedBytes: 0, processes: 0, network: null };
