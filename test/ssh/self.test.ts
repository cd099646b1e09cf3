/** The entry point of container owners: their own container, and no information about others. */
import { beforeAll, describe, expect, test } from 'vitest';
import { verbAt, verbNamed, verbNames } from '../../src/catalogue/catalogue.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { eventually, startServer, temporaryFolder, type Finished, type TestServer } from '../support/server.ts';

let server: TestServer;
const keys = {} as Record<'alice' | 'bob' | 'owner' | 'laptop' | 'spare', TestKey>;

beforeAll(async () => {
  const folder = await temporaryFolder();
  for (const name of ['alice', 'bob', 'owner', 'laptop', 'spare'] as const) keys[name] = await makeKey(folder, name);
  server = await startServer();
  for (const [user, key] of [
    ['alice', keys.alice],
    ['bobby', keys.bob],
    ['first', keys.owner],
    ['second', keys.owner],
  ] as const) {
    expect((await server.ssh(['create', user], { shared: true, stdin: key.line })).code).toBe(0);
  }
});

function self(words: readonly string[], key: TestKey = keys.alice): Promise<Finished> {
  return server.ssh(words, { user: 'self', key: key.path, shared: true, stdin: keys.alice.line });
}

const open = [
  'info',
  'config',
  'keys',
  'keys add',
  'keys invite',
  'keys remove',
  'restart',
  'logs',
  'debug',
  'undo',
  'snapshot create',
  'snapshot list',
  'snapshot restore',
  'snapshot delete',
  'backup list',
  'whoami',
  'help',
];

