/** The front process: it may die or hang at any time, and has no rights of root. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { eventually, programInGroups, repository, temporaryFolder, type TestServer } from '../support/server.ts';
import { startSlowServer } from '../support/slowServer.ts';

/** Duration of one change on the simulated host, in milliseconds: long enough to act in the middle of a create. */
const paceMs = 3000;

let server: TestServer;
let alice: TestKey;

beforeAll(async () => {
  alice = await makeKey(await temporaryFolder(), 'alice');
  server = await startSlowServer(paceMs, { user: 'alice', line: alice.line }, { program: await programInGroups() });
});

/** Returns the children of core that run the front. There is never more than one. */
async function fronts(): Promise<number[]> {
  const lists = await Promise.all(
    (await readdir(`/proc/${server.pid}/task`)).map((task) =>
      readFile(`/proc/${server.pid}/task/${task}/children`, 'utf8').catch(() => ''),
    ),
  );
  const children = lists
    .join(' ')
    .split(/\s+/)
    .filter((pid) => pid !== '');
  const found: number[] = [];
  for (const pid of children) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (/\/dist\/front\/main\.js\0/.test(line)) found.push(Number(pid));
  }
  return found;
}

function front(other?: number): Promise<number> {
  return eventually(
    async () => {
      const [pid, ...more] = await fronts();
      expect(more).toEqual([]);
      return pid === other ? undefined : pid;
    },
    `a front other than ${other}`,
    20_000,
  );
}

/** Repeats a command over ssh until it succeeds. Resolves to its output. */
function answered(words: readonly string[]): Promise<string> {
  return eventually(
    async () => {
      const { code, stdout } = await server.ssh(words);
      return code === 0 ? stdout : undefined;
    },
    () => Promise.resolve(`an answer to "${words.join(' ')}": ${server.log()}`),
  );
}

interface Listed {
  readonly user: string;
  readonly provisioning: string;
}

async function listed(user: string): Promise<Listed | undefined> {
  const { code, stdout } = await server.local(['list', '--json']);
  if (code !== 0) throw new Error(`list failed: ${stdout}`);
  return (JSON.parse(stdout) as { result: { containers: Listed[] } }).result.containers.find(
    (container) => container.user === user,
  );
}

function seen(user: string, provisioning: string): Promise<Listed> {
  return eventually(
    async () => {
      const found = await listed(user);
      return found?.provisioning === provisioning ? found : undefined;
    },
    async () => `${user} is ${provisioning}: ${JSON.stringify(await listed(user))}`,
  );
}

interface RecordOfCreate {
  readonly type: string;
  readonly time: string;
  readonly outcome?: string;
}

/** Returns the time at which the journal records the success of `create` for this user, in milliseconds. */
async function createdAtMs(user: string): Promise<number> {
  const { stdout } = await server.local(['audit', '--target', user, '--verb', 'create', '--json']);
  const { records } = (JSON.parse(stdout) as { result: { records: RecordOfCreate[] } }).result;
  const outcomes = records.filter(({ type }) => type === 'outcome');
  expect(outcomes).toMatchObject([{ outcome: 'ok' }]);
  return Date.parse(outcomes[0]?.time ?? '');
}

describe('a front that is killed', () => {
  let killed: number;

  test('is replaced on the same port, and the containers are still there', async () => {
    killed = await front();
    process.kill(killed, 'SIGKILL');
    expect(await front(killed)).not.toBe(killed);
    // TestServer connects to the port on which the first front listened.
    expect(await answered(['list', '--format', 'csv', '--columns', 'user'])).toMatch(/^alice$/m);
    expect(server.log()).toMatch(/"signal":"SIGKILL".*the front ended; restarting it/);
  });

  test('is reported in the next shell', async () => {
    const shell = server.startSsh(['plain'], { tty: true, openStdin: true, user: 'self', key: alice.path });
    let shown = '';
    shell.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    await eventually(
      () => /The SSH server was restarted at \d\d:\d\d UTC because it exited unexpectedly/.test(shown) || undefined,
      () => Promise.resolve(`the notice: ${shown}`),
    );
    shell.stdin?.write('exit\r');
    expect((await shell).exitCode).toBe(0);
  });

  test('does not interrupt a running operation', async () => {
    const running = server.startSsh(['create', 'bob'], { stdin: alice.line });
    await seen('bob', 'creating');
    const pid = await front();
    const killedMs = Date.now();
    process.kill(pid, 'SIGKILL');
    // The client reports the lost connection, and prints no success.
    const { exitCode, stdout } = await running;
    expect(exitCode).toBe(255);
    expect(stdout).not.toMatch(/created/);
    await seen('bob', 'ready');
    expect(await createdAtMs('bob')).toBeGreaterThan(killedMs);
    await front(pid);
    expect(await answered(['info', 'bob'])).toMatch(/bob-container/);
  });
});

