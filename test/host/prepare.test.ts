/**
 * `--real` on an empty machine: a container with only a minimal Debian or Ubuntu, systemd and the mirror. Its Incus
 * gets a plain folder as its pool, because a container has no loop devices; everything else is as on a real machine.
 */
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

const [, otherRelease] = await testedReleases();

const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

interface Told {
  readonly said: string[];
  readonly asked: string[];
  readonly failure?: { readonly code: string; readonly why: string };
}

describe.skipIf(reason !== undefined)('preparing an empty machine', { timeout: 10 * 60_000 }, () => {
  let incus: RunningIncus;
  const withSystemd = 'empty-machine';
  const withoutSystemd = 'empty-machine-without-systemd';
  const execIn = (machine: string, ...args: string[]): Promise<string> =>
    incus.incus(['exec', machine, '--', ...args], { timeoutMs: 9 * 60_000 });
  const exec = (...args: string[]): Promise<string> => execIn(withSystemd, ...args);
  const readIn = (machine: string, ...args: string[]): Promise<string> => outputOf(incus, machine, args);
  const read = (...args: string[]): Promise<string> => readIn(withSystemd, ...args);

  async function start(machine: string, image = incus.image, ...options: string[]): Promise<void> {
    await incus.incus(['create', '--quiet', image, machine, '-c', 'security.nesting=true', ...options]);
    await incus.incus([
      'config',
      'device',
      'add',
      machine,
      'checkout',
      'disk',
      `source=${checkout}`,
      'path=/checkout',
      'readonly=true',
      'shift=true',
    ]);
    await incus.incus(['start', machine]);
  }

  async function booted(machine: string): Promise<void> {
    await addressOf(incus, machine);
    await waitUntil(
      () =>
        execIn(machine, 'systemctl', 'is-active', '--quiet', 'multi-user.target').then(
          () => true,
          () => false,
        ),
      60_000,
      200,
    );
  }

  beforeAll(async () => {
    incus = await startIncus({ name: 'prepare' });
    await start(withSystemd);
    await booted(withSystemd);
  });
  afterAll(async () => incus?.stop());

  /** Runs `prepareHost` in the machine, with the checkout's own Node. */
  async function prepare(settings: { machine?: string; folder?: string; consent?: boolean } = {}): Promise<Told> {
    const script = `
      import { prepareHost } from '/checkout/src/prepare/prepare.ts';
      import { checkSettings } from '/checkout/src/settings/settings.ts';
      const said = [], asked = [];
      let failure;
      try {
        await prepareHost({
          say: (line) => said.push(line),
          ask: async (question) => (asked.push(question), ${settings.consent ?? true}),
          offer: async (question) => (asked.push(question), false),
          settings: {
            group: 'containarium-jump',
            authorizedKeysFolder: '${settings.folder ?? '/var/lib/containarium/authorized_keys'}',
            sysctl: checkSettings({}, 'of the test').sysctl,
            storage: { driver: 'dir' },
          },
        });
      } catch (error) {
        failure = { code: error.code, why: error.why, details: error.details };
      }
      console.log(JSON.stringify({ said, asked, failure }));
    `;
    const node = `/checkout/${relative(checkout, process.execPath)}`;
    return JSON.parse(
      await execIn(settings.machine ?? withSystemd, node, '--input-type=module', '--eval', script),
    ) as Told;
  }

  it('changes nothing without consent', async () => {
    const before = await read('dpkg-query', '-W');
    const prepared = await prepare({ consent: false });
    expect(prepared).toMatchObject({ said: [], failure: { code: 'cancelled' } });
    expect(prepared.asked[0]).toContain('incus');
    expect(await read('dpkg-query', '-W')).toBe(before);
  });

  it('installs, starts and sets up everything, and announces each change', async () => {
    const began = performance.now();
    const prepared = await prepare();
    console.info(
      `an empty machine was prepared in ${((performance.now() - began) / 1000).toFixed(1)} s:\n${prepared.said.join('\n')}`,
    );
    expect(prepared.failure).toBeUndefined();
    expect(prepared.said.join('\n')).toMatch(
      /package lists[^]*Installing[^]*storage pool[^]*bridge[^]*profile[^]*group[^]*user "containarium-front"[^]*10-containarium\.conf/,
    );
    expect(await read('incus', 'network', 'list', '--format', 'csv', '--columns', 'ntm4')).toContain(
      'incusbr0,bridge,YES,10.0.3.1/20',
    );
    expect(await read('incus', 'profile', 'show', 'default')).toMatch(/network: incusbr0[^]*pool: default/);
    expect(await read('systemctl', 'is-enabled', 'incus.socket', 'lxcfs.service')).toBe('enabled\nenabled\n');
    expect(await read('stat', '--format', '%U %a', '/var/lib/containarium/authorized_keys')).toBe('root 755\n');
    expect(await read('getent', 'passwd', 'containarium-front')).toMatch(
      /^containarium-front:x:\d{3}:\d+:SSH server of Containarium:\/nonexistent:\/usr\/sbin\/nologin\n$/,
    );
    // `incus publish` runs zstd, but reports a missing one only at the end of an image build.
    expect(await read('zstd', '--version')).toContain('Zstandard');
    // The settings apply in the machine's own sshd, and only to the jump accounts.
    await exec('useradd', '--no-create-home', '--gid', 'containarium-jump', 'someone');
    expect(await read('sshd', '-T', '-C', 'user=someone,host=h,addr=192.0.2.1')).toContain(
      'forcecommand /usr/sbin/nologin',
    );
    expect(await read('sshd', '-T', '-C', 'user=root,host=h,addr=192.0.2.1')).toMatch(
      /persourcemaxstartups 20$[^]*forcecommand none|forcecommand none$[^]*persourcemaxstartups 20/m,
    );
  });

  it('changes and prints nothing the second time', async () => {
    const began = performance.now();
    expect(await prepare()).toEqual({ said: [], asked: [] });
    console.info(`a prepared machine was checked in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  });

  it('keeps the previous drop-in if sshd rejects its configuration', async () => {
    const path = '/etc/ssh/sshd_config.d/10-containarium.conf';
    const before = await read('cat', path);
    await incus.incus(['exec', withSystemd, '--', 'tee', '/etc/ssh/sshd_config.d/99-mistake.conf'], {
      input: 'NoSuchKeyword yes\n',
    });
    expect(await prepare({ folder: '/var/lib/elsewhere' })).toMatchObject({
      failure: { code: 'settings', why: expect.stringContaining('99-mistake.conf') },
    });
    expect(await read('cat', path)).toBe(before);
    await exec('rm', '/etc/ssh/sshd_config.d/99-mistake.conf');
    expect((await prepare({ folder: '/var/lib/elsewhere' })).said.join('\n')).toContain('10-containarium.conf');
    expect(await read('cat', path)).toContain('/var/lib/elsewhere/%u');
  });

  it('works without systemd, where it starts the daemons itself', async () => {
    await start(withoutSystemd, incus.image, '-c', 'raw.lxc=lxc.init.cmd = /usr/bin/sleep infinity');
    await execIn(withoutSystemd, 'ifup', 'eth0');
    const prepared = await prepare({ machine: withoutSystemd });
    expect(prepared.failure).toBeUndefined();
    expect(prepared.said).toContain('Starting the Incus daemon without systemd; after a reboot, start it the same way');
    // Installing openssh-server does not start sshd here, and the preparation starts no sshd by itself.
    expect(prepared.said.at(-1)).toBe('sshd is not running: users cannot reach their containers until it is');
    expect(await readIn(withoutSystemd, 'incus', 'storage', 'list', '--format', 'csv', '--columns', 'nD')).toBe(
      'default,dir\n',
    );

    await execIn(withoutSystemd, '/usr/sbin/sshd');
    const again = await prepare({ machine: withoutSystemd, folder: '/var/lib/elsewhere' });
    expect(again.said.filter((line) => !line.includes('lxcfs'))).toEqual([
      'Writing /etc/ssh/sshd_config.d/10-containarium.conf: jump accounts can reach their own container and nothing else',
      expect.stringMatching(/^sshd (?:offers no passwords|may still offer passwords)/),
      'Reloading sshd',
    ]);
    expect(
      (await prepare({ machine: withoutSystemd, folder: '/var/lib/elsewhere' })).said.filter(
        (line) => !line.includes('lxcfs'),
      ),
    ).toEqual([]);
  });

  it.runIf(otherRelease !== undefined)('prepares the other release that this machine can build', async () => {
    const image = await ensureBaseImage(otherRelease?.other);
    await incus.incus(['image', 'import', '--quiet', image.metadataPath, image.rootfsPath, '--alias', image.alias]);
    const machine = 'empty-machine-of-another-release';
    await start(machine, image.alias);
    await booted(machine);
    const began = performance.now();
    const prepared = await prepare({ machine });
    console.info(
      `an empty ${image.alias} was prepared in ${((performance.now() - began) / 1000).toFixed(1)} s:\n${prepared.said.join('\n')}`,
    );
    expect(prepared.failure).toBeUndefined();
    expect(await readIn(machine, 'cat', '/etc/os-release')).toContain(`VERSION_ID="${otherRelease?.other?.versionId}"`);
    // Its own suite has Incus, so nothing is added to its sources.
    expect(prepared.said.join('\n')).not.toContain('mirror');
    expect(await readIn(machine, 'incus', 'network', 'list', '--format', 'csv', '--columns', 'ntm')).toContain(
      'incusbr0,bridge,YES',
    );
    await execIn(machine, 'useradd', '--no-create-home', '--gid', 'containarium-jump', 'someone');
    expect(await readIn(machine, 'sshd', '-T', '-C', 'user=someone,host=h,addr=192.0.2.1')).toContain(
      'forcecommand /usr/sbin/nologin',
    );
    expect(await prepare({ machine })).toEqual({ said: [], asked: [] });
  });
});
