/**
 * Programs that tests download once and cache outside the tree: ssh-audit as a wheel, paramiko, a client built with Go,
 * and the OpenSSH client of a newer release. OpenSSH is unpacked and run with its own libraries, but not installed. The
 * cache is `CONTAINARIUM_TEST_CACHE`, or a folder in /var/cache for root, or a folder in the home. An entry gets its
 * final name only when it is complete.
 */
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { renderDeb822 } from '../../src/prepare/aptSources.ts';
import { readOsRelease, supportedRelease, type Release } from '../../src/prepare/release.ts';
import { releaseSources } from '../host/harness/baseImage.ts';

const cache =
  process.env['CONTAINARIUM_TEST_CACHE'] ??
  (process.getuid?.() === 0 ? '/var/cache/containarium-test' : join(homedir(), '.cache', 'containarium-test'));

/** Returns the folder `name` of the cache. Calls `fill` to make it if it is missing. */
export async function cached(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cache, name);
  const present = (): Promise<boolean> =>
    access(folder).then(
      () => true,
      () => false,
    );
  if (await present()) return folder;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, '.fetching-'));
  try {
    await fill(work);
    await rename(work, folder);
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    // Another worker may have been faster. Its folder is as good.
    if (!(await present())) throw error;
  }
  return folder;
}

/**
 * Version of ssh-audit, pinned because tests check its findings. It knows ML-KEM since 3.3, and warns about key
 * exchanges that are not post-quantum since 3.9.
 */
const auditVersion = '3.9.0';

export interface AuditOptions {
  /** Interrupts ssh-audit after this time: its load tests run until then. */
  readonly forMs?: number;
  /** Command prefix, for instance {@link inNetworkOf}. */
  readonly within?: readonly string[];
}

/** Runs ssh-audit (Python) directly from its wheel. Resolves to its output and exit code. */
export async function sshAudit(
  args: readonly string[],
  { forMs, within = [] }: AuditOptions = {},
): Promise<{ stdout: string; code: number }> {
  const folder = await cached(`ssh-audit-${auditVersion}`, async (work) => {
    await execa('python3', [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--disable-pip-version-check',
      '--no-deps',
      '--only-binary',
      ':all:',
      '--dest',
      work,
      `ssh-audit==${auditVersion}`,
    ]);
  });
  const [wheel = ''] = (await readdir(folder)).filter((name) => name.endsWith('.whl'));
  // With bash as the shell, it would draw its figures with control sequences.
  const [program = '', ...words] = [...within, 'python3', '-m', 'ssh_audit', ...args];
  const child = execa(program, words, {
    reject: false,
    detached: true,
    env: { PYTHONPATH: join(folder, wheel), PYTHONUNBUFFERED: '1', SHELL: '/bin/sh' },
  });
  // Signals the process group, as Ctrl-C in a terminal does, because its workers are processes of their own.
  const signal = (name: NodeJS.Signals): void => {
    if (child.pid !== undefined) process.kill(-child.pid, name);
  };
  const timers =
    forMs === undefined
      ? []
      : [setTimeout(() => signal('SIGINT'), forMs), setTimeout(() => signal('SIGKILL'), forMs + 10_000)];
  const { stdout, exitCode } = await child;
  for (const timer of timers) clearTimeout(timer);
  return { stdout, code: exitCode ?? -1 };
}

/** The next release with OpenSSH 10, by the release of the machine. */
const newer: Readonly<Record<string, string>> = { bookworm: 'trixie', noble: 'resolute' };

/** Returns the command (program and first arguments) of an OpenSSH 10 client, from this release or the next one. */
export async function opensshTen(): Promise<string[]> {
  const own = await execa('ssh', ['-V']);
  if (Number(/OpenSSH_(\d+)/.exec(own.stderr)?.[1]) >= 10) return ['ssh'];
  const machine = supportedRelease(await readOsRelease());
  const codename = newer[machine.codename];
  if (codename === undefined) throw new Error(`no release after ${machine.codename} is known to have OpenSSH 10`);
  const folder = await cached(`openssh-client-${codename}`, (work) =>
    unpack(work, { ...machine, codename }, ['openssh-client'], /^(openssh-client|lib)\S*\.deb$/),
  );
  const libraries = join(folder, 'usr', 'lib', await triplet(folder));
  const [loader = ''] = (await readdir(libraries)).filter((name) => /^ld-linux.*\.so\.\d+$/.test(name));
  return [join(libraries, loader), '--library-path', libraries, join(folder, 'usr', 'bin', 'ssh')];
}

