/** Commands, standard input and exit status with the stock OpenSSH client. */
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { startServer, temporaryFolder, type TestServer } from '../support/server.ts';

let server: TestServer;
let keys: string;
let alice: TestKey;

beforeAll(async () => {
  keys = await temporaryFolder();
  [server, alice] = await Promise.all([startServer({ config: { ssh: { stdinMs: 1000 } } }), makeKey(keys, 'alice')]);
});

async function fingerprintsOf(user: string): Promise<string[]> {
  const { stdout } = await server.ssh(['key', 'list', user, '--json']);
  return (JSON.parse(stdout) as { result: { keys: { fingerprint: string }[] } }).result.keys.map(
    (key) => key.fingerprint,
  );
}

describe('the key of create', () => {
  test('comes from a file on standard input', async () => {
    const { stdout, stderr, code } = await server.ssh(['create', 'alice'], { stdin: alice.line });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Container alice-container created$/m);
    expect(stderr).toMatch(/✓ \[5\/5\] Waiting for SSH/);
    expect(await fingerprintsOf('alice')).toEqual([alice.fingerprint]);
  });

  test('may arrive without a final line feed, with carriage returns, and as several keys', async () => {
    const second = await makeKey(keys, 'second');
    const { code, stderr } = await server.ssh(['create', 'several'], {
      stdin: `${alice.line.trim()}\r\n\r\n${second.line.trim()}`,
    });
    expect(stderr).not.toMatch(/Error/);
    expect(code).toBe(0);
    expect(await fingerprintsOf('several')).toEqual([alice.fingerprint, second.fingerprint]);
  });

  test.each([
    ['one quoted word', (line: string) => ['--ssh-key', `"${line.trim()}"`]],
    ['unquoted words', (line: string) => ['--ssh-key', line.trim()]],
    [
      'unquoted words with options after them',
      (line: string) => ['--ssh-key', line.trim(), '-l', 'team=web', '--cpu', '2'],
    ],
    ['a value after an equals sign', (line: string) => [`--ssh-key="${line.trim()}"`]],
    ['unquoted words after an equals sign', (line: string) => [`--ssh-key=${line.trim()}`, '--no-docker']],
  ])('may be given as %s', async (how, words) => {
    const user = `bob-${how
      .replaceAll(/[^a-z]+/g, '-')
      .slice(0, 26)
      .replace(/-$/, '')}`.slice(0, 32);
    const key = await makeKey(keys, user, { comment: 'bob at home' });
    const { code, stderr } = await server.ssh(['create', user, ...words(key.line)]);
    expect(stderr).not.toMatch(/Error/);
    expect(code).toBe(0);
    const { stdout } = await server.ssh(['info', user, '--json']);
    const { result } = JSON.parse(stdout) as {
      result: { container: { keyList: unknown[]; labels: unknown; cpus: number; docker: boolean } };
    };
    expect(result.container.keyList).toMatchObject([{ fingerprint: key.fingerprint, comment: 'bob at home' }]);
    if (how.includes('options')) expect(result.container).toMatchObject({ labels: { team: 'web' }, cpus: 2 });
    if (words(key.line).includes('--no-docker')) expect(result.container.docker).toBe(false);
  });

  test('comes from standard input if --ssh-key is "-"', async () => {
    const { code } = await server.ssh(['create', 'dash', '--ssh-key', '-'], { stdin: alice.line });
    expect(code).toBe(0);
    expect(await fingerprintsOf('dash')).toEqual([alice.fingerprint]);
  });

  test('is refused if it is a path, with the command that pipes the file', async () => {
    for (const path of ['~/.ssh/id_ed25519.pub', './alice.pub', 'alice.pub', '/etc/passwd']) {
      const { code, stdout, stderr } = await server.ssh(['create', 'path', '--ssh-key', `'${path}'`]);
      expect(code).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/path of a file on your machine/);
      expect(stderr).toMatch(/create path < key\.pub/);
    }
  });

  test.each([
    ['-n', ['-n']],
    ['/dev/null', []],
  ])('is requested if standard input is empty (%s)', async (_, options) => {
    const { code, stderr } = await server.ssh(['create', 'nokey'], { options });
    expect(code).toBe(2);
    expect(stderr).toMatch(/no key was given \(missing-key\)/);
    expect(stderr).toMatch(/Next: .*: ssh -p \d+ manage@127\.0\.0\.1 create nokey < key\.pub/);
  });

  test('is refused if standard input is too large', async () => {
    const { code, stderr } = await server.ssh(['create', 'large'], {
      stdin: `${alice.line}${'# a line that is not a key\n'.repeat(40_000)}`,
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/longer than 65536 bytes \(input-too-large\)/);
  });

  test('must arrive within the configured time', async () => {
    const { code, stderr } = await server.ssh(['create', 'silent'], { openStdin: true });
    expect(code).toBe(2);
    expect(stderr).toMatch(/no end of input within 1 second\b/);
  });

  test('leaves nothing behind if it is refused', async () => {
    const { stdout } = await server.ssh(['list', '--format', 'csv', '--columns', 'user']);
    expect(stdout).not.toMatch(/path|nokey|large|silent/);
  });
});

