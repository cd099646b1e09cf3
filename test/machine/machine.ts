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
  /** Alias of the base image in /mnt/base. */
  readonly baseImage: string;
  /** Runs a command line in the machine as root. */
  run(command: string, options?: { readonly stdin?: string; readonly timeoutMs?: number }): Promise<Finished>;
  /** Reboots it cleanly and waits until it accepts logins again. Its disk is kept. */
  reboot(): Promise<void>;
  stop(): Promise<void>;
}

/** Creates a second disk with a base image, and with the present checkout and npm if they are wanted. */
async function makeSecondDisk(folder: string, hasCheckout: boolean): Promise<{ path: string; baseImage: string }> {
  const base = await ensureBaseImage();
  const staging = join(folder, 'staging');
  await mkdir(join(staging, 'base'), { recursive: true });
  if (hasCheckout) await stageCheckout(staging);
  await cp(base.metadataPath, join(staging, 'base/metadata.tar.gz'));
  await cp(base.rootfsPath, join(staging, 'base/rootfs.squashfs'));
  const path = join(folder, 'second.img');
  await makeImage(path, staging, '2G');
  await rm(staging, { recursive: true });
  return { path, baseImage: base.alias };
}

/**
 * Copies the present checkout and npm. The checkout is built and has its dependencies: a build in the machine would
 * take a quarter of an hour and test nothing of the machine.
 */
async function stageCheckout(staging: string): Promise<void> {
  const files = ['package.json', 'package-lock.json', 'tsconfig.json', 'README.md', 'CHANGELOG.md', 'LICENSE'];
  for (const name of [...files, 'src', 'proto', 'systemd', 'docs', '.ci', 'dist', 'node_modules']) {
    // Keep the times: src/bootstrap.mjs builds again if a source is newer than the build.
    await cp(join(repository, name), join(staging, 'checkout', name), {
      recursive: true,
      verbatimSymlinks: true,
      preserveTimestamps: true,
    });
  }
  await stageNpm(join(staging, 'npm'));
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

export interface MachineOptions {
  readonly say: (line: string) => void;
  /** Image of a third disk, /dev/vdc, which keeps its changes when the machine stops. */
  readonly dataDisk?: string;
  /** Whether another machine may have the data disk at the same time, as a cloud does it by mistake. Default: no. */
  readonly sharesDataDisk?: boolean;
  /** Whether it has the checkout and npm in /mnt, beside the base image. Default: yes. */
  readonly hasCheckout?: boolean;
  /** Address from which cloud-init gets user-data (NoCloud). Default: cloud-init does nothing. */
  readonly seed?: string;
}

/** Boots a machine and waits until its sshd accepts logins. The changes of its own disk are lost when it stops. */
export async function startMachine(options: MachineOptions): Promise<Machine> {
  const { say, dataDisk, sharesDataDisk = false, seed, hasCheckout = true } = options;
  const disk = await ensureDisk(say);
  const folder = await temporaryFolder();
  const checkout = await makeSecondDisk(folder, hasCheckout);
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
      ...['-kernel', disk.kernel, '-initrd', disk.initrd],
      '-append',
      `root=/dev/vda rw console=ttyS0 net.ifnames=0${seed === undefined ? '' : ` ds=nocloud-net;s=${seed}`}`,
      ...['-drive', `file=${disk.root},if=virtio,format=raw`, '-drive', `file=${checkout.path},if=virtio,format=raw`],
      ...(dataDisk === undefined
        ? []
        : [
            '-drive',
            `file=${dataDisk},if=virtio,format=raw,snapshot=off,file.locking=${sharesDataDisk ? 'off' : 'auto'}`,
          ]),
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
    const attempt = async (): Promise<Finished> =>
      finished(
        await execa('ssh', args, { input: stdin ?? '', reject: false, stripFinalNewline: false, timeout: timeoutMs }),
      );
    const first = await attempt();
    // sshd resets connections while it reads its configuration again. Nothing was run yet.
    return first.code === 255 && first.stderr.startsWith('kex_exchange_identification: ') ? attempt() : first;
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