/**
 * Downloads packages of a release with their dependencies, and unpacks those whose file names match `wanted` into
 * `work`. Installs nothing.
 */
async function unpack(work: string, release: Release, packages: readonly string[], wanted: RegExp): Promise<void> {
  const machine = supportedRelease(await readOsRelease());
  const apt = join(work, 'apt');
  for (const name of ['lists/partial', 'cache/archives/partial']) await mkdir(join(apt, name), { recursive: true });
  await writeFile(join(apt, 'status'), '');
  await writeFile(join(apt, 'some.sources'), (await releaseSources(machine, release)).map(renderDeb822).join('\n'));
  const options = [
    `Dir::State=${apt}`,
    `Dir::State::lists=${apt}/lists`,
    `Dir::State::status=${apt}/status`,
    `Dir::Cache=${apt}/cache`,
    `Dir::Etc::sourcelist=${apt}/some.sources`,
    'Dir::Etc::sourceparts=/dev/null',
    'APT::Sandbox::User=',
    'Acquire::Languages=none',
  ].flatMap((option) => ['-o', option]);
  await execa('apt-get', ['-qq', ...options, 'update']);
  // The list of installed packages is empty, so that all dependencies are downloaded.
  await execa(
    'apt-get',
    ['-qq', '-y', ...options, '--no-install-recommends', '--download-only', 'install', ...packages],
    { env: { DEBIAN_FRONTEND: 'noninteractive' } },
  );
  const archives = join(apt, 'cache', 'archives');
  for (const name of (await readdir(archives)).filter((each) => wanted.test(each)))
    await execa('dpkg-deb', ['-x', join(archives, name), work]);
  await rm(apt, { recursive: true });
}

/** Returns the name of the folder with the libraries of the architecture (Debian's multiarch triplet). */
async function triplet(folder: string): Promise<string> {
  const found = (await readdir(join(folder, 'usr', 'lib'))).find((name) => name.endsWith('-linux-gnu'));
  if (found === undefined) throw new Error(`no libraries in ${folder}`);
  return found;
}

/** This version has mlkem768x25519-sha256, in a third implementation beside OpenSSH's and ours. */
const paramikoVersion = '5.1.0';

/** Returns the folder with paramiko (Python) and its dependencies, for PYTHONPATH. */
export async function paramiko(): Promise<string> {
  const { stdout } = await execa('python3', ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])']);
  return cached(`paramiko-${paramikoVersion}-python-${stdout}`, async (work) => {
    await execa('python3', [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--root-user-action',
      'ignore',
      '--only-binary',
      ':all:',
      '--target',
      work,
      `paramiko==${paramikoVersion}`,
    ]);
  });
}

/**
 * Builds a Go program with the compiler and golang.org/x/crypto of this release, which are not kept. Resolves to the
 * path of the program.
 */
export async function goProgram(source: string): Promise<string> {
  const text = await readFile(source, 'utf8');
  const machine = supportedRelease(await readOsRelease());
  const folder = await cached(
    `go-${machine.codename}-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`,
    async (work) => {
      const tree = join(work, 'tree');
      await mkdir(tree);
      await unpack(tree, machine, ['golang-go', 'golang-golang-x-crypto-dev', 'golang-golang-x-term-dev'], /^golang-/);
      const [go = ''] = (await readdir(join(tree, 'usr', 'lib'))).filter((name) => /^go-\d/.test(name));
      const goRoot = join(tree, 'usr', 'lib', go);
      // Debian's library packages are made for GOPATH. Without cgo, no C compiler is needed.
      const env = {
        GOROOT: goRoot,
        GOPATH: join(tree, 'usr', 'share', 'gocode'),
        GOCACHE: join(work, 'cache'),
        GO111MODULE: 'off',
        CGO_ENABLED: '0',
        GOFLAGS: '',
        GOTOOLCHAIN: 'local',
      };
      await execa(join(goRoot, 'bin', 'go'), ['build', '-o', join(work, 'program'), source], { env });
      for (const name of ['tree', 'cache']) await rm(join(work, name), { recursive: true });
    },
  );
  return join(folder, 'program');
}
