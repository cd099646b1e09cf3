/** Local mode: the same catalogue over core's socket, for root on the host. */
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { connect, isIP } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { repository, startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { openTerminal } from '../support/terminal.ts';

let server: TestServer;
let key: TestKey;
/** The home of the caller, for which `~/` stands. */
let home: string;

beforeAll(async () => {
  home = await temporaryFolder();
  await mkdir(join(home, '.ssh'), { mode: 0o700 });
  [server, key] = await Promise.all([startServer(), makeKey(join(home, '.ssh'), 'alice')]);
});

const asCaller = (): { env: Record<string, string> } => ({ env: { HOME: home, SUDO_USER: 'carla' } });

async function document(
  words: readonly string[],
): Promise<{ ok: boolean; host: { kind: string }; result: Record<string, unknown>; error: { code: string } }> {
  const { stdout } = await server.local([...words, '--json'], asCaller());
  return JSON.parse(stdout) as never;
}

describe('a key', () => {
  test('is read from the file that --ssh-key names', async () => {
    const { code, stdout } = await server.local(['create', 'alice', '--ssh-key', `${key.path}.pub`], asCaller());
    expect(stdout).toMatch(/^Container alice-container created$/m);
    expect(code).toBe(0);
    expect(await document(['key', 'list', 'alice'])).toMatchObject({
      ok: true,
      result: { keys: [{ fingerprint: key.fingerprint }] },
    });
  });

  test.each([[['--ssh-key', '~/.ssh/alice.pub']], [['--ssh-key=~/.ssh/alice.pub']]])(
    'is read from a path below ~/: %j',
    async (flag) => {
      const user = `home-${flag.length}`;
      expect(await server.local(['create', user, ...flag], asCaller())).toMatchObject({ code: 0 });
      expect(await document(['key', 'list', user])).toMatchObject({
        result: { keys: [{ fingerprint: key.fingerprint }] },
      });
    },
  );

  test('is read from standard input too', async () => {
    expect(await server.local(['create', 'piped'], { ...asCaller(), stdin: key.line })).toMatchObject({ code: 0 });
  });

  test('that is private is refused and not repeated', async () => {
    const { code, stdout, stderr } = await server.local(['create', 'private', '--ssh-key', key.path], asCaller());
    expect(code).toBe(2);
    expect(stderr).toMatch(/\(private-key\)/);
    const secret = (await readFile(key.path, 'utf8')).split('\n')[1] ?? '';
    expect(secret.length).toBeGreaterThan(40);
    expect(stdout + stderr).not.toContain(secret);
    expect((await server.local(['info', 'private'])).code).toBe(3);
  });

  test('in a missing file is refused with a code and the name of the file', async () => {
    const { code, stderr } = await server.local(['create', 'nobody', '--ssh-key', '~/missing.pub'], asCaller());
    expect(code).toBe(2);
    expect(stderr).toMatch(/file "~\/missing\.pub".*does not exist.*\(missing-key\)/);
  });
});

describe('--output', () => {
  test('writes a file that only its owner can read, also in place of a readable one', async () => {
    const path = join(home, 'containarium-alice');
    await writeFile(path, 'before', { mode: 0o644 });
    const { code, stdout, stderr } = await server.local(
      ['export', 'alice', '--output', '~/containarium-alice'],
      asCaller(),
    );
    expect(code).toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/Written to ~\/containarium-alice/);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, 'utf8')).toMatch(/^Host alice-dev$/m);
  });

  test('makes the folder that does not exist, and says how to include the file', async () => {
    const folder = join(home, 'made', 'config.d');
    const { code, stderr } = await server.local(['export', 'alice', '-o', join(folder, 'alice')], asCaller());
    expect(code).toBe(0);
    expect((await stat(folder)).mode & 0o777).toBe(0o755);
    expect((await stat(join(folder, 'alice'))).mode & 0o777).toBe(0o600);
    expect(stderr).toMatch(/put "Include .*\/config\.d\/alice" at the top of ~\/\.ssh\/config/);
  });

  test('fails with a code if the folder cannot be made', async () => {
    const { code, stderr } = await server.local(['export', 'alice', '-o', `${key.path}/below/a/file`], asCaller());
    expect(code).toBe(2);
    expect(stderr).toMatch(/cannot be written \(ENOTDIR\)/);
  });
});

describe('an exported configuration', () => {
  test("names the host's own address where none is configured, and says so", async () => {
    const { stdout } = await server.local(['export', 'alice'], asCaller());
    expect(stdout).not.toContain('JUMP-HOST');
    const address = /^    HostName (\S+)$/m.exec(stdout)?.[1] ?? '';
    expect(isIP(address)).not.toBe(0);
    expect(stdout).toContain(`# ${address} is the jump host's own address.`);
  });
});

describe('--verbose', () => {
  test.each(['-v', '--verbose'])('is understood by every verb and shows more beside the answer: %s', async (flag) => {
    const { code, stderr } = await server.local(['list', flag], asCaller());
    expect(stderr).toMatch(/^Time: /m);
    expect(code).toBe(0);
    expect((await server.local([flag, 'create', 'alice'], { ...asCaller(), stdin: key.line })).stderr).toMatch(
      /^Error: .*\n(?:Next: .*\n)?(?:Details: .*\n)?Time: /m,
    );
  });
});

