/**
 * A virtual machine for tests, emulated in software (qemu's TCG): some twenty times slower than the processor, but it
 * works everywhere. KVM is not used: on some machines /dev/kvm opens and creates a virtual machine that then hangs
 * while Debian's kernel starts.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, open, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { Failure } from '../../src/domain/failure.ts';
import { run as runHere } from '../../src/prepare/programs.ts';
import { ensureBaseImage, freePort, waitUntil } from '../host/harness/index.ts';
import { finished, repository, temporaryFolder, type Finished } from '../support/server.ts';
import { ensureDisk, makeImage } from './disk.ts';

export interface Machine {
  /** Alias of the base image in /mnt/base. The checkout is in /mnt/checkout. */
  readonly baseImage: string;
  /** Runs a command line in the machine as root. */
  run(command: string, options?: { readonly stdin?: string; readonly timeoutMs?: number }): Promise<Finished>;
  /** Reboots it cleanly and waits until it accepts logins again. Its disk is kept. */
  reboot(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Creates a second disk with the present checkout, npm, and a base image. The checkout is built and has its
 * dependencies: a build in the machine would take a quarter of an hour and test nothing of the machine.
 */
async function makeCheckoutDisk(folder: string): Promise<{ path: string; baseImage: string }> {
  const base = await ensureBaseImage();
  const staging = join(folder, 'staging');
  await mkdir(join(staging, 'base'), { recursive: true });
  const files = ['package.json', 'package-lock.json', 'tsconfig.json'];
  for (const name of [...files, 'src', 'proto', 'systemd', 'dist', 'node_modules']) {
    // Keep the times: src/bootstrap.mjs builds again if a source is newer than the build.
    await cp(join(repository, name), join(staging, 'checkout', name), {
      recursive: true,
      verbatimSymlinks: true,
      preserveTimestamps: true,
    });
  }
  await stageNpm(join(staging, 'npm'));
  await cp(base.metadataPath, join(staging, 'base/metadata.tar.gz'));
  await cp(base.rootfsPath, join(staging, 'base/rootfs.squashfs'));
  const path = join(folder, 'checkout.img');
  await makeImage(path, staging, '2G');
  await rm(staging, { recursive: true });
  return { path, baseImage: base.alias };
}

/** Copies this machine's npm, with its registry and the certificates that it trusts. */
async function stageNpm(folder: string): Promise<void> {
  const program = process.env['npm_execpath'];
  if (program === undefined)
    throw new Failure('settings', {
      what: 'the virtual machine',
      why: 'it needs the npm that starts the tests',
      next: 'npm run test:machine',
    });
  await cp(dirname(dirname(await realpath(program))), join(folder, 'npm'), { recursive: true });
  const { stdout: registry } = await runHere('npm', ['config', 'get', 'registry']);
  const { stdout: cas } = await runHere('npm', ['config', 'get', 'cafile']);
  const settings = [`registry=${registry.trim()}`];
  if (cas.trim() !== 'null') {
    await cp(cas.trim(), join(folder, 'authorities.pem'));
    settings.push('cafile=/mnt/npm/authorities.pem');
  }
  await writeFile(join(folder, 'npmrc'), `${settings.join('\n')}\n`);
}

/** Boots a machine and waits until its sshd accepts logins. Its changes are lost when it stops. */
export async function startMachine(say: (line: string) => void): Promise<Machine> {
  const disk = await ensureDisk(say);
  const folder = await temporaryFolder();
  const checkout = await makeCheckoutDisk(folder);
  const port = await freePort();
  const consolePath = join(folder, 'console.log');
  const log = await open(consolePath, 'a');
  const child = spawn(
    'qemu-system-x86_64',
    [
      ...[
        '-accel',
        'tcg,thread=multi',
        '-cpu',
        'max',
        '-smp',
        '2',
        '-m',
        '4096',
        '-display',
        'none',
        '-serial',
        'stdio',
        '-snapshot',
      ],
      ...['-kernel', disk.kernel, '-initrd', disk.initrd, '-append', 'root=/dev/vda rw console=ttyS0 net.ifnames=0'],
      ...['-drive', `file=${disk.root},if=virtio,format=raw`, '-drive', `file=${checkout.path},if=virtio,format=raw`],
      ...['-nic', `user,model=virtio,hostfwd=tcp:127.0.0.1:${port}-:22`],
    ],
    { stdio: ['ignore', log.fd, log.fd] },
  );
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  await once(child, 'spawn').finally(() => log.close());
  const ended = once(child, 'exit');

  const run: Machine['run'] = async (command, { stdin, timeoutMs = 10 * 60_000 } = {}) => {
    const options = [
      'UserKnownHostsFile=/dev/null',
      'StrictHostKeyChecking=no',
      'LogLevel=ERROR',
      'BatchMode=yes',
      'ConnectTimeout=60',
    ];
    const args = [
      '-p',
      String(port),
      '-i',
      disk.key,
      ...options.flatMap((option) => ['-o', option]),
      'root@127.0.0.1',
      command,
    ];
    return finished(
      await execa('ssh', args, { input: stdin ?? '', reject: false, stripFinalNewline: false, timeout: timeoutMs }),
    );
  };
  const stop = async (): Promise<void> => {
    process.off('exit', kill);
    kill();
    await ended;
  };
  const up = async (bootBefore: string): Promise<void> => {
    const boot = 'cat /proc/sys/kernel/random/boot_id';
    let now = bootBefore;
    const inside = async (): Promise<boolean> => {
      const { code, stdout } = await run(`mountpoint --quiet /mnt || mount /dev/vdb /mnt && ${boot}`, {
        timeoutMs: 60_000,
      });
      if (code === 0) now = stdout;
      return child.exitCode !== null || now !== bootBefore;
    };
    if ((await waitUntil(inside, 10 * 60_000, 2000)) && child.exitCode === null) return;
    await stop();
    throw new Failure('timeout', {
      what: 'the virtual machine',
      why: `it did not come up: ${(await readFile(consolePath, 'utf8')).slice(-2000)}`,
    });
  };
  const reboot = async (): Promise<void> => {
    const { stdout: before } = await run('cat /proc/sys/kernel/random/boot_id');
    // The reboot cuts the connection.
    await run('systemctl reboot');
    await up(before);
  };
  await up('');
  return { baseImage: checkout.baseImage, run, reboot, stop };
}
