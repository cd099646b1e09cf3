/** The drop-in in a real OpenSSH server, with the real client: what a jump account can and cannot do. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Accounts } from '../../src/host/accounts.ts';
import { ProgramRunner } from '../../src/host/runner.ts';
import { run } from '../../src/prepare/programs.ts';
import type { RunResult } from '../../src/prepare/programs.ts';
import { renderSshdDropIn } from '../../src/prepare/sshdDropIn.ts';
import { ensurePackages, freePort, openTestFolder, startSshd, waitUntil } from './harness/index.ts';
import type { RunningSshd, TestFolder } from './harness/index.ts';

const reason = await ensurePackages();
if (reason !== undefined) console.warn(`skipped: ${reason}`);

/** Starts a server that sends its name and hangs up, as the target of a forwarding. */
async function greeter(greeting: string): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.end(greeting)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}

/** Returns what a port of this machine sends until it hangs up; empty if nothing listens. */
async function readAll(port: number): Promise<string> {
  try {
    return await text(connect(port, '127.0.0.1'));
  } catch {
    return '';
  }
}

describe.skipIf(reason !== undefined)('a jump account', () => {
  let folder: TestFolder;
  let sshd: RunningSshd;
  let own: { server: Server; port: number };
  let foreign: { server: Server; port: number };
  let user: string;
  let careless: string;

  beforeAll(async () => {
    folder = await openTestFolder('dropin');
    own = await greeter('own container\n');
    foreign = await greeter('foreign container\n');
    const authorizedKeysFolder = join(folder.dir, 'authorized_keys');
    await mkdir(authorizedKeysFolder);
    await chmod(authorizedKeysFolder, 0o755);
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder.dir, 'id')]);
    const key = (await readFile(join(folder.dir, 'id.pub'), 'utf8')).trim();

    const accounts = new Accounts(new ProgramRunner());
    await accounts.ensureGroup(folder.id);
    const gid = (await accounts.groupId(folder.id)) ?? -1;
    user = `${folder.id}a`;
    careless = `${folder.id}b`;
    for (const [name, options] of [
      [user, `restrict,port-forwarding,permitopen="127.0.0.1:${own.port}" `],
      [careless, ''],
    ] as const) {
      await accounts.create({ name, comment: 'test', group: folder.id });
      const path = join(authorizedKeysFolder, name);
      await writeFile(path, `${options}${key}\n`, { mode: 0o640 });
      await chown(path, 0, gid);
    }
    sshd = await startSshd({
      dir: folder.dir,
      dropIn: renderSshdDropIn({ group: folder.id, authorizedKeysFolder, passwordLogins: false }),
    });
    await writeFile(join(folder.dir, 'known_hosts'), `[127.0.0.1]:${sshd.port} ${sshd.hostKeyPublicLine}\n`);
  });

  afterAll(async () => {
    await sshd.stop();
    own.server.close();
    foreign.server.close();
    await folder.remove();
    expect(await folder.remains()).toEqual([]);
  });

  /** Runs the real client as `name`, without this machine's own ssh configuration. */
  function clientArguments(name: string, ...args: string[]): string[] {
    return [
      ...['-F', '/dev/null', '-i', join(folder.dir, 'id'), '-p', String(sshd.port), '-l', name],
      ...[
        '-o',
        'IdentitiesOnly=yes',
        '-o',
        'BatchMode=yes',
        '-o',
        'ExitOnForwardFailure=yes',
        '-o',
        `UserKnownHostsFile=${join(folder.dir, 'known_hosts')}`,
      ],
      ...args,
    ];
  }

  const ssh = (name: string, ...args: string[]): Promise<RunResult> =>
    run('ssh', clientArguments(name, ...args), { allowExit: 'any', timeoutMs: 15_000 });

  /** Returns the effective settings for a user, as sshd itself reports them. */
  async function effective(name: string): Promise<string[]> {
    const { stdout } = await run('/usr/sbin/sshd', [
      '-T',
      '-f',
      sshd.configPath,
      '-C',
      `user=${name},host=localhost,addr=127.0.0.1`,
    ]);
    return stdout.split('\n');
  }

  it('has the settings of the drop-in, which other accounts do not have', async () => {
    const jump = await effective(user);
    expect(jump).toEqual(
      expect.arrayContaining([
        `authorizedkeysfile ${folder.dir}/authorized_keys/%u`,
        'authenticationmethods publickey',
        'passwordauthentication no',
        'kbdinteractiveauthentication no',
        'allowtcpforwarding local',
        'allowstreamlocalforwarding no',
        'allowagentforwarding no',
        'x11forwarding no',
        'permittunnel no',
        'permittty no',
        'permituserrc no',
        'gatewayports no',
        'forcecommand /usr/sbin/nologin',
        'maxsessions 2',
        'permitlisten none',
        'banner none',
        'clientaliveinterval 20',
      ]),
    );
    const other = await effective('root');
    expect(other).toEqual(expect.arrayContaining(['x11forwarding yes', 'permittty yes', 'allowtcpforwarding yes']));
    expect(other.filter((line) => line.includes(folder.dir) && line.startsWith('authorizedkeysfile'))).toEqual([]);
  });

  it('reaches the address that its key names', async () => {
    expect(await ssh(user, '-W', `127.0.0.1:${own.port}`, '127.0.0.1')).toMatchObject({
      stdout: 'own container\n',
      exitCode: 0,
    });
  });

  it('reaches no other address', async () => {
    const { stdout, stderr, exitCode } = await ssh(user, '-W', `127.0.0.1:${foreign.port}`, '127.0.0.1');
    expect(stdout).toBe('');
    expect(stderr).toContain('administratively prohibited');
    expect(exitCode).toBe(255);
  });

  it.each(['with', 'without'])(
    'gets no command, shell, terminal, subsystem or listener (%s restrictions on its key)',
    async (restrictions) => {
      const name = restrictions === 'with' ? user : careless;
      for (const args of [
        ['127.0.0.1', 'id'],
        ['-T', '127.0.0.1'],
        ['-tt', '127.0.0.1'],
        ['-s', '127.0.0.1', 'sftp'],
      ]) {
        const { stdout, exitCode } = await ssh(name, ...args);
        // nologin(8) answers every request; a client that insists on a terminal does not get even that.
        expect(stdout).toMatch(args.includes('-tt') ? /^$/ : /^This account is currently not available\.\r?\n$/);
        expect(exitCode).not.toBe(0);
      }
      const remote = await ssh(name, '-N', '-R', `${await freePort()}:127.0.0.1:${own.port}`, '127.0.0.1');
      expect(remote.stderr).toContain('remote port forwarding failed');
    },
  );

  it('reaches no Unix socket of the host, not even with a key without restrictions', async () => {
    const target = createServer((socket) => socket.end('a socket of the host\n')).listen(join(folder.dir, 'target'));
    await once(target, 'listening');
    await chmod(join(folder.dir, 'target'), 0o666);
    const toSocket = await freePort();
    const toPort = await freePort();
    const client = spawn(
      'ssh',
      clientArguments(
        careless,
        '-N',
        '-L',
        `${toSocket}:${join(folder.dir, 'target')}`,
        '-L',
        `${toPort}:127.0.0.1:${foreign.port}`,
        '127.0.0.1',
      ),
      { stdio: 'ignore' },
    );
    try {
      // The same connection to a port shows that the client forwards.
      expect(await waitUntil(async () => (await readAll(toPort)) === 'foreign container\n', 10_000)).toBe(true);
      expect(await readAll(toSocket)).toBe('');
    } finally {
      client.kill();
      await once(client, 'exit');
      target.close();
    }
  });

  it('is answered like a name without an account, for any key and with or without one', async () => {
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder.dir, 'foreign')]);
    const answers = async (name: string): Promise<string[]> => {
      const tried = [];
      for (const options of [
        ['-i', join(folder.dir, 'foreign')],
        ['-o', 'PubkeyAuthentication=no'],
      ]) {
        const { stderr, exitCode } = await run(
          'ssh',
          [
            ...['-v', '-F', '/dev/null', '-p', String(sshd.port), '-l', name, '-o', 'IdentitiesOnly=yes'],
            ...['-o', 'BatchMode=yes', '-o', `UserKnownHostsFile=${join(folder.dir, 'known_hosts')}`],
            ...options,
            '127.0.0.1',
          ],
          { allowExit: 'any', timeoutMs: 15_000 },
        );
        expect(exitCode).toBe(255);
        tried.push(
          stderr
            .split('\n')
            .filter((line) => /can continue|Permission denied|accepts key|Authenticated|banner|Next auth/.test(line))
            .join('\n')
            .replaceAll(name, 'NAME'),
        );
      }
      return tried;
    };
    const known = await answers(user);
    expect(await answers(`${folder.id}nobody`)).toEqual(known);
    expect(known.join('\n')).toMatch(/can continue: publickey\r?$/m);
    // The same for an ordinary account of the host.
    expect(await answers('daemon')).toEqual(known);
  });

  it('logs in from another source while one source floods the server with half-open connections', async () => {
    const flood = Array.from({ length: 250 }, () => connect(sshd.port, '127.0.0.1').on('error', () => undefined));
    try {
      const first = await Promise.all(
        flood.map((socket) => Promise.race([once(socket, 'data').then(String), once(socket, 'close').then(() => '')])),
      );
      // The others are told "Exceeded MaxStartups".
      expect(first.filter((text) => text.startsWith('SSH-2.0-')).length).toBeLessThanOrEqual(20);
      for (let login = 0; login < 8; login += 1) {
        const { stdout } = await ssh(user, '-b', '127.0.0.2', '-W', `127.0.0.1:${own.port}`, '127.0.0.1');
        expect(stdout).toBe('own container\n');
      }
      // The flooding source itself is refused.
      expect((await ssh(user, '-W', `127.0.0.1:${own.port}`, '127.0.0.1')).exitCode).toBe(255);
    } finally {
      for (const socket of flood) socket.destroy();
    }
    expect(
      await waitUntil(
        async () => (await ssh(user, '-W', `127.0.0.1:${own.port}`, '127.0.0.1')).stdout === 'own container\n',
        10_000,
      ),
    ).toBe(true);
  });

  it('loses its connections when its sessions are ended, also one that is about to log in', async () => {
    const accounts = new Accounts(new ProgramRunner());
    const forward = await freePort();
    const connected = spawn('ssh', clientArguments(user, '-N', '-L', `${forward}:127.0.0.1:${own.port}`, '127.0.0.1'), {
      stdio: 'ignore',
    });
    const other = spawn('ssh', clientArguments(careless, '-N', '127.0.0.1'), { stdio: 'ignore' });
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'secret', '-f', join(folder.dir, 'locked')]);
    await writeFile(join(folder.dir, 'askpass'), '#!/bin/sh\nsleep 60\n', { mode: 0o755 });
    const authorized = join(folder.dir, 'authorized_keys', user);
    const locked = (await readFile(join(folder.dir, 'locked.pub'), 'utf8')).trim();
    await appendFile(authorized, `restrict ${locked}\n`);
    const asking = spawn(
      'ssh',
      [
        ...['-F', '/dev/null', '-i', join(folder.dir, 'locked'), '-p', String(sshd.port), '-l', user, '-N'],
        ...['-o', 'IdentitiesOnly=yes', '-o', `UserKnownHostsFile=${join(folder.dir, 'known_hosts')}`, '127.0.0.1'],
      ],
      {
        stdio: 'ignore',
        detached: true,
        env: { ...process.env, SSH_ASKPASS: join(folder.dir, 'askpass'), SSH_ASKPASS_REQUIRE: 'force' },
      },
    );
    const serving = async (name: string): Promise<number> => {
      const found = await run('pgrep', ['-u', '0', '-f', `^sshd(-session)?: ${name} \\[priv\\]`], { allowExit: 'any' });
      return found.stdout.split('\n').filter(Boolean).length;
    };
    try {
      expect(
        await waitUntil(
          async () =>
            (await readAll(forward)) === 'own container\n' &&
            (await serving(user)) === 2 &&
            (await serving(careless)) === 1,
          20_000,
        ),
      ).toBe(true);
      const ended = once(connected, 'exit');
      expect(await accounts.endSessions(user)).toBe(true);
      await ended;
      expect(await serving(user)).toBe(0);
      expect([await serving(careless), other.exitCode]).toEqual([1, null]);
    } finally {
      for (const client of [connected, other, asking]) client.kill('SIGKILL');
      if (asking.pid !== undefined) process.kill(-asking.pid, 'SIGKILL');
      await accounts.endSessions(careless);
    }
    // A killed process counts until its parent has seen its end.
    expect(await waitUntil(async () => !(await accounts.endSessions(user)), 10_000)).toBe(true);
  });

  it('is offered no password', async () => {
    const { stderr } = await ssh(
      user,
      '-o',
      'PubkeyAuthentication=no',
      '-o',
      'PreferredAuthentications=password,keyboard-interactive',
      '127.0.0.1',
      'true',
    );
    expect(stderr).toContain('Permission denied (publickey)');
  });
});
