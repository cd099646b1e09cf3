/** The next step of a failure, typed by the caller who was told it: it is understood, and allowed. */
import { beforeAll, describe, expect, test } from 'vitest';
import { commandsIn } from '../../src/catalogue/advice.ts';
import { verbOf } from '../../src/catalogue/catalogue.ts';
import { splitLine } from '../../src/catalogue/tokens.ts';
import { withAdmins } from '../support/admins.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { startServer, temporaryFolder, type Finished, type TestServer } from '../support/server.ts';

type Caller = 'admin' | 'operator' | 'viewer' | 'owner' | 'local';

let server: TestServer;
const keys = {} as Record<'admin' | 'operator' | 'viewer' | 'owner' | 'other', TestKey>;

beforeAll(async () => {
  const folder = await temporaryFolder();
  for (const name of ['admin', 'operator', 'viewer', 'owner', 'other'] as const)
    keys[name] = await makeKey(folder, name);
  server = await startServer({
    prepare: withAdmins(
      (['admin', 'operator', 'viewer'] as const).map((role) => ({ name: role, role, keys: [keys[role]] })),
    ),
  });
  for (const [user, key] of [
    ['alice', keys.owner],
    ['bob', keys.other],
  ] as const)
    expect(await run('admin', `create ${user}`, key.line)).toMatchObject({ code: 0 });
  expect(await run('admin', 'ca add office --for self', keys.other.line)).toMatchObject({ code: 0 });
  expect(await run('admin', 'stop bob')).toMatchObject({ code: 0 });
});

function run(caller: Caller, line: string, stdin?: string): Promise<Finished> {
  const words = splitLine(line);
  const input = stdin === undefined ? {} : { stdin };
  if (caller === 'local') return server.local(words, input);
  return server.ssh(words, {
    user: caller === 'owner' ? 'self' : 'manage',
    key: keys[caller].path,
    shared: true,
    ...input,
  });
}

const lines: Record<Caller, readonly string[]> = {
  admin: [
    'info nobody',
    'info alic',
    'info Alice',
    'export nobody',
    'list --user nobody --columns nonsense',
    'list --state nonsense',
    'list --watch',
    'lst',
    'audit nonsense',
    'key nonsense',
    'key',
    'create',
    'create root',
    'create erin-container',
    'create alice',
    'create carol',
    'create carol --cpu 0',
    'create carol --memory 1',
    'create carol --image "no image"',
    'create carol --disk-quota 9999PiB',
    'resize alice',
    'resize alice --memory 1KiB',
    'delete alice',
    'delete nobody --yes',
    'shell alice',
    'shell bob',
    'logs nobody',
    'config',
    'keys',
    'keys add',
    'key add alice',
    'key add nobody',
    'key remove alice nothing',
    'key remove alice owner@laptop',
    'key invite nobody',
    'admin add viewer --role admin',
    'admin add Someone',
    'admin role nobody viewer',
    'admin role admin viewer',
    'admin remove nobody',
    'admin remove admin',
    'admin invite viewer --role admin',
    'invite cancel nobody',
    'ca add office --for self',
    'ca add office',
    'ca remove nothing',
    'ca revoke nothing --serial 1',
    'ca revoke office',
    'session kick nobody',
    'ban add 0.0.0.0/0',
    'ban add nonsense',
    'ban lift 192.0.2.1',
    'host-key switch',
    'image build "no image"',
    'audit --since nonsense',
    'help nonsense',
    'export alice --output file',
  ],
  operator: ['admin role viewer admin', 'admin add carol', 'info nobody', 'shell bob', 'keys'],
  viewer: ['create carol', 'stop alice', 'info nobody', 'key add alice', 'config', 'shell alice'],
  owner: [
    'info bob',
    'info nobody',
    'config bob',
    'list',
    'delete alice --yes',
    'key list',
    'keys remove nothing',
    'keys remove owner@laptop',
    'keys add',
    'restart bob',
    'doctor',
    'conf',
    'keys nonsense nonsense',
  ],
  local: ['info nobody', 'create alice', 'key add alice', 'config', 'create carol', 'admin remove nobody'],
};

describe.each(Object.entries(lines) as [Caller, readonly string[]][])('for the caller %s', (caller, failing) => {
  test.each(failing)('the next step after "%s" is understood and allowed', async (line) => {
    const stdin = line.startsWith('ca add') || line === 'admin add carol' ? keys.viewer.line : '';
    const answer = await run(caller, line, stdin);
    expect(answer.code, line).not.toBe(0);
    const [, next] = /\nNext: (.*)\n/.exec(answer.stderr) ?? [];
    expect(next, answer.stderr).toBeDefined();
    // What an admin is asked for is not this caller's to type.
    const own = (next ?? '').replace(/^ask an admin(?:: | to run ).*/, '').replace(/^ask an admin; /, '');
    const prefix =
      caller === 'local' ? 'containarium' : `ssh -p ${server.port} ${caller === 'owner' ? 'self' : 'manage'}@127.0.0.1`;
    // "ssh -p 2222 manage@jump key add alice < key.pub", or with -t for a terminal.
    const whole = own
      .replace('ssh -t ', 'ssh ')
      .split(`${prefix} `)
      .slice(1)
      .map((rest) => rest.split(/ < |; /)[0] ?? '');
    const commands = [...commandsIn(own).map(({ words }) => words.join(' ')), ...whole];
    for (const command of commands) {
      const verb = verbOf(command.split(' '));
      expect(verb, command).toBeDefined();
      const typed = command.replaceAll('<user>', 'alice').replace(/<[a-z]+>/g, 'nothing');
      const { code, stderr } = await run(caller, `${typed} --help`);
      expect(stderr, `${line}: ${typed}`).toBe('');
      expect(code).toBe(0);
      if (verb?.changes === false) expect((await run(caller, typed, '')).stderr).not.toMatch(/\((denied|unknown-)/);
    }
    // Another entry point, port or host than the caller's would not work for them.
    expect(own).not.toMatch(new RegExp(`ssh (?!.*${caller === 'owner' ? 'self' : 'manage'}@127\\.0\\.0\\.1).*@`));
    expect(own).not.toMatch(/HOST\b/);
  });
});

test('a call that got no key is told the command that sends one, with its verb, port and host', async () => {
  const { stderr } = await run('admin', 'key add alice', '');
  expect(stderr).toContain(`: ssh -p ${server.port} manage@127.0.0.1 key add alice < key.pub\n`);
  expect((await run('owner', 'keys add', '')).stderr).toContain(
    `: ssh -p ${server.port} self@127.0.0.1 keys add < key.pub\n`,
  );
  expect((await run('local', 'key add alice', '')).stderr).toContain(': containarium key add alice < key.pub\n');
  expect((await run('admin', 'ca revoke office', '')).stderr).toContain(
    `manage@127.0.0.1 ca revoke office < key.pub; or give --serial or --key-id instead\n`,
  );
});

test('an unknown user is told with similar names, but an owner learns no name', async () => {
  expect((await run('admin', 'info alic')).stderr).toContain('Next: did you mean "alice"? "list" shows all containers');
  expect((await run('owner', 'info bo')).stderr).toBe((await run('owner', 'info bob')).stderr.replace('"bob"', '"bo"'));
});
