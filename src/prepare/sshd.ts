/**
 * Installs the drop-in for the jump accounts in the host's own sshd. The configuration is tested before sshd reads it,
 * and the previous file is restored if the test fails: a mistake here must never lock an administrator out.
 */
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { Failure } from '../domain/failure.ts';
import { defaultSshdConfig } from '../settings/types.ts';
import { hasSystemd } from './daemon.ts';
import { run, succeeds } from './programs.ts';
import { renderSshdDropIn } from './sshdDropIn.ts';
import type { SshdDropIn } from './sshdDropIn.ts';

/** Before `50-cloud-init.conf` of cloud machines, which may allow passwords: of two values sshd takes the first. */
const dropInPath = `${defaultSshdConfig}.d/10-containarium.conf`;

/** Where versions up to 0.2.0 wrote it. */
const formerPath = `${defaultSshdConfig}.d/50-containarium.conf`;

/** The files of the drop-in folder, as an `Include` names them. */
const dropInPattern = /[\s="](?:\/etc\/ssh\/)?sshd_config\.d\/\*(?:\.conf)?"?(?:\s|$)/i;

/** Reports whether sshd_config includes its drop-in folder before any `Match`, which makes an include conditional. */
export function includesDropIns(mainConfig: string): boolean {
  for (const line of mainConfig.split('\n')) {
    if (/^\s*Match\b/i.test(line)) return false;
    if (/^\s*Include[\s=]/i.test(line) && dropInPattern.test(line)) return true;
  }
  return false;
}

async function readIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function refused(error: unknown): Failure {
  const why = error instanceof Failure ? error.why : String(error);
  return new Failure(
    'settings',
    {
      what: 'the sshd configuration',
      why: `"sshd -t" rejects it: ${why}`,
      next: `correct ${defaultSshdConfig} and its drop-ins, and start again`,
    },
    error,
  );
}

/** Returns the process id of the running sshd, or `undefined`. A pid file may be stale, so check the process's name. */
async function sshdPid(): Promise<number | undefined> {
  const pid = Number((await readIfExists('/run/sshd.pid'))?.trim());
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  return (await readIfExists(`/proc/${pid}/comm`))?.trim() === 'sshd' ? pid : undefined;
}

/** Reports whether the machine's sshd runs or, with socket activation, would answer. */
async function sshdRuns(): Promise<boolean> {
  if (await hasSystemd()) {
    const units = await Promise.all(
      ['ssh.service', 'ssh.socket'].map((unit) => succeeds('systemctl', ['is-active', '--quiet', unit])),
    );
    return units.some(Boolean);
  }
  return (await sshdPid()) !== undefined;
}

async function reload(say: (line: string) => void): Promise<void> {
  if (await hasSystemd()) {
    if (await succeeds('systemctl', ['is-active', '--quiet', 'ssh.service'])) {
      say('Reloading sshd');
      await run('systemctl', ['reload', 'ssh.service']);
    } else if (!(await succeeds('systemctl', ['is-active', '--quiet', 'ssh.socket']))) {
      say('sshd is not running: users cannot reach their containers until it is ("systemctl enable --now ssh")');
    }
    return;
  }
  const pid = await sshdPid();
  if (pid === undefined) {
    say('sshd is not running: users cannot reach their containers until it is');
    return;
  }
  say('Reloading sshd');
  process.kill(pid, 'SIGHUP');
}

/** Compares the drop-in on this machine with the one for these settings. */
async function dropInState(settings: SshdDropIn): Promise<'current' | 'different' | 'missing'> {
  const [present, former] = await Promise.all([dropInPath, formerPath].map(readIfExists));
  if (present === undefined) return 'missing';
  return present === renderSshdDropIn(settings) && former === undefined ? 'current' : 'different';
}

/** Tests a drop-in together with the machine's configuration, without installing it. */
async function testCandidate(text: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'containarium-sshd-'));
  try {
    const candidate = join(folder, 'candidate.conf');
    await writeFile(candidate, text, { mode: 0o600 });
    const main = join(folder, 'sshd_config');
    await writeFile(main, `Include ${candidate}\nInclude ${defaultSshdConfig}\n`, { mode: 0o600 });
    await run('sshd', ['-t', '-f', main]);
  } catch (error) {
    throw refused(error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Creates the authorized_keys folder, installs the drop-in if it differs, and reloads a running sshd. `note` is said
 * when the drop-in is written.
 */
export async function installSshdDropIn(
  { note, ...settings }: SshdDropIn & { readonly note?: string },
  say: (line: string) => void,
): Promise<void> {
  // sshd's StrictModes requires the folder to be owned and writable by root alone; sshd reads its files as the account.
  await mkdir(settings.authorizedKeysFolder, { recursive: true, mode: 0o755 });
  await chown(settings.authorizedKeysFolder, 0, 0);
  await chmod(settings.authorizedKeysFolder, 0o755);
  // `sshd -t` needs its privilege separation folder, which only a started unit creates.
  await mkdir('/run/sshd', { recursive: true, mode: 0o755 });

  const main = await readFile(defaultSshdConfig, 'utf8');
  if (!includesDropIns(main)) {
    throw new Failure('settings', {
      what: defaultSshdConfig,
      why: 'it does not include its drop-in folder, so jump accounts would get the settings of ordinary accounts',
      next: `put "Include ${defaultSshdConfig}.d/*.conf" at its top, and start again`,
    });
  }
  if ((await dropInState(settings)) === 'current') {
    if (!(await sshdRuns())) await reload(say);
    return;
  }
  const text = renderSshdDropIn(settings);
  await testCandidate(text);
  say(`Writing ${dropInPath}: jump accounts can reach their own container and nothing else`);
  if (note !== undefined) say(note);
  const before = await readIfExists(dropInPath);
  await mkdir(dirname(dropInPath), { recursive: true });
  await writeFileAtomic(dropInPath, text, { mode: 0o644 });
  try {
    await run('sshd', ['-t']);
  } catch (error) {
    if (before === undefined) await rm(dropInPath, { force: true });
    else await writeFileAtomic(dropInPath, before, { mode: 0o644 });
    throw refused(error);
  }
  await rm(formerPath, { force: true });
  await reload(say);
}
