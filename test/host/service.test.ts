/**
 * The installed service in a machine with systemd: the output of `service:install --root`, in containers of Debian 12
 * and, if this machine can build one, Debian 13. The host is simulated; the front, its unit and all restrictions are
 * real.
 *
 * The containers are unprivileged, with `security.nesting`. Every directive of the front's unit is in force there (the
 * first test checks each one in /proc), including those that make namespaces. An unprivileged container cannot stand in
 * for root of the machine itself.
 */
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/prepare/programs.ts';
import { runRemotely } from '../support/remote/server.ts';
import { eventually, temporaryFolder } from '../support/server.ts';
import {
  addressOf,
  ensureBaseImage,
  ensurePackages,
  outputOf,
  startIncus,
  testedReleases,
  waitUntil,
} from './harness/index.ts';
import type { RunningIncus } from './harness/index.ts';

const reason = await ensurePackages();
if (reason !== undefined) console.warn(`skipped: ${reason}`);

const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const releases = await testedReleases();
const limits = { timeout: 10 * 60_000 };

let incus: RunningIncus;
let tree: string;

beforeAll(async () => {
  if (reason !== undefined) return;
  incus = await startIncus({ name: 'service' });
  const folder = await temporaryFolder();
  const root = join(folder, 'root');
  await run(process.execPath, [join(checkout, 'src', 'bootstrap.mjs'), '--quiet'], { timeoutMs: 300_000 });
  await run(process.execPath, [join(checkout, '.ci', 'installCheckout.mjs'), '--root', root, '--offline'], {
    timeoutMs: 300_000,
  });
  tree = join(folder, 'tree.tar');
  await run('tar', ['--create', '--file', tree, '--owner=0', '--group=0', '--directory', root, 'opt', 'usr', 'etc'], {
    timeoutMs: 300_000,
  });
}, 900_000);
afterAll(async () => incus?.stop());

/**
 * Paths that the front must not reach and that root can: Incus's socket, the journal, sshd's host keys, the server's
 * own keys, accounts.
 */
const secrets = [
  '/var/lib/incus/unix.socket',
  '/run/incus/unix.socket',
  '/var/lib/containarium/state/journal',
  '/var/lib/containarium/state/core.sock',
  '/var/lib/containarium/keys/host_ed25519',
  '/etc/ssh/ssh_host_ed25519_key',
  '/etc/passwd',
  '/etc/shadow',
  '/run/dbus/system_bus_socket',
  '/run/systemd/private',
  '/root',
  '/home',
  '/bin/sh',
];

/** The processes that speak to the internet. Each has a unit and a user of its name. */
const outside = ['containarium-front', 'containarium-remote'] as const;

