/**
 * A machine whose data disk outlives it, with nothing but what terraform/ gives it: cloud-init installs the release,
 * two users get containers, the machine is cut in the middle of its work, and a new machine has the old data disk. Run
 * it by hand as root on Debian: npm run test:machine
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { ensureBaseImage, ensurePackages, waitUntil } from '../host/harness/index.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { Releases } from '../support/releases.ts';
import { temporaryFolder } from '../support/server.ts';
import { JumpHost } from './jumpHost.ts';
import { checksumOf, Seed } from './seed.ts';

vi.setConfig({ testTimeout: 60 * 60_000, hookTimeout: 60 * 60_000 });

/** Everything is slow in an emulated machine, and the base image is a local one. */
const settings = (baseImage: string): string => `image: {base: ${baseImage}, packages: []}
defaults: {cpu: 1, memory: 1GiB, disk: 3GiB}
timeouts: {readyMs: 600000, readMs: 120000, changeMs: 600000, copyMs: 1800000, shutdownMs: 300000}
`;

const hostname = 'jump.example.org';
/** The way of an admin and of a user, who know nothing of a new machine. */
const known = '-o StrictHostKeyChecking=accept-new -o LogLevel=ERROR -o BatchMode=yes';

/** Returns a command line that prints what is at an address: a bare Debian has no curl. */
const fetched = (address: string): string =>
  `python3 -c 'import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1]).read())' ${address}`;