describe('a command', () => {
  test('that reads nothing leaves the standard input of a script alone', async () => {
    // Without -n, ssh would read the rest of the loop's input.
    const { stdout, code } = await server.ssh(['whoami'], { stdin: 'the rest of a script\n' });
    expect(code).toBe(0);
    expect(stdout).toMatch(/Role: admin/);
  });

  test('returns its exit code to the caller', async () => {
    expect((await server.ssh(['info', 'nobody-here'])).code).toBe(3);
    expect((await server.ssh(['nonsense'])).code).toBe(2);
    expect((await server.ssh(['create', 'alice'], { stdin: alice.line })).code).toBe(5);
    expect((await server.ssh(['delete', 'alice'])).code).toBe(2);
    expect((await server.ssh(['list'])).code).toBe(0);
  });

  test('prints data on standard output and sentences on standard error', async () => {
    const listed = await server.ssh(['list']);
    expect(listed.stdout).toMatch(/^USER +STATUS/);
    expect(listed.stderr).toBe('(simulated host: the configuration asks for it)\n');
    const refused = await server.ssh(['info', 'nobody-here']);
    expect(refused.stdout).toBe('');
    expect(refused.stderr).toMatch(/^Error: .*\nNext: /);
  });

  test('mentions a simulated host once a login', async () => {
    const folder = await temporaryFolder();
    const options = ['-o', 'ControlMaster=auto', '-o', 'ControlPersist=20', '-o', `ControlPath=${folder}/control`];
    expect((await server.ssh(['version'], { options })).stderr).toContain('(simulated host:');
    expect((await server.ssh(['version'], { options })).stderr).toBe('');
  });

  test('may run with others over one connection (ControlMaster)', async () => {
    const users = ['par-a', 'par-b', 'par-c', 'par-d'];
    await server.ssh(['whoami'], { shared: true });
    const results = await Promise.all([
      ...users.map((user) => server.ssh(['create', user], { shared: true, stdin: alice.line })),
      ...users.map(() => server.ssh(['list', '--json'], { shared: true })),
    ]);
    expect(results.map(({ code }) => code)).toEqual(results.map(() => 0));
    expect(results.slice(0, 4).map(({ stdout }) => /^Container (.*)-container created$/m.exec(stdout)?.[1])).toEqual(
      users,
    );
    for (const { stdout } of results.slice(4)) expect(JSON.parse(stdout)).toMatchObject({ ok: true, command: 'list' });
  });

  test('of the same user twice at the same time creates one container', async () => {
    const results = await Promise.all(
      [1, 2, 3].map(() => server.ssh(['create', 'once'], { shared: true, stdin: alice.line })),
    );
    expect(results.map(({ code }) => code).sort()).toEqual([0, 5, 5]);
    expect((await server.ssh(['reconcile'])).code).toBe(0);
  });

  test('that is missing gets help if there is no terminal', async () => {
    const { stdout, code } = await server.ssh([], { options: ['-T'] });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^SIMULATED HOST/);
    expect(stdout).toMatch(/Usage: ssh -p \d+ manage@127\.0\.0\.1 <verb>/);
    expect(stdout).toMatch(/^ {2}create:/m);
    expect(stdout).not.toMatch(/\r/);
  });

  test('has its help', async () => {
    const asked = await server.ssh(['help', 'create']);
    expect(asked).toMatchObject({ code: 0, stderr: '' });
    expect(asked.stdout).toMatch(/--disk-quota, --disk <size>/);
    expect(await server.ssh(['create', '--help'])).toEqual(asked);
    expect((await server.ssh(['key', 'add', '-h'])).stdout).toMatch(/key add <user>/);
  });
});

describe('an empty argument', () => {
  test.each([[['info', '']], [['info', '', '--json']], [["info ''"]], [['backup', 'list', '']]])(
    'is refused and never a missing one: %j',
    async (words) => {
      const { code, stdout } = await server.ssh(words);
      expect([2, 3]).toContain(code);
      expect(stdout).not.toContain('Incus');
    },
  );

  test('is not seen in a line without an argument to miss', async () => {
    expect((await server.ssh(['list', ''])).code).toBe(0);
    expect((await server.ssh(['list  --json'])).code).toBe(0);
  });
});

test('a key is removed by its comment as it is in the .pub file', async () => {
  const spaced = await makeKey(keys, 'spaced', { comment: 'Alice  \u2014 Laptop \u{1f469}\u200d\u{1f4bb}' });
  const other = await makeKey(keys, 'other');
  await server.ssh(['create', 'carl'], { stdin: `${spaced.line}${other.line}` });
  const comment = spaced.line.trim().split(' ').slice(2).join(' ');
  expect(comment).toContain('  ');
  expect(await server.ssh(['key', 'remove', 'carl', `'${comment}'`])).toMatchObject({ code: 0 });
  expect(await fingerprintsOf('carl')).toEqual([other.fingerprint]);
});