describe('a front that hangs', () => {
  let stopped: number | undefined;
  afterEach(() => {
    try {
      if (stopped !== undefined) process.kill(stopped, 'SIGCONT');
    } catch {
      // core has killed the process, as expected.
    }
  });

  test('is killed after more than 5 s without a sign of life, and replaced', async () => {
    await answered(['whoami']);
    stopped = await front();
    const startedMs = performance.now();
    process.kill(stopped, 'SIGSTOP');
    // The local socket does not need the front.
    expect((await server.local(['list'])).code).toBe(0);
    await front(stopped);
    expect(performance.now() - startedMs).toBeGreaterThan(5000);
    await expect(readFile(`/proc/${stopped}/stat`)).rejects.toThrow(/ENOENT/);
    expect(server.log()).toMatch(/the front hangs; killing it/);
    const told =
      /^The SSH server was restarted at \d\d:\d\d UTC because it stopped responding\. Operations were not interrupted\.$/m;
    const next = await eventually(async () => {
      const { code, stdout, stderr } = await server.ssh(['list', '--json']);
      return code === 0 ? { stdout, stderr } : undefined;
    }, 'an answer of the next front');
    expect(next.stderr).toMatch(told);
    expect(JSON.parse(next.stdout)).toMatchObject({ ok: true });
    // Each person is told once.
    expect((await server.ssh(['list'])).stderr).not.toMatch(told);
    expect((await server.ssh(['info'], { user: 'self', key: alice.path })).stderr).toMatch(told);
  });
});

async function openFiles(pid: number): Promise<string[]> {
  const names = await readdir(`/proc/${pid}/fd`);
  // A descriptor may be closed between listing and reading.
  return (await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')))).filter(
    (target) => target !== '',
  );
}

describe.runIf(process.getuid?.() === 0)('a front that root started', () => {
  let pid: number;
  beforeEach(async () => {
    await answered(['whoami']);
    pid = await front();
  });

  test('runs as another user without groups and capabilities, and cannot gain any', async () => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const field = (name: string, of = status): string[] | undefined =>
      new RegExp(`^${name}:(.*)$`, 'm')
        .exec(of)?.[1]
        ?.split(/\s+/)
        .filter((word) => word !== '');
    // The user of the front, if this machine has one (src/core/processes/starterChoice.ts).
    const passwd = await readFile('/etc/passwd', 'utf8');
    const [, , uid = '65534', gid = '65534'] = /^containarium-front:.*$/m.exec(passwd)?.[0].split(':') ?? [];
    expect(field('Uid')).toEqual([uid, uid, uid, uid]);
    expect(field('Gid')).toEqual([gid, gid, gid, gid]);
    expect(field('Groups', await readFile(`/proc/${server.pid}/status`, 'utf8'))).toEqual(['0', '4', '24']);
    expect(field('Groups')).toEqual([]);
    expect(field('NoNewPrivs')).toEqual(['1']);
    // CAP_SETUID, CAP_SETGID and CAP_DAC_READ_SEARCH, which the start needed. No process can gain them from this set
    // with no_new_privs.
    expect(field('CapBnd')).toEqual(['00000000000000c4']);
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) expect(field(set), set).toEqual(['0'.repeat(16)]);
  });

  test.each(['front', 'metrics'])('does not run as root if nothing changes its user (%s)', async (name) => {
    const { exitCode, stderr } = await execa(
      process.execPath,
      [join(repository, 'dist', name, 'main.js'), ...(name === 'front' ? ['--channel=0', '--listener=0'] : [])],
      { reject: false, stdin: 'ignore' },
    );
    expect(stderr).toMatch(/the process must not run as root|the metrics process must not run as root/);
    expect(exitCode).toBe(1);
  });

  test('has no file of the server home open', async () => {
    // core has the journal open, which shows that openFiles finds files.
    expect((await openFiles(server.pid)).filter((path) => path.startsWith(server.home))).not.toEqual([]);
    const open = await openFiles(pid);
    expect(open.filter((target) => target.startsWith('socket:'))).not.toEqual([]);
    expect(open.filter((target) => !/^(pipe:|socket:|anon_inode:|\/dev\/null$)/.test(target))).toEqual([]);
  });

  test("gets no variable of core's environment", async () => {
    const names = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0').map((entry) => entry.split('=')[0]);
    expect(names).toContain('PATH');
    expect(names.filter((name) => name === 'HOME' || name?.startsWith('CONTAINARIUM_') === true)).toEqual([]);
  });
});

function reaches(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

describe('SIGTERM to core', () => {
  test('finishes and answers a running create, closes the port, and exits with 0', async () => {
    await answered(['whoami']);
    const pid = await front();
    expect(await reaches(server.port)).toBe(true);
    const running = server.ssh(['create', 'carol'], { stdin: alice.line });
    await seen('carol', 'creating');
    const stoppedMs = Date.now();
    const [code, created] = await Promise.all([server.stop(), running]);
    expect(code).toBe(0);
    expect(created.stdout).toMatch(/^Container carol-container created$/m);
    expect(created.code).toBe(0);
    expect(await reaches(server.port)).toBe(false);
    await expect(readFile(`/proc/${pid}/stat`)).rejects.toThrow(/ENOENT/);

    await server.restart();
    const verified = await server.ssh(['audit', 'verify', '--json']);
    expect(verified.code).toBe(0);
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true });
    // The create was finished before the server ended, and not by the next server.
    expect(await listed('carol')).toMatchObject({ provisioning: 'ready' });
    expect(await createdAtMs('carol')).toBeGreaterThan(stoppedMs);
    expect((await server.ssh(['reconcile'])).code).toBe(0);
  });

  test('ends an idle server and its open sessions at once', async () => {
    // The command waits for a key that never comes.
    const session = server.startSsh(['create', 'dave'], { tty: true, openStdin: true });
    let shown = '';
    session.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    await eventually(() => shown.includes('Paste') || undefined, 'a session that waits');
    expect(await server.stop()).toBe(0);
    expect((await session).exitCode).not.toBe(0);
    await server.restart();
    expect((await server.local(['audit', 'verify'])).code).toBe(0);
  });
});