describe.skipIf(reason !== undefined).each(releases)('the service on $name', limits, ({ other: release }) => {
  const machine = `service-${release?.versionId ?? 'own'}`;
  let address: string;
  let key: string;
  let certificates: string;

  const exec = (...args: string[]): Promise<string> => incus.incus(['exec', machine, '--', ...args]);
  const read = (...args: string[]): Promise<string> => outputOf(incus, machine, args);
  const code = (...args: string[]): Promise<number> =>
    execa('incus', ['exec', machine, '--', ...args], { env: incus.env, reject: false, stdin: 'ignore' }).then(
      ({ exitCode }) => exitCode ?? -1,
    );
  const property = async (unit: string, name: string): Promise<string> =>
    (await read('systemctl', 'show', '--property', name, '--value', unit)).trim();
  const pidOf = (name: (typeof outside)[number]): Promise<number> =>
    property(`${name}.service`, 'MainPID').then(Number);
  const running = (other?: number, name: (typeof outside)[number] = 'containarium-front'): Promise<number> =>
    eventually(async () => {
      const pid = await pidOf(name);
      return pid === 0 || pid === other ? undefined : pid;
    }, `a process of ${name} other than ${other}`);

  function sshArguments(words: readonly string[]): string[] {
    const options = [
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'LogLevel=ERROR',
      'IdentitiesOnly=yes',
      'IdentityAgent=none',
      'BatchMode=yes',
    ].flatMap((option) => ['-o', option]);
    return ['-F', 'none', '-p', '2222', '-i', key, ...options, `manage@${address}`, ...words];
  }

  async function ssh(...words: string[]): Promise<{ stdout: string; stderr: string; exitCode: number }> {
    const { stdout, stderr, exitCode } = await execa('ssh', sshArguments(words), { reject: false, stdin: 'ignore' });
    return { stdout, stderr, exitCode: exitCode ?? -1 };
  }

  /** Starts a create with the admin's public key, and waits until it runs. */
  async function startCreate(user: string) {
    const input = await read('cat', '/var/lib/containarium/keys/admin_ed25519.pub');
    const create = execa('ssh', sshArguments(['create', user]), { reject: false, input });
    let progress = '';
    create.stderr.on('data', (data: Buffer) => (progress += data.toString()));
    // The first of seven steps: a look at `list` from outside may take longer than the whole create.
    await eventually(
      () => (progress.includes('[1/5] Creating container') ? true : undefined),
      () => Promise.resolve(`a create that runs: ${progress}`),
    );
    // In an object, because an async function would wait for the promise itself.
    return { create };
  }

  beforeAll(async () => {
    let { image } = incus;
    if (release !== undefined) {
      const base = await ensureBaseImage(release);
      await incus.incus(['image', 'import', '--quiet', base.metadataPath, base.rootfsPath, '--alias', base.alias]);
      image = base.alias;
    }
    await incus.incus(['create', '--quiet', image, machine, '-c', 'security.nesting=true']);
    await incus.incus([
      'config',
      'device',
      'add',
      machine,
      'tree',
      'disk',
      `source=${dirname(tree)}`,
      'path=/tree',
      'readonly=true',
      'shift=true',
    ]);
    await incus.incus(['start', machine]);
    address = await addressOf(incus, machine);
    await waitUntil(
      () => code('systemctl', 'is-active', '--quiet', 'multi-user.target').then((exit) => exit === 0),
      60_000,
      200,
    );
    await exec('tar', '--extract', '--file', '/tree/tree.tar', '--directory', '/', '--no-overwrite-dir');
    await exec('systemd-sysusers');
    // Stand-ins for the rest of a jump host: sockets and keys where a real one has them.
    const decoys =
      'mkdir -p /var/lib/incus /run/incus /etc/ssh && for path in /var/lib/incus/unix.socket /run/incus/unix.socket /etc/ssh/ssh_host_ed25519_key; do [ -e $path ] || echo secret > $path; chmod 644 $path; done';
    const dropIn = '[Service]\\nEnvironment=CONTAINARIUM_HOST=simulated CONTAINARIUM_SIMULATED_PACE_MS=1000\\n';
    await exec(
      'sh',
      '-c',
      `${decoys}; mkdir -p /etc/systemd/system/containarium.service.d && printf '${dropIn}' > /etc/systemd/system/containarium.service.d/test.conf`,
    );
    await exec(
      'sh',
      '-c',
      "mkdir -p /var/lib/containarium && printf 'remote: {listen: 0.0.0.0:50051}\\n' > /var/lib/containarium/containarium.yaml",
    );
    await exec('systemctl', 'daemon-reload');
    await exec('systemctl', 'start', 'containarium');
    await running();
    const folder = await temporaryFolder();
    await mkdir(folder, { recursive: true });
    key = join(folder, 'admin');
    const made = await eventually(
      () => read('cat', '/var/lib/containarium/keys/admin_ed25519').catch(() => undefined),
      "the admin's key",
    );
    await writeFile(key, made);
    await chmod(key, 0o600);
    await eventually(
      async () => ((await ssh('whoami')).exitCode === 0 ? true : undefined),
      async () =>
        `a login: ${JSON.stringify(await ssh('whoami'))} ${await read('journalctl', '--no-pager', '-n', '40')}`,
    );
    const generated = await ssh('cert', 'generate', '--server-ip', address);
    expect(generated.exitCode, generated.stderr).toBe(0);
    certificates = join(folder, 'certs');
    await mkdir(certificates);
    await writeFile(join(certificates, 'bundle.pem'), generated.stdout, { mode: 0o600 });
    await running(undefined, 'containarium-remote');
    // The image of another release is built first, if this machine has none yet.
  }, 900_000);

  it.each(outside)(
    'runs %s as its own user, with no capability, no new privileges, a system call filter and its own namespaces',
    async (name) => {
      const pid = await running(undefined, name);
      const status = await read('cat', `/proc/${pid}/status`);
      const field = (name: string): string => new RegExp(`^${name}:\\s*(.*?)\\s*$`, 'm').exec(status)?.[1] ?? '';
      const [, , uid = '', gid = ''] = (await read('getent', 'passwd', name)).split(':');
      expect(Number(uid)).toBeGreaterThan(0);
      expect(await read('getent', 'passwd', name)).toMatch(/:\/nonexistent:\/usr\/sbin\/nologin\n$/);
      expect(field('Uid').split(/\s+/)).toEqual([uid, uid, uid, uid]);
      expect(field('Gid').split(/\s+/)).toEqual([gid, gid, gid, gid]);
      expect(field('Groups')).toBe(gid);
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
        expect(field(set), set).toBe('0'.repeat(16));
      expect(field('NoNewPrivs')).toBe('1');
      expect(field('Seccomp')).toBe('2');
      for (const namespace of ['mnt', 'net', 'user', 'ipc', 'uts']) {
        expect(await read('readlink', `/proc/${pid}/ns/${namespace}`), namespace).not.toBe(
          await read('readlink', `/proc/1/ns/${namespace}`),
        );
      }
      expect(await read('ls', `/proc/${pid}/root/`)).not.toMatch(/home|srv|mnt|boot/);
      expect(await read('ls', `/proc/${pid}/root/etc`)).toBe('');
      const limits = await read('cat', `/proc/${pid}/limits`);
      expect(limits).toMatch(/^Max core file size +0 +0/m);
      expect(await property(`${name}.service`, 'MemoryMax')).toBe(String(1024 ** 3));
      expect(await property(`${name}.service`, 'TasksMax')).toBe('64');
      // Its two sockets, its log, and the descriptors of Node.js itself.
      const open = (await read('sh', '-c', `for fd in /proc/${pid}/fd/*; do readlink $fd; done`)).trim().split('\n');
      expect(open.filter((target) => !/^(pipe:|socket:|anon_inode:|\/dev\/null$)/.test(target))).toEqual([]);
      console.info(
        `${machine}: ${name}: ${field('Seccomp_filters')} system call filters, namespaces mnt net user ipc uts of its own`,
      );
    },
  );

  /** Runs a hostile program with exactly the settings of the unit of a process. */
  async function attempt(name: string, script: string): Promise<Record<string, string>> {
    await exec(
      'sh',
      '-c',
      `mkdir -p /etc/systemd/system/attempt.service.d && cp /etc/systemd/system/${name}.service.d/10-containarium.conf /etc/systemd/system/attempt.service.d/ && systemctl daemon-reload`,
    );
    const args = [
      'systemd-run',
      '--quiet',
      '--pipe',
      '--wait',
      '--collect',
      '--unit=attempt',
      '/opt/containarium/node_modules/.bin/node',
      '--input-type=module',
      '--eval',
      script,
    ];
    return JSON.parse(await exec(...args)) as Record<string, string>;
  }

  it.each(outside)('gives a hostile program in the place of %s nothing to reach', async (name) => {
    for (const path of [
      '/var/lib/incus/unix.socket',
      '/etc/ssh/ssh_host_ed25519_key',
      '/var/lib/containarium/state/core.sock',
      '/run/dbus/system_bus_socket',
    ])
      expect(await code('test', '-e', path), path).toBe(0);
    const found = await attempt(
      name,
      `
      import { accessSync, readdirSync, writeFileSync, readFileSync } from 'node:fs';
      import { connect, createServer } from 'node:net';
      import { spawnSync } from 'node:child_process';
      const outcome = async (act) => { try { return String(await act()); } catch (error) { return error.code ?? String(error); } };
      const found = {};
      for (const path of ${JSON.stringify(secrets)}) found[path] = await outcome(() => readFileSync(path).length);
      for (const path of ['/var/lib/containarium/state/core.sock', '/run/dbus/system_bus_socket', '/run/systemd/private']) {
        found['connect ' + path] = await outcome(() => new Promise((resolve, reject) => connect(path).on('connect', () => resolve('connected')).on('error', reject)));
      }
      found['connect 22'] = await outcome(() => new Promise((resolve, reject) => connect(22, '127.0.0.1').on('connect', () => resolve('connected')).on('error', reject)));
      found['listen'] = await outcome(() => new Promise((resolve, reject) => createServer().listen(4444, () => resolve('listens')).on('error', reject)));
      found['interfaces'] = await outcome(() => readFileSync('/proc/self/net/dev', 'utf8').trim().split('\\n').slice(2).map((line) => line.split(':')[0].trim()).join());
      found['shell'] = await outcome(() => { const { error, status } = spawnSync('/bin/sh', ['-c', 'true']); if (error) throw error; return status; });
      found['itself again'] = await outcome(() => { const { error, status } = spawnSync(process.execPath, ['-e', '0']); if (error) throw error; return status; });
      found['setuid'] = await outcome(() => process.setuid(0));
      found['write program'] = await outcome(() => writeFileSync('/opt/containarium/dist/main.js', ''));
      found['others'] = await outcome(() => readdirSync('/proc').filter((name) => /^\\d+$/.test(name) && name !== String(process.pid)).join());
      found['kill'] = await outcome(() => process.kill(1, 'SIGTERM'));
      console.log(JSON.stringify(found));
      process.exit(0);
    `,
    );
    console.info(JSON.stringify(found));
    const { interfaces, others, ...rest } = found;
    expect(interfaces).toMatch(/^(lo|ENOENT|EINVAL)$/);
    expect(others).toBe('');
    for (const [what, outcome] of Object.entries(rest))
      expect(outcome, what).toMatch(/^(ENOENT|EACCES|EPERM|EROFS|ESRCH|EAFNOSUPPORT|EISDIR)$/);
    // Folders are readable here, but must be empty.
    for (const path of secrets.filter((each) => !['/root', '/home'].includes(each)))
      expect(rest[path], path).toMatch(/^(ENOENT|EACCES)$/);
  });

  it('is rated safe by systemd itself', async () => {
    for (const name of outside) {
      const text = await read('systemd-analyze', 'security', '--no-pager', `${name}.service`);
      const rating = Number(/Overall exposure level for [\w.-]+: ([\d.]+)/.exec(text)?.[1]);
      const lines = text.split('\n').filter((line) => line.includes('✗'));
      console.info(`${machine}: ${name} ${rating}; ${lines.map((line) => line.trim().split(/\s+/)[1]).join(' ')}`);
      // 0.3 on Debian 12 and 13. The rest: V8 writes machine code (0.1), connections must be accepted from any
      // address (0.2), and PrivateDevices allows some devices (0.1). Each lost directive adds at least 0.1.
      expect(rating, name).toBeLessThanOrEqual(0.4);
    }
    const core = await read('systemd-analyze', 'security', '--no-pager', 'containarium.service');
    const exposure = Number(/Overall exposure level for containarium\.service: ([\d.]+)/.exec(core)?.[1]);
    console.info(`${machine}: containarium.service ${exposure}`);
    // root, with the capabilities for accounts, a writable /etc and the network. Without its filters it is above 6.
    expect(exposure).toBeLessThan(5);
  });

  it('lets core work under its own restrictions as on a real host', async () => {
    // The programs of src/host/runner.ts that this machine has, under the settings of core's unit. The shell's kill
    // stands in for pkill (procps).
    const settings = (await read('cat', '/etc/systemd/system/containarium.service'))
      .split('\n')
      .filter((line) => /^(NoNewPriv|Protect|Private|Lock|Keyring|Restrict|Capability|SystemCall)/.test(line));
    const script = `
      groupadd --system cxt-jump
      useradd --no-create-home --home-dir /nonexistent --no-user-group --gid cxt-jump --shell /usr/sbin/nologin --password '*' --comment mark --key SUB_UID_COUNT=0 --key SUB_GID_COUNT=0 cxt-sam
      getent passwd cxt-sam
      mkdir /var/lib/containarium/cxt
      echo key > /var/lib/containarium/cxt/sam
      chown root:cxt-jump /var/lib/containarium/cxt/sam
      chmod 640 /var/lib/containarium/cxt/sam
      setpriv --reuid=cxt-sam --regid=cxt-jump --clear-groups sleep 60 &
      sleep 1
      kill -KILL $!
      wait $! || [ $? = 137 ]
      userdel cxt-sam
      groupdel cxt-jump
      rm -r /var/lib/containarium/cxt
      systemctl is-active containarium
    `;
    const { exitCode, stdout, stderr } = await execa(
      'incus',
      [
        'exec',
        machine,
        '--',
        'systemd-run',
        '--quiet',
        '--pipe',
        '--wait',
        '--collect',
        ...settings.flatMap((line) => ['--property', line]),
        'sh',
        '-ec',
        script,
      ],
      { env: incus.env, reject: false, stdin: 'ignore' },
    );
    expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
    expect(stdout).toMatch(/^cxt-sam:.*:mark:\/nonexistent:\/usr\/sbin\/nologin$/m);
  });

  it('replaces a front that stops responding, without refusing a connection, and tells the next login', async () => {
    const before = await running();
    await exec('systemctl', 'kill', '--signal=STOP', 'containarium-front.service');
    // A connection during the hang waits in the kernel's queue, or is cut with the front that accepted it.
    const refused = execa('ssh-keyscan', ['-T', '30', '-p', '2222', '-t', 'ed25519', address], { reject: false });
    await running(before);
    const next = await eventually(async () => {
      const answer = await ssh('list');
      return answer.exitCode === 0 ? answer : undefined;
    }, 'an answer of the next front');
    expect(next.stderr).toMatch(
      /^The SSH server was restarted at \d\d:\d\d UTC because it stopped responding\. Operations were not interrupted\.$/m,
    );
    expect((await ssh('list')).stderr).not.toMatch(/restarted/);
    expect((await refused).stderr).not.toMatch(/refused/i);
    expect(await read('journalctl', '--no-pager', '-u', 'containarium', '-n', '20')).toMatch(
      /the front hangs; killing it/,
    );
  });

  it('replaces a front that dies, while core and its operations continue', async () => {
    const core = await property('containarium.service', 'MainPID');
    const { create } = await startCreate('alice');
    const before = await running();
    await exec('systemctl', 'kill', '--signal=KILL', 'containarium-front.service');
    await create;
    await running(before);
    await eventually(
      async () => ((await exec('containarium', 'list', '--json')).includes('"ready"') ? true : undefined),
      'the end of the create',
      60_000,
    );
    expect(await property('containarium.service', 'MainPID')).toBe(core);
    const next = await eventually(async () => {
      const answer = await ssh('list');
      return answer.exitCode === 0 ? answer : undefined;
    }, 'an answer');
    expect(next.stderr).toMatch(/because it exited unexpectedly/);
  });

  it('restarts and stops in order: operations first, then the goodbye to clients, then the port', async () => {
    const before = await running();
    await exec('systemctl', 'restart', 'containarium');
    await running(before);
    await eventually(
      async () => ((await ssh('whoami')).exitCode === 0 ? true : undefined),
      'a login after the restart',
    );

    const { create } = await startCreate('bob');
    const [answer] = await Promise.all([create, exec('systemctl', 'stop', 'containarium')]);
    expect(answer.stdout).toMatch(/^Container bob-container created$/m);
    expect(await code('systemctl', 'is-active', '--quiet', 'containarium-front.service')).not.toBe(0);
    expect(await property('containarium.service', 'Result')).toBe('success');
    const socket = connect(2222, address);
    await expect(once(socket, 'connect')).rejects.toThrow(/ECONNREFUSED/);
    const log = await read('journalctl', '--no-pager', '-o', 'cat', '-u', 'containarium-front', '-n', '5');
    expect(log).toMatch(/Deactivated successfully/);
  });

  it('leaves no front behind when core is killed, not even one that stopped responding', async () => {
    await exec('systemctl', 'start', 'containarium');
    const before = await running();
    await exec('systemctl', 'kill', '--signal=STOP', 'containarium-front.service');
    await exec('systemctl', 'kill', '--signal=KILL', '--kill-who=main', 'containarium.service');
    // Restart=on-failure brings core back, and with it a front.
    await running(before);
    await eventually(async () => ((await ssh('whoami')).exitCode === 0 ? true : undefined), 'a login after the crash');
    expect(await code('test', '-e', `/proc/${before}`)).not.toBe(0);
    // Two command lines of each name its program: that of systemd-run and its own. The remote process may be starting.
    const commandLines = async (entry: string): Promise<number> =>
      (await read('sh', '-c', 'cat /proc/[0-9]*/cmdline 2> /dev/null || true')).split(entry).length - 1;
    expect(await commandLines('/front/main.js')).toBe(2);
    await eventually(
      async () => ((await commandLines('/remote/main.js')) === 2 ? true : undefined),
      'one remote process',
    );
  });

  it('serves the remote interface to the command line from elsewhere, also after its process was killed', async () => {
    const list = () => runRemotely(`${address}:50051`, ['list', '--json'], { certificates });
    const serves = () => eventually(async () => ((await list()).code === 0 ? true : undefined), 'the process serves');
    await serves();
    const pid = await running(undefined, 'containarium-remote');
    await exec('systemctl', 'kill', '--signal=KILL', 'containarium-remote.service');
    await running(pid, 'containarium-remote');
    await serves();
  });

  it('tells systemd how it is, and is replaced when its core stands still', async () => {
    expect(await property('containarium.service', 'StatusText')).toBe('Listening on 0.0.0.0:2222');
    expect(await property('containarium.service', 'WatchdogUSec')).toBe('1min 30s');
    await exec('mkdir', '--parents', '/run/systemd/system/containarium.service.d');
    await exec(
      'sh',
      '-c',
      "printf '[Service]\\nWatchdogSec=10s\\n' > /run/systemd/system/containarium.service.d/quick.conf && systemctl daemon-reload && systemctl restart containarium",
    );
    const core = await property('containarium.service', 'MainPID');
    await exec('sh', '-c', `kill -STOP ${core}`);
    await eventually(
      async () => ((await property('containarium.service', 'MainPID')) === core ? undefined : true),
      'another core',
    );
    await eventually(async () => ((await ssh('whoami')).exitCode === 0 ? true : undefined), 'a login');
    expect(await read('journalctl', '--no-pager', '-u', 'containarium')).toContain('Watchdog timeout');
    await exec('rm', '/run/systemd/system/containarium.service.d/quick.conf');
    await exec('systemctl', 'daemon-reload');
    await exec('systemctl', 'restart', 'containarium');
    await running();
  });

  it('is gone after service:uninstall, which keeps its state, and can be repeated', async () => {
    // The release that removes itself; and a copy, as of an archive, that finds nothing any more.
    await exec('cp', '--recursive', '--dereference', '/opt/containarium', '/root/release');
    expect(await exec('containarium', 'install', '--uninstall')).toMatch(/^Removed the service/);
    for (const unit of ['containarium', 'containarium-front', 'containarium-firewall'])
      expect(await code('systemctl', 'is-active', '--quiet', `${unit}.service`), unit).not.toBe(0);
    for (const path of ['/opt/containarium', '/usr/local/bin/containarium', '/etc/systemd/system/containarium.service'])
      expect(await code('test', '-e', path), path).toBe(1);
    expect(await code('test', '-e', '/var/lib/containarium/state/journal')).toBe(0);
    expect(await exec('/root/release/install.sh', '--uninstall')).toMatch(/^Removed the service/);
  });
});