describe('a jump host with a data disk', () => {
  let host = new JumpHost();
  let releases: Releases;
  let dataDisk: string;
  let seed: Seed;
  let admin: TestKey;
  /** What the admin and the users have on their own machines, as a tar archive in base64. */
  let home = '';

  beforeAll(async () => {
    expect(await ensurePackages(undefined, ['qemu-system-x86'])).toBeUndefined();
    const folder = await temporaryFolder();
    admin = await makeKey(folder, 'carol');
    releases = await Releases.make(join(folder, 'releases'), 'x64');
    await releases.variant('newer', '');
    await releases.variant('broken', "if (process.argv[2] === 'serve' && process.argv.length === 3) process.exit(1);");
    dataDisk = join(folder, 'data.img');
    const file = await open(dataDisk, 'w');
    await file.truncate(20 * 1024 ** 3);
    await file.close();
    const { alias } = await ensureBaseImage();
    seed = await Seed.start({
      folder: join(folder, 'terraform'),
      releases,
      adminKeys: admin.line,
      hostname,
      dataDisk: '/dev/vdc',
      settings: settings(alias),
    });
  });
  afterAll(async () => {
    seed.stop();
    await host.stop();
  });

  /** Boots a machine, and waits until cloud-init has installed the release. */
  const boot = async (): Promise<void> => {
    host = new JumpHost();
    await host.boot({ dataDisk, seed: seed.next(), hasCheckout: false });
    await host.did(`echo "127.0.0.1 ${hostname}" >> /etc/hosts`);
    if (home === '') {
      await host.did('cat > /root/.ssh/id_ed25519 && chmod 600 /root/.ssh/id_ed25519', admin.private);
      await host.did('cat > /root/.ssh/id_ed25519.pub', admin.line);
    } else await host.did('base64 --decode | tar --extract --gzip --directory /root', home);
    const isDone = async (): Promise<boolean> =>
      (await host.machine.run('test -e /etc/containarium-boot/done || systemctl --quiet is-failed containarium-boot'))
        .code === 0;
    await waitUntil(isDone, 50 * 60_000, 5000);
    const log = await host.journal('containarium-boot');
    console.info(log);
    expect(log).toMatch(/^containarium-boot: done$/m);
  };
  const inside = (user: string, command: string): Promise<string> =>
    host.did(`incus exec ${user}-container -- sh -ec '${command}'`);
  const login = (user: string, command: string) =>
    host.machine.run(`ssh -F /root/${user}.config ${known} ${user}-dev '${command}'`);
  const sums = (user: string): Promise<string> =>
    inside(user, 'find /etc /home /opt /root -xdev -type f -exec sha256sum {} + | sort');

  it('begins on an empty disk, by cloud-init alone', async () => {
    await boot();
    expect(await host.did('zfs list -H -o name,mountpoint')).toMatch(
      /^containarium\tnone\ncontainarium\/home\t\/var\/lib\/containarium\ncontainarium\/incus\t\/var\/lib\/incus\ncontainarium\/pool\t/,
    );
    expect((await host.manage('whoami')).name).toBe('carol');
    expect(parse(await host.did('cat /var/lib/containarium/containarium.yaml'))).toMatchObject({ jump: { hostname } });
    await host.isSound();
  });

  it('refuses another disk, and would change nothing', async () => {
    const other = await host.machine.run('containarium install --data-disk /dev/vdb');
    expect(other.stderr).toMatch(/data disk "\/dev\/vdb": the pool "containarium" of this machine is on \/dev\/vdc1/);
    expect(await host.did('containarium recover --data-disk /dev/vdc')).toContain('Nothing would be changed');
  });

  it('has users with files on it', async () => {
    const { baseImage } = host.machine;
    await host.did(
      `incus image import --quiet /mnt/base/metadata.tar.gz /mnt/base/rootfs.squashfs --alias ${baseImage}`,
    );
    for (const user of ['alice', 'bob']) {
      await host.did(`ssh-keygen -q -t ed25519 -N "" -C ${user}@laptop -f /root/${user}`);
      await host.manage(`create ${user} --label team=${user}`, await host.did(`cat /root/${user}.pub`));
      const self = `ssh -p 2222 -i /root/${user} -o IdentitiesOnly=yes ${known} self@${hostname}`;
      await host.did(`${self} config > /root/${user}.config && ${self} config --known-hosts >> /root/.ssh/known_hosts`);
      await host.did(`printf 'Host *\\n IdentityFile /root/${user}\\n IdentitiesOnly yes\\n' >> /root/${user}.config`);
      expect(await login(user, 'echo precious > file && sync && hostname')).toMatchObject({
        code: 0,
        stdout: `${user}-container\n`,
      });
    }
    // What sshd writes to the journal of systemd.
    const seen = (await host.manage('audit --connections --user alice')).connections;
    expect(seen).toContainEqual(
      expect.objectContaining({
        user: 'alice',
        container: 'alice-container',
        fingerprint: expect.stringMatching(/^SHA256:/),
      }),
    );
    expect((await host.manage('info alice')).container.lastSeen).toMatchObject({ address: expect.any(String) });
    await host.manage('snapshot create alice before');
    // All of it, as their own machines keep it.
    home = await host.did(
      'cd /root && tar --create --gzip .ssh/id_ed25519 .ssh/id_ed25519.pub .ssh/known_hosts alice* bob* | base64',
    );
  });

  it('is cut in the middle of a create and of a write, and all comes back on a new machine', async () => {
    const before = {
      files: { alice: await sums('alice'), bob: await sums('bob') },
      admins: (await host.manage('admin list')).admins,
      keys: (await host.manage('key list alice')).keys,
      hostKey: (await host.manage('host-key')).current,
      sshd: await host.did('cat /etc/ssh/ssh_host_ed25519_key.pub'),
      head: (await host.manage('audit verify')).head,
    };
    const create = host.ssh('create zoe', await host.did('cat /root/alice.pub')).catch(() => undefined);
    await waitUntil(
      async () => (await host.did('incus list --format csv --columns n')).includes('zoe'),
      10 * 60_000,
      500,
    );
    const writing = login('bob', 'while :; do echo line >> growing; sync; done').catch(() => undefined);
    await waitUntil(
      async () => (await inside('bob', 'wc -c < /home/bob/growing || echo 0')) !== '0\n',
      5 * 60_000,
      500,
    );
    await host.stop();
    await Promise.all([create, writing]);

    await boot();
    const startedAt = Date.now();
    const reachable = async (user: string): Promise<boolean> => (await login(user, 'true')).code === 0;
    for (const user of ['alice', 'bob'])
      expect(await waitUntil(() => reachable(user), 10 * 60_000, 1000), user).toBe(true);
    console.info(
      `the last container was reachable ${Math.round((Date.now() - startedAt) / 1000)} s after the installation`,
    );

    expect(await host.did('cat /etc/ssh/ssh_host_ed25519_key.pub')).toBe(before.sshd);
    expect((await host.manage('host-key')).current).toEqual(before.hostKey);
    expect((await host.manage('admin list')).admins.map(({ name }: { name: string }) => name)).toEqual(
      before.admins.map(({ name }: { name: string }) => name),
    );
    expect((await host.manage('key list alice')).keys).toEqual(before.keys);
    expect(await sums('alice')).toBe(before.files.alice);
    const lost = before.files.bob.split('\n').filter((line) => !line.includes('/growing'));
    expect((await sums('bob')).split('\n')).toEqual(expect.arrayContaining(lost));
    const verified = await host.manage('audit verify');
    expect(verified).toMatchObject({ ok: true });
    expect(verified.head.seq).toBeGreaterThan(before.head.seq);
    // The create is as if it had never begun, and the journal says what happened.
    expect((await host.manage('list')).containers.map(({ user }: { user: string }) => user)).toEqual(['alice', 'bob']);
    expect(JSON.stringify(await host.manage('audit --limit 200'))).toContain('"moved"');
    await host.isSound();
    await host.manage('snapshot restore alice before --yes');
  });

  it('keeps its disk from a machine that gets it too', async () => {
    const other = new JumpHost();
    try {
      await other.boot({ dataDisk, sharesDataDisk: true, hasCheckout: false });
      await other.did('mkdir /root/release');
      await other.did(`${fetched(seed.archive('release'))} | tar -xz --strip-components 1 --directory /root/release`);
      const plan = await other.did('/root/release/install.sh --check --data-disk /dev/vdc');
      expect(plan).toContain('Take over the ZFS pool "containarium" of /dev/vdc, with all that it holds');
      expect(plan).not.toContain('Admit the admin');
      const refused = await other.machine.run('/root/release/install.sh --data-disk /dev/vdc', {
        timeoutMs: 30 * 60_000,
      });
      expect(refused.stderr).toMatch(
        /^Error: data disk "\/dev\/vdc1": another machine uses it at this moment \(busy\)\nNext: /m,
      );
      expect((await other.machine.run('zpool import -N -f containarium')).code).not.toBe(0);
      expect(await other.did('ls -A /opt /var/lib/incus /var/lib/containarium 2>/dev/null || true')).not.toMatch(
        /containarium-releases|database|journal/,
      );
    } finally {
      await other.stop();
    }
    expect(await host.did('zpool status -x containarium')).toBe("pool 'containarium' is healthy\n");
    expect((await login('alice', 'cat file')).stdout).toBe('precious\n');
  });

  it('takes the containers over with "recover" when the database of Incus is lost', async () => {
    const files = { alice: await sums('alice'), bob: await sums('bob') };
    await host.did(
      'systemctl stop containarium incus.socket incus-user.socket incus.service && rm -r /var/lib/incus/database',
    );
    await host.machine.reboot();
    expect(await host.did('containarium recover --data-disk /dev/vdc')).toContain(
      'Have Incus take over the containers in containarium/pool: its database is lost',
    );
    const said = await host.did('containarium recover --data-disk /dev/vdc --apply');
    console.info(said);
    expect(said).toContain('Taking over the containers in containarium/pool, which Incus does not know');
    await host.letsIn();
    await host.manage('reconcile --apply');
    for (const user of ['alice', 'bob'] as const) {
      expect(await waitUntil(async () => (await login(user, 'true')).code === 0, 10 * 60_000, 1000), user).toBe(true);
      expect(await sums(user)).toBe(files[user]);
    }
    expect((await host.manage('snapshot list alice')).snapshots).toContainEqual(
      expect.objectContaining({ name: 'before' }),
    );
    await host.isSound();
  });

  it('upgrades, goes back from a version that does not work, and can be uninstalled', async () => {
    const upgrade = async (name: string) => {
      await host.did(`${fetched(seed.archive(name))} > /root/${name}.tar.gz`);
      return host.machine.run(
        `containarium upgrade /root/${name}.tar.gz --sha256 ${await checksumOf(releases, name)}`,
        { timeoutMs: 20 * 60_000 },
      );
    };
    expect(await upgrade('newer')).toMatchObject({ code: 0 });
    expect((await host.ssh('version')).stdout).toContain(releases.next);
    const broken = await upgrade('broken');
    expect(broken).toMatchObject({ code: 1, stderr: expect.stringContaining(`version ${releases.next} runs again`) });
    expect((await host.ssh('version')).stdout).toContain(releases.next);
    await host.isSound();

    expect(await host.did('containarium install --uninstall')).toMatch(/^Removed the service/);
    expect((await host.ssh('version')).code).toBe(255);
    expect((await login('alice', 'cat file')).stdout).toBe('precious\n');
  });
});
