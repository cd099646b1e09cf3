/** Makes this machine ready for the tests on a real Incus, or returns the reason why it cannot. */
import { access, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { Failure } from '../../../src/domain/failure.ts';
import { installPackages, kernelHas, missingPackages } from '../../../src/prepare/packages.ts';
import { readOsRelease, supportedRelease } from '../../../src/prepare/release.ts';

/**
 * Packages that the tests need in addition to a jump host's: for the real Incus, for terminals, for the client matrix,
 * for its log, and for completion.
 */
const testPackages = [
  'debootstrap',
  'tmux',
  'btrfs-progs',
  'putty-tools',
  'dropbear-bin',
  'python3',
  'python3-pip',
  'fail2ban',
  'zsh',
  'fish',
];

async function consents(question: string): Promise<boolean> {
  if (process.env['CI'] === 'true' || process.env['CONTAINARIUM_TEST_INSTALL'] === 'yes') return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^\s*y(es)?\s*$/i.test(await lines.question(`${question} [y/N] `));
  } finally {
    lines.close();
  }
}

/** Reports whether this process may mount: CAP_SYS_ADMIN is bit 21 of the effective set (capabilities(7)). */
async function mayMount(): Promise<boolean> {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> 21n) & 1n) === 1n;
}

/**
 * Installs the missing packages after asking on a terminal; `CI=true` or `CONTAINARIUM_TEST_INSTALL=yes` answers yes.
 * `more` are packages that only some tests need.
 *
 * @returns `undefined` if the tests can run, else the reason why they are skipped, as one sentence
 */
export async function ensurePackages(
  say: (line: string) => void = (line) => void process.stderr.write(`${line}\n`),
  more: readonly string[] = [],
): Promise<string | undefined> {
  // `npm test` asks once, on its terminal, and passes the answer to the tests.
  const known = process.env['CONTAINARIUM_TEST_HOST_SKIP'];
  if (known !== undefined && known !== '') return known;
  if (process.getuid?.() !== 0) return 'tests on a real Incus need root.';
  if (!(await mayMount())) return 'tests on a real Incus need the right to mount file systems (CAP_SYS_ADMIN).';
  if (!(await kernelHas('btrfs'))) return 'tests on a real Incus need a kernel with btrfs.';
  if (
    !(await access('/dev/loop-control').then(
      () => true,
      () => false,
    ))
  )
    return 'tests on a real Incus need loop devices (/dev/loop-control).';
  try {
    const release = supportedRelease(await readOsRelease());
    const missing = await missingPackages([...testPackages, ...more]);
    const names = [...(missing.incus ? ['incus'] : []), ...missing.others];
    if (names.length === 0) return undefined;
    if (!(await consents(`Install ${names.join(', ')} with apt-get, for tests on a real Incus?`))) {
      return `tests on a real Incus need ${names.join(', ')} (CONTAINARIUM_TEST_INSTALL=yes installs them).`;
    }
    await installPackages({ release, say, missing });
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return `tests on a real Incus cannot run: ${error.what}: ${error.why}.`;
    throw error;
  }
}
