/**
 * The disk of a virtual machine that is a jump host with ZFS: this machine's own release with a kernel, ZFS built for
 * it, Incus and sshd, from this machine's own mirror. Built once (about ten minutes, most of it ZFS) and kept where the
 * base images of the tests are.
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
  /** An ext4 file system without partitions; used with qemu's `-snapshot`, so that it stays as it is. */
  readonly root: string;
  /** Private key that root of the machine accepts. */
  readonly key: string;
}

const version = 1;
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
/** In this order: ZFS is built for the kernel that is there. */
const packages = [
  ['linux-image-amd64', 'linux-headers-amd64', 'initramfs-tools', 'openssh-server'],
  ['zfs-dkms', 'zfsutils-linux'],
  // What many jump hosts have already. python3-systemd, which reads the journal, is only recommended by it.
  ['fail2ban', 'python3-systemd', 'nftables'],
];

/**
 * Makes the root folder. Nothing of what `--real` prepares is in it but the kernel's modules and an Incus that nobody
 * has set up.
 */
async function makeRoot(root: string, key: string): Promise<void> {
  const release = supportedRelease(await readOsRelease());
  if (release.id !== 'debian')
    throw new Failure('settings', { what: 'the virtual machine', why: 'it is made of Debian, on Debian only' });
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
  // Nothing is started while the packages are installed (invoke-rc.d(8)).
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

/** A file system image that holds a folder; sparse, so that its size costs nothing. */
export async function makeImage(path: string, folder: string, size: string): Promise<void> {
  await run('mkfs.ext4', ['-q', '-F', '-d', folder, path, size], { timeoutMs: buildMs });
}

/** The disk, from the cache or built into it. */
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
    // With room for the pool, which takes six tenths of what is free.
    await makeImage(join(work, 'root.img'), root, '26G');
    await removeFolder(root);
    await rename(work, folder);
  } catch (error) {
    await removeFolder(work);
    throw error;
  }
  return disk;
}
