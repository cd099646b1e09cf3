import { describe, expect, test } from 'vitest';
import { parsePasswd } from '../../../../src/host/accounts.ts';
import { fixture } from '../support.ts';

const add = (name: string, group = 'jump', comment = 'mark') => {
  const home = ['--no-create-home', '--home-dir', '/nonexistent'];
  const login = ['--shell', '/usr/sbin/nologin', '--password', '*'];
  return [...home, '--no-user-group', '--gid', group, ...login, '--comment', comment, name];
};

describe('getent', () => {
  test('lists the usual system accounts', async () => {
    const { accounts, run } = fixture();
    const names = (await accounts.all()).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['root', 'daemon', 'www-data', 'nobody', 'sshd']));
    expect((await run('getent', ['passwd', 'root'])).stdout).toBe('root:x:0:0:root:/root:/bin/bash\n');
    expect((await run('getent', ['group', 'sudo'])).stdout).toBe('sudo:x:27:\n');
  });

  test('exits 2 for a missing name or ID, and 1 for an unknown database', async () => {
    const { run, say } = fixture();
    expect(await say('getent', ['passwd', 'nobodyx'])).toBe('2 ');
    expect(await say('getent', ['group', 'nobodyx'])).toBe('2 ');
    expect(await say('getent', ['passwd', '4711'])).toBe('2 ');
    expect((await run('getent', ['passwd', '33'])).stdout).toMatch(/^www-data:/);
    expect(await say('getent', ['nosuch', 'x'])).toBe('1 Unknown database: nosuch');
  });
});

describe('the account programs', () => {
  test('make a group once that several callers ensure at the same time', async () => {
    const { accounts, run } = fixture();
    await Promise.all(Array.from({ length: 5 }, () => accounts.ensureGroup('jump')));
    expect((await run('getent', ['group'])).stdout.match(/^jump:/gm)).toHaveLength(1);
  });

  test('add, list and remove a jump account', async () => {
    const { accounts } = fixture();
    await accounts.ensureGroup('jump');
    await accounts.ensureGroup('jump');
    const gid = await accounts.groupId('jump');
    await accounts.create({ name: 'alice', comment: 'made by us', group: 'jump' });
    await accounts.create({ name: 'bob', comment: 'made by us', group: 'jump' });
    expect(await accounts.account('alice')).toEqual({
      name: 'alice',
      uid: 1001,
      gid,
      comment: 'made by us',
      home: '/nonexistent',
      shell: '/usr/sbin/nologin',
    });
    expect((await accounts.account('bob'))?.uid).toBe(1002);
    await accounts.endSessions('alice');
    await accounts.remove('alice');
    expect(await accounts.account('alice')).toBeUndefined();
    expect((await accounts.all()).map(({ name }) => name)).toContain('bob');
  });

  test('give a system group an unused GID below 1000', async () => {
    const { accounts, run } = fixture();
    await accounts.ensureGroup('one');
    await accounts.ensureGroup('two');
    const gids = (await run('getent', ['group'])).stdout
      .trimEnd()
      .split('\n')
      .map((line) => Number(line.split(':')[2]));
    expect(new Set(gids).size).toBe(gids.length);
    expect(await accounts.groupId('one')).toBeLessThan(1000);
  });

  test.each([
    ['useradd', add('root'), "9 useradd: user 'root' already exists"],
    ['useradd', add('alice', 'nosuch'), "6 useradd: group 'nosuch' does not exist"],
    ['useradd', add('alice', 'jump', 'a:b'), "3 useradd: invalid comment 'a:b'"],
    ['useradd', add('a'.repeat(33)), `3 useradd: invalid user name '${'a'.repeat(33)}': use --badname to ignore`],
    ['useradd', add('a:b'), "3 useradd: invalid user name 'a:b': use --badname to ignore"],
    ['useradd', [], '2 Usage: useradd [options] LOGIN'],
    ['userdel', ['alice'], "6 userdel: user 'alice' does not exist"],
    ['groupadd', ['--system', 'sudo'], "9 groupadd: group 'sudo' already exists"],
    ['pkill', ['-KILL', '-u', 'alice'], '2 pkill: invalid user name: alice'],
    ['pkill', ['-KILL', '-u', 'nobody'], '1 '],
    ['pkill', ['-KILL', '-u', '0', '-f', '^sshd: alice'], '1 '],
  ] as const)('answer %s %j as Debian 12 does', async (program, args, answer) => {
    const { accounts, say, run } = fixture();
    await accounts.ensureGroup('jump');
    const before = parsePasswd((await run('getent', ['passwd'])).stdout);
    expect(await say(program, args)).toBe(answer);
    expect(await accounts.all()).toEqual(before);
  });
});

test.each(['btrfs', 'sshd'] as const)('%s is not installed on the simulated host', async (program) => {
  await expect(fixture().run(program, [])).rejects.toMatchObject({ code: 'program-missing', what: `"${program}"` });
});