describe('an owner', () => {
  test('sees their own container', async () => {
    expect((await self(['info'])).stdout).toMatch(/^ {2}Container: +alice-container$/m);
    expect((await self(['info', 'alice'])).stdout).toMatch(/^ {2}Container: +alice-container$/m);
    expect((await self(['show'])).stdout).toMatch(/^ {2}Container: +alice-container$/m);
    expect((await self(['config'])).stdout).toMatch(/^Host alice-dev$/m);
    expect((await self(['config', '--known-hosts'])).stdout).toMatch(/^alice-dev ssh-ed25519 /m);
    expect((await self(['keys'])).stdout).toContain(keys.alice.fingerprint);
    expect(JSON.parse((await self(['whoami', '--json'])).stdout)).toMatchObject({
      result: { name: 'alice', role: 'owner', entryPoint: 'self', containers: ['alice'] },
    });
  });

  test('can keep its files in a snapshot, go back to it, and delete it', async () => {
    expect((await self(['snapshot', 'create', 'mine'])).stdout).toBe('alice-container: snapshot own-mine made\n');
    expect((await self(['snapshot', 'list'])).stdout).toMatch(/^own-mine .* its owner/m);
    expect(await self(['snapshot', 'restore', 'mine'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--yes') as string,
    });
    expect((await self(['snapshot', 'restore', 'mine', '--yes'])).stdout).toMatch(
      /^alice-container: restored own-mine; the files before are in before-restore-/m,
    );
    expect((await self(['snapshot', 'delete', 'mine', '--yes'])).stdout).toBe(
      'alice-container: snapshot own-mine deleted\n',
    );
    expect((await self(['debug'])).stdout).toContain('Nothing keeps alice out');
  });

  test('can restart it, read its log, add a key that signs, and remove all keys but the last', async () => {
    expect((await self(['restart'])).stdout).toMatch(/alice-container: Running/);
    expect(await self(['logs'])).toMatchObject({ code: 0 });
    const added = await server.ssh(['keys', 'add'], { user: 'self', key: keys.alice.path, stdin: keys.laptop.line });
    expect(added.stdout).toMatch(/^alice: 1 key invited\. To add a key, run its command where its private key is/);
    const [, login = ''] = /^ssh -p \d+ (invite-[a-z2-7]{32})@/m.exec(added.stdout) ?? [];
    // Only the key that was named can use it.
    expect((await server.ssh([], { user: login, key: keys.spare.path })).code).toBe(255);
    expect((await self(['keys'])).stdout).toMatch(/^[0-9a-f]{12} +SHA256:\S{43} \(laptop@laptop\)/m);
    const used = await server.ssh([], { user: login, key: keys.laptop.path });
    expect(used.stdout).toContain(`Your key ${keys.laptop.fingerprint} now opens the container of alice.`);
    expect((await self(['whoami'], keys.laptop)).stdout).toContain('alice');
    expect((await self(['keys', 'remove', 'laptop@laptop'])).stdout).toMatch(/alice: 1 key removed/);
    const last = await self(['keys', 'remove', 'alice@laptop']);
    expect(last).toMatchObject({ code: 5, stdout: '' });
    expect(last.stderr).toMatch(/\(last-key\)/);
  });

  test('can invite a key that is not at hand, and cancel the invitation', async () => {
    const invite = async (): Promise<{ token: string; invitation: { id: string } }> =>
      (JSON.parse((await self(['keys', 'invite', '--json'])).stdout) as { result: never }).result;
    const [first, second] = [await invite(), await invite()];
    expect((await self(['keys', 'remove', first.invitation.id])).stdout).toBe('alice: 1 invitation cancelled\n');
    expect((await server.ssh([], { user: `invite-${first.token}`, key: keys.spare.path })).code).toBe(255);
    expect((await server.ssh([], { user: `invite-${second.token}`, key: keys.spare.path })).code).toBe(0);
    expect((await self(['keys', 'remove', 'invitation'])).stdout).toMatch(/alice: 1 key removed/);
  });

  test("cannot add another person's key, whose sessions, name and verbs stay as they are", async () => {
    const open = server.startSsh([], { user: 'self', key: keys.bob.path, options: ['-N'] });
    const sessions = async (): Promise<{ login: string; name: string; containers: string[] }[]> => {
      const { stdout } = await server.ssh(['session', 'list', '--json'], { shared: true });
      const { result } = JSON.parse(stdout) as { result: { sessions: { login: string; name: string }[] } };
      return result.sessions.filter(({ name }) => name === 'bobby') as never;
    };
    const before = await eventually(async () => {
      const found = await sessions();
      return found.length > 0 ? found : undefined;
    }, 'bob is logged in');
    const ask = async (key: TestKey, format: readonly string[]): Promise<Finished> => {
      const answer = await server.ssh(['keys', 'add', ...format], {
        user: 'self',
        key: keys.alice.path,
        stdin: `${key.line.split(' ').slice(0, 2).join(' ')} same-comment\n`,
      });
      const neutral = (text: string): string =>
        text
          .replaceAll(/invite-[a-z2-7]{32}|"?token"?: "?[a-z2-7]{32}"?|,[a-z2-7]{32},/g, 'TOKEN')
          .replaceAll(key.fingerprint, 'KEY')
          .replaceAll(/"?\b[0-9a-f]{12}\b"?/g, 'ID')
          .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
          .replaceAll(/("seq": ?|seq: )\d+|("hash": ?"|hash: "?)[0-9a-f]{64}"?/g, 'JOURNAL');
      return { ...answer, stdout: neutral(answer.stdout), stderr: neutral(answer.stderr) };
    };
    for (const format of formats) {
      const [theirs, nobodys] = [await ask(keys.bob, format), await ask(keys.spare, format)];
      expect(theirs).toEqual(nobodys);
      expect(theirs.code).toBe(0);
    }
    expect((await self(['keys', '--format', 'csv'])).stdout).not.toContain(keys.bob.fingerprint);
    expect((await server.ssh(['key', 'list', 'alice'], { shared: true })).stdout).not.toContain(keys.bob.fingerprint);
    expect((await sessions()).map(({ login }) => login)).toEqual(before.map(({ login }) => login));
    const fresh = { user: 'self', key: keys.bob.path };
    expect((await server.ssh(['info'], fresh)).stdout).toMatch(/^ {2}Container: +bobby-container$/m);
    expect(JSON.parse((await server.ssh(['whoami', '--json'], fresh)).stdout)).toMatchObject({
      result: { name: 'bobby', containers: ['bobby'] },
    });
    open.kill();
    expect((await self(['keys', 'remove', 'same-comment'])).stdout).toBe('alice: 2 invitations cancelled\n');
  });

  test('has exactly the listed verbs', () => {
    expect(verbNames.filter((name) => verbNamed(name).access.self === true).sort()).toEqual([...open].sort());
  });

  test.each(verbNames.filter((name) => !open.includes(name)))(
    'may not use %s, not even for their own container',
    async (name) => {
      const words = name.split(' ');
      const answers = await Promise.all([
        self(words),
        self([...words, 'alice']),
        self([...words, 'bobby', '--yes']),
        self([...words, '--help']),
      ]);
      for (const answer of answers) {
        expect(answer).toMatchObject({ stdout: '', code: 4 });
        expect(answer.stderr).toBe(answers[0]?.stderr);
        expect(answer.stderr).toContain('(denied)');
      }
    },
  );

  test('changes nothing with refused calls, which are in the journal', async () => {
    const { stdout } = await server.ssh(['audit', '--actor', 'alice', '--verb', 'delete', '--json']);
    const { result } = JSON.parse(stdout) as { result: { records: unknown[] } };
    expect(result.records).not.toHaveLength(0);
    for (const record of result.records)
      expect(record).toMatchObject({ type: 'refused', failure: { code: 'denied' }, actor: { entryPoint: 'self' } });
    expect((await server.ssh(['list', '--format', 'csv', '--columns', 'user'])).stdout).toBe(
      'user\nalice\nbobby\nfirst\nsecond\n',
    );
  });

  const formats = [[], ['--json'], ['--format', 'yaml'], ['--format', 'csv']];
  const questions = [
    ['info', '?'],
    ['show', '?'],
    ['config', '?'],
    ['config', '?', '--known-hosts'],
    ['config', '?', '--jump-host', 'jump.example.org', '--jump-port', '2022', '--key', '~/.ssh/key'],
    ['keys', '?'],
    ['restart', '?'],
    ['logs', '?'],
    ['debug', '?'],
    ['snapshot', 'create', 'mine', '--user', '?'],
    ['snapshot', 'list', '--user', '?'],
    ['snapshot', 'restore', 'mine', '--yes', '--user', '?'],
    ['snapshot', 'delete', 'mine', '--yes', '--user', '?'],
    ['backup', 'list', '?'],
    ['keys', 'add', '--user', '?'],
    ['keys', 'invite', '--user', '?'],
    ['keys', 'remove', 'SHA256:x', '--user', '?'],
    ['info', '?', '--nonsense'],
    ['info', '?', 'more'],
    ['whoami', '?'],
    ['help', '?'],
    ['help', 'info', '?'],
    ['list', '--user', '?'],
    ['export', '?'],
    ['delete', '?', '--yes'],
    ['key', 'list', '?'],
    ['audit', '--target', '?'],
    ['?'],
  ];
  test.each(questions)(
    "gets the same answer for another person's container as for a missing one: %s %s %s",
    async (...words) => {
      const ask = (user: string, format: readonly string[]): Promise<Finished> =>
        self([...words.map((word) => (word === '?' ? user : word)), ...format]);
      for (const format of formats) {
        // Both names have the same length, so that the answers differ only in the name.
        const [theirs, nobodys] = await Promise.all([ask('bobby', format), ask('zzzzz', format)]);
        const same = ({ stdout, stderr, code }: Finished): Finished => ({
          stdout: stdout.replaceAll('zzzzz', 'bobby'),
          stderr: stderr.replaceAll('zzzzz', 'bobby'),
          code,
        });
        expect(same(theirs)).toEqual(same(nobodys));
      }
    },
  );

  test('asks in these questions with every verb of self@, and with every option and argument that names a user (59)', () => {
    // It takes no name: it is about the caller's own last change.
    for (const name of open.filter((one) => one !== 'undo')) {
      const asked = questions.filter((words) => words.slice(0, name.split(' ').length).join(' ') === name);
      expect(asked, name).not.toEqual([]);
      // A new option that names a user needs a question too.
      for (const parameter of verbAt(verbNamed(name as never), 'self').parameters) {
        if (parameter.name !== 'user') continue;
        const words = parameter.kind === 'option' ? [`--${parameter.long[0]}`, '?'] : ['?'];
        expect(
          asked.some((question) => question.join(' ').includes(words.join(' '))),
          `${name} ${words.join(' ')}`,
        ).toBe(true);
      }
    }
  });

  test("learns nothing from the fingerprint of another person's key (59)", async () => {
    for (const format of formats) {
      const [theirs, nobodys] = await Promise.all([
        self(['keys', 'remove', keys.bob.fingerprint, ...format]),
        self(['keys', 'remove', keys.bob.fingerprint.replace(/.{4}$/, 'AAAA'), ...format]),
      ]);
      const same = ({ stdout, stderr, code }: Finished): Finished => ({
        stdout: stdout.replaceAll(/SHA256:\S{43}/g, 'KEY'),
        stderr: stderr.replaceAll(/SHA256:\S{43}/g, 'KEY'),
        code,
      });
      expect(same(theirs)).toEqual(same(nobodys));
      expect(theirs.code).not.toBe(0);
    }
    expect((await self(['keys'], keys.bob)).stdout).toContain(keys.bob.fingerprint);
  });

  test('of a stopped container still sees it', async () => {
    expect((await server.ssh(['stop', 'bobby'])).code).toBe(0);
    expect((await self(['info'], keys.bob)).stdout).toMatch(/^ {2}Status: +Stopped$/m);
    expect((await self(['config'], keys.bob)).code).toBe(0);
  });
});

describe('an owner of two containers', () => {
  test('must name one of them', async () => {
    for (const verb of ['info', 'config', 'keys']) {
      const { stderr, stdout, code } = await self([verb], keys.owner);
      expect(code).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/you have several \(usage\)\nNext: name one: first, second\n/);
    }
  });

  test('is recorded with the name of the login, the container of the call, and all containers', async () => {
    expect((await self(['restart', 'second'], keys.owner)).code).toBe(0);
    const { stdout } = await server.ssh(['audit', '--target', 'second', '--verb', 'restart', '--json']);
    const { result } = JSON.parse(stdout) as { result: { records: unknown[] } };
    expect(result.records.at(-1)).toMatchObject({
      target: 'second',
      actor: { name: 'first', entryPoint: 'self', owns: ['first', 'second'] },
    });
    expect((await server.ssh(['session', 'list'], { shared: true })).stdout).toMatch(/ first \(also second\) +owner /);
  });

  test('keeps name and open logins when an admin gives the key a container whose name is first', async () => {
    const held = server.startSsh([], { user: 'self', key: keys.owner.path, options: ['-N'] });
    const sessions = async (): Promise<string[]> => {
      const { stdout } = await server.ssh(['session', 'list', '--json'], { shared: true });
      const { result } = JSON.parse(stdout) as { result: { sessions: { login: string; name: string }[] } };
      return result.sessions.filter(({ name }) => name === 'first').map(({ login }) => login);
    };
    // The shared connection of `self` is the other one.
    const before = await eventually(async () => {
      const found = await sessions();
      return found.length === 2 ? found : undefined;
    }, 'the owner is logged in twice');
    expect((await server.ssh(['create', 'aaron'], { shared: true, stdin: keys.owner.line })).code).toBe(0);
    const { stdout } = await server.ssh(['whoami', '--json'], { user: 'self', key: keys.owner.path });
    expect(JSON.parse(stdout)).toMatchObject({ result: { name: 'first', containers: ['first', 'second', 'aaron'] } });
    expect(await sessions()).toEqual(before);
    held.kill();
    expect((await server.ssh(['delete', 'aaron', '--yes'], { shared: true })).code).toBe(0);
  });

  test('sees both by name, and no other container', async () => {
    for (const user of ['first', 'second']) {
      expect((await self(['info', user], keys.owner)).stdout).toContain(`${user}-container`);
      expect((await self(['config', user], keys.owner)).stdout).toContain(`Host ${user}-dev`);
      expect((await self(['keys', user], keys.owner)).code).toBe(0);
    }
    expect((await self(['info', 'alice'], keys.owner)).code).toBe(3);
  });

  test('keeps the second after the first is deleted', async () => {
    expect((await server.ssh(['delete', 'first', '--yes'])).code).toBe(0);
    expect((await self(['info'], keys.owner)).stdout).toContain('second-container');
    expect((await self(['info', 'first'], keys.owner)).code).toBe(3);
  });
});
