/**
 * A virtual machine for tests, in software (qemu's TCG), some twenty times slower than the processor: that works
 * everywhere. Hardware is not tried: there are machines whose /dev/kvm opens, makes a virtual machine, and then does
 * not get through the start of Debian's kernel.
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
  /** Alias of the base image whose files are in /mnt/base. The checkout is in /mnt/checkout. */
  readonly baseImage: string;
  /** Runs a command line in the machine as root. */
  run(command: string, options?: { readonly stdin?: string; readonly timeoutMs?: number }): Promise<Finished>;
  /** Restarts it in the orderly way, and waits until it lets us in again. What is on its disk stays. */
  reboot(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A disk with the checkout as it is now, npm, and a base image: what the machine's own disk does not have. The checkout
 * is a built one, with its dependencies: to build it in the machine takes a quarter of an hour and says nothing of the
 * machine.
 */
async function makeCheckoutDisk(folder: string): Promise<{ path: string; baseImage: string }> {
  const base = await ensureBaseImage();
  const staging = join(folder, 'staging');
  await mkdir(join(staging, 'base'), { recursive: true });
  for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', 'src', 'systemd', 'dist', 'node_modules']) {
    // With their times: src/bootstrap.mjs builds where a source is newer than the build.
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

/** npm as this machine has it, with where it fetches from, and the certificates that it trusts there. */
async function stageNpm(folder: string): Promise<void> {
  const program = process.env['npm_execpath'];
  if (program === undefined)
    throw new Failure('settings', {
      what: 'the virtual machine',
      why: 'it gets the npm that starts the tests',
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

/** Boots one, and waits until its sshd lets us in. What it writes is lost when it stops. */
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
    // The connection is cut by it.
    await run('systemctl reboot');
    await up(before);
  };
  await up('');
  return { baseImage: checkout.baseImage, run, reboot, stop };
}