describe('the caller', () => {
  test('is the user of the next variable if SUDO_USER is set to nothing', async () => {
    const { stdout } = await server.local(['whoami', '--json'], { env: { SUDO_USER: '', USER: 'dora' } });
    expect(JSON.parse(stdout)).toMatchObject({ result: { name: 'dora' } });
  });

  test('is root with the name of the user who called sudo, also in the journal', async () => {
    expect(await document(['whoami'])).toMatchObject({
      ok: true,
      host: { kind: 'simulated' },
      result: { name: 'carla', role: 'root', entryPoint: 'local' },
    });
    const { result } = await document([
      'audit',
      '--actor',
      'carla',
      '--verb',
      'create',
      '--target',
      'alice',
      '--steps',
    ]);
    const records = result['records'] as { type: string; actor: unknown }[];
    // The call, the beginning, the steps and the end of its operation, and its outcome.
    expect(records.length).toBeGreaterThan(4);
    for (const { type, actor } of records) {
      const isBrief = type.startsWith('step');
      expect(actor).toMatchObject({ name: 'carla', entryPoint: 'local', ...(isBrief ? {} : { role: 'root' }) });
    }
  });

  test('must be root, because only root can enter the folder of the socket', async () => {
    const folder = await stat(join(server.home, 'state'));
    expect(folder.mode & 0o077).toBe(0);
  });
});

describe('a program that opens the socket and', () => {
  /** Sends text to core's socket. Resolves to everything that comes back. */
  async function answerTo(text: string): Promise<string> {
    const socket = connect(join(server.home, 'state', 'core.sock'));
    socket.on('error', () => undefined);
    socket.write(text);
    let answer = '';
    socket.on('data', (data: Buffer) => (answer += data.toString()));
    await new Promise((resolve) => socket.once('close', resolve));
    return answer;
  }

  test.each([
    ['speaks another protocol', 'Content-Length: 2\r\n\r\n{}\n', ''],
    ['sends no command line', '{"reply":{"text":"x"}}\n', /^\{"failure":\{"code":"usage","what":"the command line",/],
    ['sends words that are none', '{"command":{"words":[1],"prefix":"","name":"x","takesBytes":false}}\n', /"usage"/],
    ['sends too long a line', 'x'.repeat(3 * 1024 * 1024), ''],
  ])('%s gets no answer of a verb, and the server goes on', async (_, text, wanted) => {
    const answer = await answerTo(text);
    if (wanted === '') expect(answer).toBe('');
    else expect(answer).toMatch(wanted);
    expect((await server.local(['whoami', '--json'])).code).toBe(0);
  });

  test('speaks as the client gets what the verb prints, and an exit code', async () => {
    const command = { words: ['whoami'], prefix: 'containarium', name: 'x'.repeat(100), takesBytes: false };
    const lines = (await answerTo(`${JSON.stringify({ command })}\n`)).trim().split('\n');
    expect(lines[0]).toBe('{"begun":true}');
    expect(lines.join('\n')).toContain('x'.repeat(64));
    expect(lines.join('\n')).not.toContain('x'.repeat(65));
    expect(lines.at(-1)).toBe('{"exit":0}');
  });
});

describe('without a server', () => {
  test('a verb reports that the server is not running, with an exit code of its own, and in JSON', async () => {
    const elsewhere = { env: { CONTAINARIUM_HOME: await temporaryFolder() } };
    const { code, stderr } = await server.local(['list'], elsewhere);
    expect(code).toBe(8);
    expect(stderr).toMatch(/it is not running \(core-unavailable\)\nNext: /);
    const json = await server.local(['list', '--json'], elsewhere);
    expect(json.code).toBe(8);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, error: { code: 'core-unavailable' } });
  });

  test('the command without a verb prints the usage', async () => {
    const { code, stderr } = await server.local([]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^Usage: containarium serve/);
  });

  test('the journal is verified with its archive and its anchors, which the settings name', async () => {
    const file = join(await temporaryFolder(), 'anchors');
    const dead = await startServer({ config: { journal: { anchor: { file } } } });
    expect(await dead.local(['schedule', 'run', 'anchor'])).toMatchObject({ code: 0 });
    await dead.kill();
    const { code, stdout, stderr } = await dead.local(['audit', 'verify', '--archive', '--json']);
    expect(stderr).toMatch(/^The server is not running; this is its journal/);
    expect(JSON.parse(stdout)).toMatchObject({ result: { ok: true, archived: 0, anchors: 1, anchorTrouble: null } });
    expect(code).toBe(0);
  });

  test('a call ends when the server dies during the call', async () => {
    const dying = await startServer({ env: { CONTAINARIUM_SIMULATED_PACE_MS: '3000' } });
    const waiting = dying.local(['create', 'alice'], { stdin: key.line });
    await expect
      .poll(() => dying.local(['audit', '--verb', 'create', '--json']).then(({ stdout }) => stdout), {
        timeout: 20_000,
      })
      .toContain('"alice"');
    await dying.kill();
    const { code, stderr } = await waiting;
    expect(stderr).toMatch(/\(core-unavailable\)/);
    expect(code).toBe(8);
  });
});

test("delete asks for the name on the host's own terminal", async () => {
  expect(await server.local(['create', 'typed'], { stdin: key.line })).toMatchObject({ code: 0 });
  const terminal = await openTerminal([
    'env',
    `CONTAINARIUM_HOME=${server.home}`,
    process.execPath,
    join(repository, 'dist', 'main.js'),
    'delete',
    'typed',
  ]);
  await terminal.shows(/Type "typed" to continue:/);
  await terminal.type('typed', 'Enter');
  await terminal.shows(/Container typed-container and jump account typed deleted/);
  expect((await server.local(['info', 'typed'])).code).toBe(3);
});

test('the npm script runs the same command', async () => {
  // Without "precontainarium", which builds, and refuses root where others can change the checkout (parts/checkout).
  const { stdout, exitCode } = await execa(
    'npm',
    ['run', '-s', '--ignore-scripts', 'containarium', '--', 'whoami', '--json'],
    {
      cwd: repository,
      env: { CONTAINARIUM_HOME: server.home },
    },
  );
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, result: { entryPoint: 'local' } });
});
