/** The product on a real Incus: the contract story, and what users can and cannot reach through it. */
import { once } from 'node:events';
import { access, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { execa, type ResultPromise } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { metricsAgeMs } from '../../src/host/incus/incus.ts';
import { expectedStory } from '../contract/expected.ts';
import { residentMiB } from '../bench/shell/processes.ts';
import { makeWorld, runStory } from '../contract/story.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { eventually, temporaryFolder, type Finished } from '../support/server.ts';
import { connectShell } from '../support/shell.ts';
import * as clients from './clients.ts';
import { freePort } from './harness/index.ts';
import { skipReason, startJumpHost, type JumpHost } from './jumpHost.ts';

describe.skipIf(skipReason !== undefined)('Containarium on a real Incus', () => {
  let host: JumpHost;
  let folder: string;
  let alice: TestKey;
  let bob: TestKey;

  beforeAll(async () => {
    host = await startJumpHost({ name: 'product' });
    folder = await temporaryFolder();
    [alice, bob] = await Promise.all([makeKey(folder, 'alice'), makeKey(folder, 'bob')]);
  });
  afterAll(async () => {
    await host.stop();
    expect(await host.incus.remains()).toEqual([]);
  });

  const manage = (words: readonly string[], stdin?: string): Promise<Finished> => clients.manage(host, words, stdin);
  const result = (words: readonly string[], stdin?: string): Promise<any> => clients.result(host, words, stdin);
  const clientFor = (user: string, key: TestKey): Promise<string> => clients.clientConfig(host, folder, user, key);
  const ssh = (config: string, ...words: string[]): Promise<Finished> => clients.ssh(config, words);

  it('builds the prepared image, and reports it', async () => {
    const built = await manage(['image', 'build']);
    expect(built.code, built.stderr).toBe(0);
    expect(built.stderr).toMatch(/\[3\/5\] Installing Docker, SSH, and tools/);
    expect((await result(['image', 'list'])).images).toMatchObject([{ current: true, base: host.incus.image }]);
    // The build instance is gone.
    expect(JSON.parse(await host.incus.incus(['list', '--format', 'json']))).toEqual([]);
  });

  // It builds the image, and copies a whole container seven times.
  it('gives the same results in the contract story as the simulated host', { timeout: 600_000 }, async () => {
    const answers = await runStory(await makeWorld(host.server));
    expect(answers).toEqual(await expectedStory(answers, false));
  });

  it.each([
    ['image build', /\[3\/5\] Installing/],
    ['create cxt-cut', /\[1\/5\] Creating/],
    ['create cxt-cut', /\[2\/5\] Starting/],
  ])('a person cancels %s at %s with Ctrl-C, which leaves nothing', async (line, when) => {
    const names = async (): Promise<string> => host.incus.incus(['list', '--format', 'csv', '--columns', 'n']);
    // The story leaves containers in the trash.
    const before = [await names(), (await result(['image', 'list'])).images];
    const withKey = line.startsWith('create') ? `${line} --ssh-key "${alice.line.trim()}"` : line;
    const shell = await connectShell(host.server, { command: withKey });
    await shell.said(when);
    shell.press('ctrl-c');
    expect(await shell.ended(), shell.scrollback()).toBe(9);
    expect(shell.scrollback()).toMatch(/it was cancelled, and what it had done was undone/);
    shell.close();
    expect([await names(), (await result(['image', 'list'])).images]).toEqual(before);
    expect((await execa('getent', ['passwd', 'cxt-cut'], { reject: false })).exitCode).toBe(2);
  });

  describe('with containers of Alice and Bob', () => {
    beforeAll(async () => {
      for (const [user, key] of [
        ['cxt-alice', alice],
        ['cxt-bob', bob],
      ] as const)
        await result(['create', user], key.line);
    });
    afterAll(async () => {
      for (const user of ['cxt-alice', 'cxt-bob']) await manage(['delete', user, '--yes']);
      expect((await result(['list'])).total).toBe(0);
    });

    const addressOf = async (user: string): Promise<string> =>
      (await result(['info', user])).container.address as string;

    it('creates containers that are unprivileged and isolated, with a fixed address and limits', async () => {
      const { config, devices } = JSON.parse(
        await host.incus.incus(['query', '/1.0/instances/cxt-alice-container']),
      ) as {
        config: Record<string, string>;
        devices: Record<string, Record<string, string>>;
      };
      expect(config['security.privileged']).toBeUndefined();
      expect(Object.keys(config).filter((key) => key.startsWith('raw.'))).toEqual([]);
      expect(config).toMatchObject({
        'security.nesting': 'true',
        'boot.autostart': 'true',
        'boot.autorestart': 'true',
        'limits.cpu': '1',
        'limits.memory': '512MiB',
      });
      expect(devices['eth0']).toMatchObject({
        'ipv4.address': await addressOf('cxt-alice'),
        'security.port_isolation': 'true',
        'security.mac_filtering': 'true',
        'security.ipv4_filtering': 'true',
      });
      expect(devices['root']).toMatchObject({ size: '3GiB', pool: host.incus.pool });
    });

    it('lets Alice in through the jump account with the exported configuration, without a prompt', async () => {
      const config = await clientFor('cxt-alice', alice);
      const inside = await ssh(config, 'cxt-alice-dev', 'id -un && hostname && sudo -n id -un && id -Gn');
      expect(inside.stderr).not.toMatch(/authenticity|WARNING/);
      expect(inside).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^cxt-alice\ncxt-alice-container\nroot\n.*\bdocker\b/),
      });
      // A terminal, an exit status, standard input and files work as with any ssh.
      expect((await ssh(config, '-tt', 'cxt-alice-dev', 'exit 7')).code).toBe(7);
      const copied = await execa('ssh', ['-F', config, 'cxt-alice-dev', 'wc -c'], { input: 'x'.repeat(100_000) });
      expect(copied.stdout.trim()).toBe('100000');
    });

    it('gives an admin a terminal session in the container, and returns to the shell', async () => {
      const shell = await connectShell(host.server, { columns: 90, rows: 30 });
      await shell.shows(/^› ?$/m);
      shell.type('shell cxt-alice\r');
      await shell.shows(/cxt-alice@cxt-alice-container/);
      shell.type('stty size; id -un; sleep 1000 &\r');
      await shell.shows(/^30 90$/m);
      await shell.shows(/^cxt-alice$/m);
      shell.resize(70, 25);
      // Incus receives sizes and input over separate connections, in any order.
      await eventually(async () => {
        shell.type('stty size\r');
        return shell.shows(/^25 70$/m, 1000).then(
          () => true,
          () => undefined,
        );
      }, 'the container knows the new size');
      // Until the program runs in the foreground, Ctrl-C would reach the shell that starts it.
      shell.type(`sh -c 'printf "as%s\\n" leep; exec sleep 1000'\r`);
      await shell.shows(/^asleep$/m);
      shell.press('ctrl-c').type('echo whole; exit 5\r');
      await shell.said('The shell in cxt-alice-container ended with status 5');
      shell.type('info cxt-alice\r');
      // Alice has logged in with ssh before.
      await shell.said(/Last login:\s+\d+ \w+ ago/);
      shell.type('exit\r');
      expect(await shell.ended()).toBe(0);
      const asRoot = await connectShell(host.server, { command: 'shell cxt-alice --root' });
      await asRoot.shows(/root@cxt-alice-container/);
      asRoot.type('exit 7\r');
      expect(await asRoot.ended()).toBe(7);
    });

    /**
     * Opens a root shell in Alice's container through the stock client and starts `program`, which then stops reading.
     */
    const unread = async (config: string, program: string) => {
      const client = execa('ssh', [...host.server.sshArguments({ tty: true }), 'shell', 'cxt-alice', '--root'], {
        stdin: 'pipe',
        buffer: false,
        reject: false,
      });
      let shown = '';
      client.stdout.on('data', (data: Buffer) => (shown += data.toString()));
      await eventually(() => (/# $/.test(shown) ? true : undefined), 'a prompt');
      client.stdin.on('error', () => undefined);
      client.stdin.write(`echo $PPID > /tmp/su; stty raw -echo; printf 're%s' ady; ${program}\n`);
      await eventually(() => (shown.endsWith('ready') ? true : undefined), 'the program');
      // su(1) reads all its input, whether the program reads it or not; so it is su that is stopped.
      expect((await ssh(config, 'cxt-alice-dev', 'sudo kill -STOP $(cat /tmp/su)')).code).toBe(0);
      return { client, shown: () => shown };
    };
    const mib = 2 ** 20;
    /** Writes until the input is blocked or complete; `done` resolves when it is complete. */
    const flood = async (stdin: Writable, total: number): Promise<{ taken: number; done: Promise<void> }> => {
      let taken = 0;
      const done = (async () => {
        for (const piece = Buffer.alloc(64 * 1024, 'x'); taken < total; taken += piece.length) {
          if (!stdin.write(piece)) await once(stdin, 'drain');
        }
      })();
      done.catch(() => undefined);
      for (let known = -1; known !== taken;) {
        known = taken;
        await setTimeout(1000);
      }
      return { taken, done };
    };

    it('leaves unread input with the client, and loses none of it', async () => {
      const config = await clientFor('cxt-alice', alice);
      const total = 24 * mib;
      const before = residentMiB(host.server.pid);
      const { client, shown } = await unread(config, `head -c ${total} | wc -c; stty sane; exit 6`);
      const { taken, done } = await flood(client.stdin, total);
      console.log(
        `not read: ${Math.round(taken / mib)} MiB are taken of ${total / mib}; core has ${Math.round(residentMiB(host.server.pid) - before)} MiB more`,
      );
      expect(taken).toBeLessThan(total / 2);
      expect((await ssh(config, 'cxt-alice-dev', 'sudo kill -CONT $(cat /tmp/su)')).code).toBe(0);
      await done;
      expect((await client).exitCode).toBe(6);
      expect(shown()).toContain(`ready${total}`);
    });

    it('ends a session with unread input when its client disconnects', async () => {
      const config = await clientFor('cxt-alice', alice);
      const { client } = await unread(config, 'sleep 1000');
      expect((await flood(client.stdin, 24 * mib)).taken).toBeLessThan(12 * mib);
      client.kill('SIGKILL');
      await client;
      await eventually(
        async () => ((await ssh(config, 'cxt-alice-dev', 'sudo kill -0 $(cat /tmp/su)')).code === 0 ? undefined : true),
        'su is gone',
      );
    });

    it('shows the console log of a container', async () => {
      expect(JSON.stringify(await result(['logs', 'cxt-alice']))).toMatch(/login:|systemd|Reached target/);
    });

    it('installs the tools in the container, where Docker works', async () => {
      const config = await clientFor('cxt-alice', alice);
      const tools = await ssh(config, 'cxt-alice-dev', 'command -v git curl vim htop docker sudo | wc -l');
      expect(tools.stdout.trim()).toBe('6');
      // An image built here, because a test of Docker needs no registry.
      const docker = await ssh(
        config,
        'cxt-alice-dev',
        'sudo tar -ch $(ldd /usr/bin/id | grep -o "/[^ ]*") /usr/bin/id 2>/dev/null | docker import - tiny >/dev/null && docker run --rm --network none tiny /usr/bin/id -u',
      );
      expect(docker, docker.stderr).toMatchObject({ code: 0, stdout: '0\n' });
      // Docker's data counts against the container's disk quota; btrfs subvolumes would not.
      expect((await ssh(config, 'cxt-alice-dev', 'docker info --format {{.Driver}}')).stdout).toBe('overlay2\n');
    });

    it('excludes page cache from memory use, and can shrink the memory below it', async () => {
      const mib = 2 ** 20;
      const config = await clientFor('cxt-bob', bob);
      expect(
        (
          await ssh(
            config,
            'cxt-bob-dev',
            'head -c 200M /dev/zero > big && sync big && sudo mount -t tmpfs none /mnt && head -c 20M /dev/zero | sudo tee /mnt/kept >/dev/null',
          )
        ).code,
      ).toBe(0);
      // Wait until the measurement from before the file was written has expired.
      await setTimeout(metricsAgeMs + 500);
      const { memory } = JSON.parse(await host.incus.incus(['query', '/1.0/instances/cxt-bob-container/state'])) as {
        memory: { usage: number };
      };
      const used = (await result(['info', 'cxt-bob'])).container.memoryUsedBytes as number;
      console.log(
        `memory: ${Math.round(used / mib)} MiB in use of ${Math.round(memory.usage / mib)} MiB that are charged`,
      );
      expect(memory.usage).toBeGreaterThan(256 * mib);
      expect(memory.usage - used).toBeGreaterThan(200 * mib);
      // A tmpfs is no cache.
      expect(used).toBeGreaterThan(20 * mib);
      expect((await result(['list', '--user', 'cxt-bob'])).containers[0].memoryUsedBytes).toBeLessThan(
        memory.usage - 200 * mib,
      );
      expect((await result(['resize', 'cxt-bob', '--memory', '256MiB'])).changes).toHaveLength(1);
      await result(['resize', 'cxt-bob', '--memory', '512MiB']);
      expect((await ssh(config, 'cxt-bob-dev', 'rm big && sudo umount /mnt')).code).toBe(0);
    });

    it('gives no shell, no command and no sftp on the jump host', async () => {
      const config = await clientFor('cxt-alice', alice);
      for (const words of [['cxt-alice-jump'], ['cxt-alice-jump', 'id']]) {
        const tried = await ssh(config, ...words);
        expect(tried.code).toBe(1);
        expect(tried.stdout.trim()).toBe('This account is currently not available.');
      }
      expect((await ssh(config, '-tt', 'cxt-alice-jump', 'id')).stderr).toMatch(/PTY allocation request failed/);
      const sftp = await execa('sftp', ['-F', config, '-b', '-', 'cxt-alice-jump'], { reject: false, input: 'ls /\n' });
      expect(sftp.exitCode).not.toBe(0);
      expect(sftp.stdout).not.toMatch(/\betc\b/);
    });

    it("forwards to the user's own container and to nothing else", async () => {
      const config = await clientFor('cxt-alice', alice);
      const banner = async (target: string): Promise<Finished> => ssh(config, '-W', target, 'cxt-alice-jump');
      const [own, other] = [await addressOf('cxt-alice'), await addressOf('cxt-bob')];
      const tunnel = execa('ssh', ['-F', config, '-W', `${own}:22`, 'cxt-alice-jump'], {
        reject: false,
        stdin: 'pipe',
        buffer: false,
        timeout: 20_000,
      });
      const [greeting] = (await once(tunnel.stdout, 'data')) as [Buffer];
      expect(greeting.toString()).toMatch(/^SSH-2\.0-/);
      tunnel.kill();
      await tunnel;
      for (const target of [
        `${other}:22`,
        `${own}:80`,
        '127.0.0.1:22',
        `127.0.0.1:${host.sshd.port}`,
        `127.0.0.1:${host.server.port}`,
        '169.254.169.254:80',
        `${host.incus.gateway}:53`,
      ]) {
        const tried = await banner(target);
        expect(tried.code, target).not.toBe(0);
        expect(tried.stdout, target).toBe('');
        expect(tried.stderr, target).toMatch(/administratively prohibited/);
      }
      // Neither remote forwarding nor sockets.
      expect(
        (await ssh(config, '-o', 'ExitOnForwardFailure=yes', '-N', '-R', '0:127.0.0.1:22', 'cxt-alice-jump')).code,
      ).not.toBe(0);
      const local = join(folder, 'incus.sock');
      const forward = execa(
        'ssh',
        ['-F', config, '-N', '-L', `${local}:${host.incus.incusDir}/unix.socket`, 'cxt-alice-jump'],
        { reject: false, timeout: 20_000 },
      );
      await eventually(
        () =>
          access(local).then(
            () => true,
            () => undefined,
          ),
        'the client listens',
      );
      const asked = await execa('curl', ['--silent', '--max-time', '5', '--unix-socket', local, 'http://incus/1.0'], {
        reject: false,
      });
      forward.kill();
      expect((await forward).stderr).toMatch(/open failed/);
      expect(asked.stdout).toBe('');
    });

    it('keeps containers from reaching each other, and lets them reach the gateway', async () => {
      const config = await clientFor('cxt-alice', alice);
      const other = await addressOf('cxt-bob');
      const reach = await ssh(
        config,
        'cxt-alice-dev',
        `timeout 3 bash -c '</dev/tcp/${other}/22' 2>/dev/null && echo reached || echo blocked`,
      );
      expect(reach.stdout.trim()).toBe('blocked');
      const gateway = await ssh(
        config,
        'cxt-alice-dev',
        `timeout 3 bash -c '</dev/tcp/${host.incus.gateway}/53' && echo reached`,
      );
      expect(gateway.stdout.trim()).toBe('reached');
    });

    it("refuses another user's key on the jump host and in the container", async () => {
      const config = await clientFor('cxt-alice', alice);
      const withBobs = `${config}-bob`;
      await writeFile(withBobs, (await readFile(config, 'utf8')).replaceAll(alice.path, bob.path));
      const tried = await ssh(withBobs, 'cxt-alice-dev', 'id');
      expect(tried.code).toBe(255);
      expect(tried.stderr).toMatch(/Permission denied \(publickey\)/);
    });

    it('grants and revokes access to jump host and container with a key', async () => {
      const laptop = await makeKey(folder, 'laptop');
      await result(['key', 'add', 'cxt-alice'], laptop.line);
      const config = await clientFor('cxt-alice', laptop);
      expect((await ssh(config, 'cxt-alice-dev', 'id -un')).stdout).toBe('cxt-alice\n');
      await result(['key', 'remove', 'cxt-alice', laptop.fingerprint]);
      expect((await ssh(config, 'cxt-alice-dev', 'id -un')).stderr).toMatch(/Permission denied \(publickey\)/);
      // The container itself refuses the key too, for a client that reaches its port by other means.
      const direct = await execa(
        'ssh',
        [
          '-F',
          'none',
          '-i',
          laptop.path,
          '-o',
          'IdentitiesOnly=yes',
          '-o',
          'BatchMode=yes',
          '-o',
          'StrictHostKeyChecking=no',
          '-o',
          `UserKnownHostsFile=${folder}/direct`,
          `cxt-alice@${await addressOf('cxt-alice')}`,
          'true',
        ],
        { reject: false },
      );
      expect(direct.exitCode).toBe(255);
    });

    /** Opens connections of a user through the host in every way, and waits until each of them serves. */
    const connections = async (user: string, key: TestKey): Promise<Record<string, Promise<unknown>>> => {
      const config = await clientFor(user, key);
      const forward = await freePort();
      const socket = join(folder, `mux-${user}-${forward}`);
      const start = (...words: string[]): ResultPromise<{ reject: false; stdin: 'ignore' }> =>
        execa('ssh', ['-F', config, ...words], { reject: false, stdin: 'ignore' });
      const own = await addressOf(user);
      const ends = {
        '-N -L': start('-N', '-L', `${forward}:${own}:22`, `${user}-jump`),
        '-M -N': start('-M', '-N', '-S', socket, `${user}-jump`),
        '-J': start(`${user}-dev`, 'sleep 300'),
      };
      await eventually(async () => {
        const through = await execa('ssh-keyscan', ['-p', String(forward), '127.0.0.1'], { reject: false });
        const master = await execa('ssh', ['-F', config, '-S', socket, '-O', 'check', `${user}-jump`], {
          reject: false,
        });
        const inside = await host.incus
          .incus(['exec', `${user}-container`, '--', 'pgrep', '-f', 'sleep 300'])
          .catch(() => '');
        return through.stdout !== '' && master.exitCode === 0 && inside !== '' ? true : undefined;
      }, 'every connection serves');
      return ends;
    };

    const changes: readonly (readonly [verb: string, change: (fingerprint: string) => Promise<unknown>])[] = [
      ['key remove', (fingerprint) => result(['key', 'remove', 'cxt-alice', fingerprint])],
      ['key replace', () => result(['key', 'replace', 'cxt-alice'], alice.line)],
      ['restart', () => result(['restart', 'cxt-alice'])],
      ['stop', () => result(['stop', 'cxt-alice'])],
    ];

    it.each(changes)("%s ends the user's connections through the host, and nobody else's", async (_, change) => {
      const laptop = await makeKey(folder, `ending-${Date.now()}`);
      await result(['key', 'add', 'cxt-alice'], laptop.line);
      const [ending, staying] = [await connections('cxt-alice', laptop), await connections('cxt-bob', bob)];
      const ended = Promise.all(Object.values(ending));
      let bobEnded = false;
      for (const end of Object.values(staying)) void end.then(() => (bobEnded = true));
      expect(await change(laptop.fingerprint)).toMatchObject({ connectionsEnded: true });
      await ended;
      expect(bobEnded).toBe(false);
      await execa('pkill', ['-KILL', '-u', 'cxt-bob']);
      await Promise.all(Object.values(staying));
      if ((await result(['info', 'cxt-alice'])).container.status === 'stopped') await result(['start', 'cxt-alice']);
      await manage(['key', 'remove', 'cxt-alice', laptop.fingerprint]);
      expect((await ssh(await clientFor('cxt-alice', alice), 'cxt-alice-dev', 'id -un')).stdout).toBe('cxt-alice\n');
    });

    it('leaves keys alone that the user added in the container', async () => {
      const own = await makeKey(folder, 'own');
      const config = await clientFor('cxt-alice', alice);
      await execa('ssh', ['-F', config, 'cxt-alice-dev', 'umask 077; mkdir -p .ssh; cat >> .ssh/authorized_keys'], {
        input: own.line,
      });
      const laptop = await makeKey(folder, 'laptop2');
      await result(['key', 'add', 'cxt-alice'], laptop.line);
      expect((await ssh(config, 'cxt-alice-dev', 'cat .ssh/authorized_keys')).stdout).toBe(own.line);
      await result(['key', 'remove', 'cxt-alice', laptop.fingerprint]);
    });

    it('finds and repairs external changes with reconcile, and nothing else', async () => {
      await rm(join(host.keysFolder, 'cxt-bob'));
      await execa('userdel', ['cxt-alice']);
      const found = await manage(['reconcile', '--json']);
      expect(found.code).toBe(6);
      const { differences } = (
        JSON.parse(found.stdout) as { result: { differences: { kind: string; target: string }[] } }
      ).result;
      expect(differences.map(({ kind, target }) => `${kind} ${target}`).sort()).toEqual([
        'account-missing cxt-alice',
        'jump-keys-missing cxt-bob',
      ]);
      expect((await execa('getent', ['passwd', 'cxt-alice'], { reject: false })).exitCode).toBe(2);
      await result(['reconcile', '--apply']);
      expect((await result(['reconcile'])).differences).toEqual([]);
      expect((await ssh(await clientFor('cxt-alice', alice), 'cxt-alice-dev', 'id -un')).stdout).toBe('cxt-alice\n');
      expect((await ssh(await clientFor('cxt-bob', bob), 'cxt-bob-dev', 'id -un')).stdout).toBe('cxt-bob\n');
    });

    it('reports a healthy host in doctor, sshd included', async () => {
      const { checks } = (await result(['doctor'])) as { checks: { name: string; severity: string; detail: string }[] };
      expect(checks.filter((check) => check.severity === 'problem')).toEqual([]);
      expect(checks.find((check) => check.name === 'sshd')).toMatchObject({
        severity: 'ok',
        detail: 'the drop-in for jump accounts is in force',
      });
    });

    it('keeps the container, its host key and its keys across a restart', async () => {
      const before = await result(['info', 'cxt-bob']);
      await result(['restart', 'cxt-bob']);
      const after = await result(['info', 'cxt-bob']);
      expect(after.container).toMatchObject({
        hostKeyFingerprint: before.container.hostKeyFingerprint,
        address: before.container.address,
      });
      expect((await ssh(await clientFor('cxt-bob', bob), 'cxt-bob-dev', 'id -un')).stdout).toBe('cxt-bob\n');
    });

    it('lists what changes in Incus, also after its events were interrupted, and never an old list', async () => {
      const status = async (user: string): Promise<unknown> =>
        (await result(['list', '--user', user])).containers[0]?.status;
      const eventsCheck = async (): Promise<unknown> =>
        (await result(['doctor'])).checks.find(({ name }: { name: string }) => name === 'events');
      await vi.waitFor(async () => expect(await eventsCheck()).toMatchObject({ severity: 'ok' }), 20_000);
      // A change of this server is in the next list.
      await result(['stop', 'cxt-bob']);
      expect(await status('cxt-bob')).toBe('stopped');
      await result(['start', 'cxt-bob']);
      expect(await status('cxt-bob')).toBe('running');
      await host.incus.incus(['stop', '--force', 'cxt-bob-container']);
      await vi.waitFor(async () => expect(await status('cxt-bob')).toBe('stopped'), 10_000);
      await host.incus.restart(async () => {
        // The last threads of the daemon may still be ending.
        await vi.waitFor(async () => {
          const down = await manage(['list', '--json']);
          expect(JSON.parse(down.stdout)).toMatchObject({ ok: false, error: { code: 'incus-unavailable' } });
        }, 10_000);
      });
      // Incus starts it again by itself.
      await vi.waitFor(async () => expect(await status('cxt-bob')).toBe('running'), 10_000);
      await vi.waitFor(async () => expect(await eventsCheck()).toMatchObject({ severity: 'ok' }), 20_000);
    });
  });

  it('never touches an account that it did not create', async () => {
    await execa('useradd', ['--no-create-home', '--comment', 'somebody else', 'cxt-foreign']);
    try {
      const refused = await manage(['create', 'cxt-foreign', '--json'], alice.line);
      expect(JSON.parse(refused.stdout)).toMatchObject({ ok: false, error: { code: 'not-ours' } });
      expect((await execa('getent', ['passwd', 'cxt-foreign'])).stdout).toContain('somebody else');
      expect((await result(['reconcile', '--apply'])).differences).toEqual([]);
      expect((await execa('getent', ['passwd', 'cxt-foreign'])).stdout).toContain('somebody else');
    } finally {
      await execa('userdel', ['cxt-foreign']);
    }
  });

  it('creates a container without Docker on request', async () => {
    await result(['create', 'cxt-plain', '--no-docker', '--no-autostart'], alice.line);
    const config = await clientFor('cxt-plain', alice);
    const inside = await ssh(config, 'cxt-plain-dev', 'id -Gn; systemctl is-active docker');
    expect(inside.stdout).not.toMatch(/\bdocker\b/);
    expect(inside.stdout).not.toMatch(/^active$/m);
    const { container } = await result(['info', 'cxt-plain']);
    expect(container).toMatchObject({ docker: false, autostart: false });
    await result(['delete', 'cxt-plain', '--yes']);
  });

  it('leaves nothing of what a deleted container has written to its console', async () => {
    await result(['create', 'cxt-noisy', '--no-docker'], alice.line);
    const mark = 'cxt-secret-on-the-console';
    await host.incus.incus(['exec', 'cxt-noisy-container', '--', 'sh', '-c', `echo ${mark} > /dev/console`]);
    await result(['stop', 'cxt-noisy']);
    const holding = (): Promise<string> =>
      execa('grep', ['-rl', mark, join(host.incus.incusDir, 'logs')], { reject: false }).then(({ stdout }) => stdout);
    expect(await holding()).toContain('console.log');
    await result(['delete', 'cxt-noisy', '--yes']);
    expect(await holding()).toBe('');
  });

  it('reports in doctor that no user can log in if sshd is not running', async () => {
    await result(['create', 'cxt-dora'], alice.line);
    const pid = Number((await execa('pgrep', ['--full', `sshd.*${host.sshd.configPath}`])).stdout.split('\n')[0]);
    process.kill(pid, 'SIGKILL');
    const { checks } = (await result(['doctor'])) as { checks: { name: string; severity: string; detail: string }[] };
    expect(checks.find((check) => check.name === 'sshd')).toMatchObject({
      severity: 'problem',
      detail: expect.stringContaining(`no sshd answers on 127.0.0.1 port ${host.sshd.port}`),
    });
    await result(['delete', 'cxt-dora', '--yes']);
  });

  it('reports that Incus is down, never that there are no containers', async () => {
    await expect(access(join(host.incus.incusDir, 'unix.socket'))).resolves.toBeUndefined();
    const down = await host.server.local(['list', '--json'], {});
    expect(JSON.parse(down.stdout)).toMatchObject({ ok: true });
    const pid = Number(
      (await execa('pgrep', ['-f', `incusd.*${host.incus.logPath}`], { reject: false })).stdout.split('\n')[0],
    );
    process.kill(pid, 'SIGSTOP');
    try {
      // A stopped daemon is the worst case: it accepts connections and never answers.
      const hung = await host.server.ssh(['create', 'cxt-carol', '--json'], { stdin: alice.line });
      expect(JSON.parse(hung.stdout)).toMatchObject({ ok: false, error: { code: 'timeout' } });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect((await result(['list'])).total).toBe(0);
    expect((await result(['reconcile'])).differences).toEqual([]);
  });
});
