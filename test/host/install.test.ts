/**
 * The installer of a release on bare systems with systemd and nothing of a jump host: containers of Debian 12 and, if
 * this machine can build one, Debian 13. Their pool is a plain folder that is there before, because a container has no
 * loop devices; everything else is as on a real machine.
 */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { Releases } from '../support/releases.ts';
import { temporaryFolder } from '../support/server.ts';
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

const releases = await testedReleases();

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let incus: RunningIncus;
let folder: string;
let version: string;
let next: string;

beforeAll(async () => {
  if (reason !== undefined) return;
  incus = await startIncus({ name: 'install' });
  folder = await temporaryFolder();
  const releases = await Releases.make(folder);
  ({ version, next } = releases);
  await releases.variant('newer', '');
  await releases.variant('broken', "if (process.argv[2] === 'serve' && process.argv.length === 3) process.exit(1);");
  await releases.copy('newer', 'damaged');
  await appendFile(join(folder, 'damaged', 'README.md'), 'more\n');
  await releases.pack('damaged', { sums: false });
}, 900_000);
afterAll(async () => incus?.stop());

describe.skipIf(reason !== undefined).each(releases)(
  'the installer on $name',
  { timeout: 10 * 60_000 },
  ({ other: system }) => {
    const machine = `install-${system?.versionId ?? 'own'}`;
    const user = system === undefined ? 'cxt-ivy' : 'cxt-ina';
    let address: string;
    let key: TestKey;

    const run = async (...args: string[]): Promise<Ran> => {
      const { exitCode, stdout, stderr } = await execa('incus', ['exec', machine, '--', ...args], {
        env: incus.env,
        reject: false,
        stdin: 'ignore',
      });
      return { code: exitCode ?? -1, stdout, stderr };
    };
    const did = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await run(...args);
      expect(code, `${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0);
      return stdout;
    };
    /** For what changes nothing: Incus may lose the output of a short program on a busy host. */
    const read = (...args: string[]): Promise<string> =>
      outputOf(incus, machine, args).then((text) => text.replace(/\n$/, ''));
    const install = (...options: string[]): Promise<Ran> => run('/root/release/install.sh', ...options);
    const manage = async (...words: string[]): Promise<Ran> => {
      const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR'];
      const given = ['-F', 'none', '-p', '2222', '-i', key.path, ...options.flatMap((option) => ['-o', option])];
      const { exitCode, stdout, stderr } = await execa('ssh', [...given, `manage@${address}`, ...words], {
        reject: false,
        stdin: 'ignore',
      });
      return { code: exitCode ?? -1, stdout, stderr };
    };

    beforeAll(async () => {
      let { image } = incus;
      if (system !== undefined) {
        const base = await ensureBaseImage(system);
        await incus.incus(['image', 'import', '--quiet', base.metadataPath, base.rootfsPath, '--alias', base.alias]);
        image = base.alias;
      }
      key = await makeKey(await temporaryFolder(), user);
      await incus.incus(['create', '--quiet', image, machine, '-c', 'security.nesting=true', '-d', 'root,size=8GiB']);
      const device = [`source=${folder}`, 'path=/archives', 'readonly=true', 'shift=true'];
      await incus.incus(['config', 'device', 'add', machine, 'archives', 'disk', ...device]);
      await incus.incus(['start', machine]);
      address = await addressOf(incus, machine);
      await waitUntil(
        async () => (await run('systemctl', 'is-active', '--quiet', 'multi-user.target')).code === 0,
        60_000,
        200,
      );
      await did('cp', '--recursive', '/archives/release', '/root/release');
      await incus.incus(['file', 'push', `${key.path}.pub`, `${machine}/root/admins.pub`]);
    }, 900_000);

    it('says with --check what it would do, and changes nothing', async () => {
      const state = (): Promise<string> =>
        read('sh', '-c', 'dpkg-query -W; find /etc /opt /var/lib -newer /root/release');
      const before = await state();
      const { code, stdout } = await install('--check', '--admin', user, '--admin-keys', '/root/admins.pub');
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Nothing was changed\. The installation would:\n/);
      for (const change of [
        `Admit the admin "${user}" with 1 key of /root/admins.pub`,
        /Install incus, .*nftables/,
        'Install fail2ban',
        `Install version ${version} as a service, and start it`,
      ])
        expect(stdout).toMatch(change);
      expect(await state()).toBe(before);
    });

    it('refuses what it cannot do before it changes anything', async () => {
      const before = await read('dpkg-query', '-W');
      const cases: readonly (readonly [options: string[], code: number, message: RegExp])[] = [
        [['--data-disk', '/dev/nosuch'], 3, /disk "\/dev\/nosuch": there is no such device \(not-found\)\nNext: /],
        [['--data-disk', '/dev/null'], 5, /disk "\/dev\/null": /],
        [['--data-disk', 'sdb'], 2, /--data-disk "sdb" is not a path below \/dev/],
        [['--admin', user], 2, /each --admin needs its --admin-keys/],
        [['--admin-keys', '/nosuch'], 2, /--admin-keys "\/nosuch": the file cannot be read/],
        [['--admin-keys', '/etc/passwd'], 2, /Error: /],
        [['--hostname', '-oProxyCommand=x'], 2, /Error: "install": /],
        [['--frobnicate'], 2, /option "--frobnicate" is not valid here/],
      ];
      for (const [options, code, message] of cases) {
        const refused = await install(...options);
        expect(refused, options.join(' ')).toMatchObject({ code, stderr: expect.stringMatching(message) });
      }
      expect(await read('dpkg-query', '-W')).toBe(before);
    });

    it('runs nothing as root below a folder that others can change', async () => {
      await did('cp', '--recursive', '/root/release', '/tmp/release');
      await did('sh', '-c', 'mkdir -p /home/mallory && chown 4321 /home/mallory && mv /tmp/release /home/mallory/');
      const owned = await run('/home/mallory/release/install.sh', '--check');
      await did('mv', '/home/mallory/release', '/tmp/release');
      const open = await run('/tmp/release/install.sh', '--check');
      expect(owned).toMatchObject({ code: 4, stderr: expect.stringContaining('in /home/mallory (denied)\nNext: ') });
      expect(open).toMatchObject({ code: 4, stdout: '', stderr: expect.stringContaining('in /tmp (denied)\nNext: ') });
      expect(
        (
          await run(
            'env',
            'SUDO_UID=4321',
            'sh',
            '-c',
            'mv /tmp/release /home/mallory/ && /home/mallory/release/install.sh --check',
          )
        ).code,
      ).toBe(0);
      await did('rm', '-r', '/home/mallory');
    });

    it('installs everything and ends with the line to log in with, which works', async () => {
      // A plain folder as the pool, which it would not choose itself.
      const prepared = `
        import { prepareHost, prepareSettings } from '/root/release/dist/prepare/prepare.js';
        import { checkSettings } from '/root/release/dist/settings/settings.js';
        import { defaultHomes } from '/root/release/dist/settings/home.js';
        const settings = { ...prepareSettings(checkSettings({}, ''), defaultHomes.system), storage: { driver: 'dir' } };
        const yes = () => Promise.resolve(true);
        await prepareHost({ say: () => undefined, ask: yes, offer: yes, settings });
      `;
      await did('/root/release/node_modules/.bin/node', '--input-type=module', '--eval', prepared);
      const options = ['--admin', user, '--admin-keys', '/root/admins.pub', '--hostname', address];
      const { code, stdout, stderr } = await install(...options);
      expect(code, `${stdout}\n${stderr}`).toBe(0);
      expect(stdout.split('\n').at(-1)).toBe(`  ssh -p 2222 manage@${address}`);
      expect(JSON.parse((await manage('whoami', '--json')).stdout)).toMatchObject({ result: { name: user } });
      expect((await manage('version')).stdout).toContain(version);
      // fail2ban reads the journal, also of the machine's own sshd.
      expect(await read('fail2ban-client', 'status')).toMatch(/Jail list:\s+containarium, containarium-remote, sshd/);
      expect((await manage('doctor', '--json')).stdout).not.toContain('"severity":"problem"');
    });

    it('does nothing the second time', async () => {
      expect((await install('--check')).stdout).toBe('Everything is installed. Nothing would be changed.');
      const pid = await read('systemctl', 'show', '--property', 'MainPID', 'containarium');
      expect((await install()).stdout).toMatch(/^\nThe jump host is ready\./);
      expect(await read('systemctl', 'show', '--property', 'MainPID', 'containarium')).toBe(pid);
    });

    it('upgrades from an archive whose checksum is given, and tells the records', async () => {
      const sum = (await read('sha256sum', '/archives/newer.tar.gz')).split(' ')[0] ?? '';
      expect(await did('containarium', 'upgrade', '/archives/newer.tar.gz', '--sha256', sum)).toMatch(
        new RegExp(`Upgraded from version ${version} to ${next}$`),
      );
      expect((await manage('version')).stdout).toContain(next);
      expect(await did('containarium', 'upgrade', '/archives/newer.tar.gz', '--sha256', sum)).toContain(
        `Version ${next} is installed already`,
      );
      const { records } = (JSON.parse((await manage('audit', '--json')).stdout) as { result: { records: object[] } })
        .result;
      expect(records).toContainEqual(expect.objectContaining({ type: 'start', version: next }));
    });

    it('refuses an archive that is damaged, unknown or older, and leaves nothing of it', async () => {
      const sumOf = async (name: string): Promise<string> =>
        (await read('sha256sum', `/archives/${name}.tar.gz`)).split(' ')[0] ?? '';
      const cases: readonly (readonly [args: string[], message: RegExp])[] = [
        [['/archives/newer.tar.gz'], /there is no checksum to compare it with \(release-damaged\)/],
        [['/archives/newer.tar.gz', '--sha256', '0'.repeat(64)], /its checksum is another one: [0-9a-f]{64}/],
        [
          ['/archives/damaged.tar.gz', '--sha256', await sumOf('damaged')],
          /file "README.md" of the release: its checksum differs/,
        ],
        [
          [
            '/archives/release/README.md',
            '--sha256',
            (await read('sha256sum', '/archives/release/README.md')).slice(0, 64),
          ],
          /tar/,
        ],
        [['/nosuch.tar.gz'], /archive "\/nosuch.tar.gz": ENOENT.* \(not-found\)/],
        [[], /"upgrade": it needs the archive of a release/],
      ];
      for (const [args, message] of cases)
        expect((await run('containarium', 'upgrade', ...args)).stderr, args.join(' ')).toMatch(message);
      await did('cp', '--recursive', '/archives/release', '/root/older');
      await did('tar', '--create', '--gzip', '--file', '/root/older.tar.gz', '--directory', '/root', 'older');
      await did('sh', '-c', 'cd /root && sha256sum older.tar.gz > SHA256SUMS');
      expect((await run('containarium', 'upgrade', '/root/older.tar.gz')).stderr).toMatch(
        /which is newer .*--allow-downgrade/s,
      );
      expect((await manage('version')).stdout).toContain(next);
      expect(await read('sh', '-c', 'ls -A /opt/containarium-releases | wc -l')).toBe('2');
    });

    it('goes back by itself from a version that does not work', async () => {
      const sum = (await read('sha256sum', '/archives/broken.tar.gz')).split(' ')[0] ?? '';
      const { code, stdout, stderr } = await run('containarium', 'upgrade', '/archives/broken.tar.gz', '--sha256', sum);
      expect(stdout).toMatch(/The new version does not work: [^]*Going back to version/);
      expect(stderr).toMatch(new RegExp(`version ${next} runs again \\(unhealthy\\)`));
      expect(code).toBe(1);
      expect((await manage('version')).stdout).toContain(next);
      expect(await read('readlink', '/opt/containarium')).toContain(next);
    });

    it('uninstalls the service alone', async () => {
      expect((await run('/root/release/install.sh', '--uninstall', '--check')).stdout).toMatch(
        /^Nothing was changed\. This would stop the service and remove: .*\/opt\/containarium/,
      );
      expect((await manage('version')).code).toBe(0);
      expect((await run('/root/release/install.sh', '--uninstall')).stdout).toMatch(/^Removed the service/);
      expect((await manage('version')).code).toBe(255);
      expect(await read('incus', 'storage', 'list', '--format', 'csv', '--columns', 'n')).toBe('default');
      expect(await read('ls', '/opt')).toBe('');
    });
  },
);
