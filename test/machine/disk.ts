/**
 * The disk of a virtual machine for a jump host with ZFS: this machine's own release with a kernel, ZFS built for it,
 * Incus and sshd, from this machine's own mirror. It is built once (about ten minutes, most of them for ZFS) and kept
 * beside the base images of the tests.
 */
import { createHash } from 'node:crypto';
import { access, chmod, copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../src/domain/failure.ts';
import { mainSource, readAptSources, renderDeb822 } from '../../src/prepare/aptSources.ts';
import { run } from '../../src/prepare/programs.ts';
import { readOsRelease, supportedRelease } from '../../src/prepare/release.ts';
import { removeFolder, unmountUnder } from '../host/harness/mounts.ts';

export interface MachineDisk {
  readonly kernel: string;
  readonly initrd: string;
  /** An ext4 file system without partitions. qemu's `-snapshot` keeps it unchanged. */
  readonly root: string;
  /** The private key for root of the machine. */
  readonly key: string;
}

const version = 3;
const buildMs = 30 * 60_000;
const base = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'iproute2',
  'ifupdown',
  'isc-dhcp-client',
  'ca-certificates',
  'udev',
  'kmod',
];
/** Packages in the order of installation: ZFS is built for the installed kernel. */
const packages = [
  ['linux-image-amd64', 'linux-headers-amd64', 'initramfs-tools', 'openssh-server'],
  ['zfs-dkms', 'zfsutils-linux'],
  // fail2ban, which many jump hosts already have, only recommends python3-systemd, with which it reads the journal.
  // netbase is in every image of a cloud; the jail for sshd needs its list of services.
  ['fail2ban', 'python3-systemd', 'nftables', 'netbase'],
  // As in the images of clouds. Without an address of user-data on the kernel's command line it does nothing.
  ['cloud-init'],
];

/**
 * Creates the root folder. Of all that `--real` prepares, it has only the kernel's modules and an Incus that is not set
 * up.
 */
async function makeRoot(root: string, key: string): Promise<void> {
  const release = supportedRelease(await readOsRelease());
  if (release.id !== 'debian')
    throw new Failure('settings', { what: 'the virtual machine', why: 'it can be built only on Debian' });
  const source = mainSource(await readAptSources(), release.codename);
  const [uri = ''] = source.uris;
  await run(
    'debootstrap',
    ['--variant=minbase', '--components=main,contrib', `--include=${base.join(',')}`, release.codename, root, uri],
    { timeoutMs: buildMs },
  );
  const suites = [...new Set([release.codename, `${release.codename}-updates`, release.incusSuite])];
  await rm(join(root, 'etc/apt/sources.list'), { force: true });
  await writeFile(
    join(root, 'etc/apt/sources.list.d/machine.sources'),
    renderDeb822({ ...source, suites, components: ['main', 'contrib'] }),
  );
  const { stdout: settings } = await run('apt-config', ['dump']);
  const kept = settings
    .split('\n')
    .filter((line) => /^Acquire::(?:https?::Proxy|Check-Valid-Until|Check-Date)\b/.test(line));
  await writeFile(join(root, 'etc/apt/apt.conf.d/90machine'), ['Acquire::Languages "none";', ...kept, ''].join('\n'));
  await writeFile(join(root, 'etc/dpkg/dpkg.cfg.d/90throw-away'), 'force-unsafe-io\n');
  // Start no services during the installation (invoke-rc.d(8)).
  const policy = join(root, 'usr/sbin/policy-rc.d');
  await writeFile(policy, '#!/bin/sh\nexit 101\n');
  await chmod(policy, 0o755);
  await copyFile('/etc/resolv.conf', join(root, 'etc/resolv.conf'));

  await run('mount', ['--types', 'proc', 'proc', join(root, 'proc')]);
  await run('mount', ['--types', 'sysfs', 'sys', join(root, 'sys')]);
  await run('mount', ['--bind', '/dev', join(root, 'dev')]);
  try {
    const apt = (...args: string[]) =>
      run('chroot', [root, 'apt-get', '-q', '-y', ...args], {
        timeoutMs: buildMs,
        env: { DEBIAN_FRONTEND: 'noninteractive' },
      });
    await apt('update');
    for (const names of packages) await apt('install', '--no-install-recommends', ...names);
    await apt('install', '--no-install-recommends', '-t', release.incusSuite, 'incus');
    await run('chroot', [root, 'passwd', '--delete', 'root']);
  } finally {
    await unmountUnder(root);
  }
  await rm(policy);
  await writeFile(
    join(root, 'etc/network/interfaces'),
    'auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet dhcp\n',
  );
  await writeFile(join(root, 'etc/hostname'), 'machine\n');
  await writeFile(join(root, 'etc/hosts'), '127.0.0.1 localhost machine\n::1 localhost\n');
  await writeFile(join(root, 'etc/machine-id'), '');
  await writeFile(join(root, 'etc/cloud/cloud.cfg.d/90-network.cfg'), 'network: {config: disabled}\n');
  // qemu's own name server (user networking).
  await writeFile(join(root, 'etc/resolv.conf'), 'nameserver 10.0.2.3\n');
  await mkdir(join(root, 'root/.ssh'), { recursive: true, mode: 0o700 });
  await copyFile(`${key}.pub`, join(root, 'root/.ssh/authorized_keys'));
}

async function only(folder: string, prefix: string): Promise<string> {
  const [found, ...more] = (await readdir(folder)).filter((name) => name.startsWith(prefix));
  if (found === undefined || more.length > 0)
    throw new Failure('unexpected-output', { what: folder, why: `it does not hold one file ${prefix}*` });
  return join(folder, found);
}

/** Creates a file system image of a folder. The file is sparse, so that its size costs nothing. */
export async function makeImage(path: string, folder: string, size: string): Promise<void> {
  await run('mkfs.ext4', ['-q', '-F', '-d', folder, path, size], { timeoutMs: buildMs });
}

/** Returns the disk from the cache, after building it if necessary. */
export async function ensureDisk(say: (line: string) => void): Promise<MachineDisk> {
  const cache = process.env['CONTAINARIUM_TEST_CACHE'] ?? '/var/cache/containarium-test';
  const { versionId } = await readOsRelease();
  const id = createHash('sha256')
    .update(JSON.stringify({ version, versionId, base, packages }))
    .digest('hex')
    .slice(0, 16);
  const folder = join(cache, `machine-${id}`);
  const disk = {
    kernel: join(folder, 'vmlinuz'),
    initrd: join(folder, 'initrd'),
    root: join(folder, 'root.img'),
    key: join(folder, 'key'),
  };
  if (
    await access(disk.root).then(
      () => true,
      () => false,
    )
  )
    return disk;

  say('Building the disk of the virtual machine, once: about ten minutes');
  const work = join(cache, `.machine-${process.pid}`);
  await mkdir(work, { recursive: true });
  try {
    const root = join(work, 'root');
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(work, 'key')]);
    await makeRoot(root, join(work, 'key'));
    await copyFile(await only(join(root, 'boot'), 'vmlinuz-'), join(work, 'vmlinuz'));
    await copyFile(await only(join(root, 'boot'), 'initrd.img-'), join(work, 'initrd'));
    // Leave room for the pool, which takes six tenths of the free space.
    await makeImage(join(work, 'root.img'), root, '26G');
    await removeFolder(root);
    await rename(work, folder);
  } catch (error) {
    await removeFolder(work);
    throw error;
  }
  return disk;
}
