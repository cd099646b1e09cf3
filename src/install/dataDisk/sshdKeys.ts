/**
 * Keeps the host keys of the machine's own sshd on the data disk. A machine with a new boot disk gets them back, so
 * that users see no warning about the jump host. On the machine that they came from its own keys count: an admin may
 * have made new ones, because the old ones were stolen.
 */
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { exists } from '../../prepare/files.ts';
import { run, succeeds } from '../../prepare/programs.ts';
import type { Say } from '../step/step.ts';

const keyFile = /^ssh_host_[a-z0-9]+_key(?:\.pub)?$/;

/** The file of a stored set that says from which machine it is. */
const originFile = 'machine';

interface SshdKeyPlaces {
  readonly sshFolder: string;
  readonly keptFolder: string;
  /** Returns what tells this machine from others. */
  readonly machine: () => Promise<string>;
  /** Has sshd use the keys that were written. */
  readonly reload: () => Promise<void>;
}

const thisMachine: SshdKeyPlaces = {
  sshFolder: '/etc/ssh',
  keptFolder: '/var/lib/containarium/sshd-host-keys',
  // An image may bring along a machine id, but not the host id that ensureHostId has made for the machine.
  machine: async () => {
    const machineId = (await readFile('/etc/machine-id', 'utf8')).trim();
    const hostId = (await exists('/etc/hostid')) ? (await readFile('/etc/hostid')).toString('hex') : '';
    return `${machineId} ${hostId}\n`;
  },
  reload: async () => {
    await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
    await run('sshd', ['-t']);
    if (await succeeds('systemctl', ['is-active', '--quiet', 'ssh.service']))
      await run('systemctl', ['reload', 'ssh.service']);
  },
};

type Files = ReadonlyMap<string, string>;

async function keysIn(folder: string): Promise<Files> {
  if (!(await exists(folder))) return new Map();
  const names = (await readdir(folder)).filter((name) => keyFile.test(name)).sort();
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)),
  );
}

/** Stores the keys of this machine, unless those of another one are stored: then gives this machine the stored ones. */
export async function keepSshdKeys(say: Say, places: SshdKeyPlaces = thisMachine): Promise<void> {
  const { sshFolder, keptFolder } = places;
  const aside = `${keptFolder}.before`;
  // What replaced it was cut between its two renames.
  if (!(await exists(keptFolder)) && (await exists(aside))) await rename(aside, keptFolder);
  const kept = await keysIn(keptFolder);
  const present = await keysIn(sshFolder);
  const origin = join(keptFolder, originFile);
  const machine = await places.machine();
  const isOwn = (await exists(origin)) && (await readFile(origin, 'utf8')) === machine;
  // A machine that has lost its own keys gets them back like another one.
  if (kept.size > 0 && (!isOwn || present.size === 0)) await give(kept, present, say, places);
  const now = await keysIn(sshFolder);
  if (isOwn && isSame(now, kept)) return;
  if (now.size > 0) await store(new Map([...now, [originFile, machine]]), keptFolder, aside);
}

async function give(kept: Files, present: Files, say: Say, { sshFolder, reload }: SshdKeyPlaces): Promise<void> {
  const differing = [...kept].filter(([name, text]) => present.get(name) !== text);
  if (differing.length === 0) return;
  say('Giving sshd the host keys that are on the data disk');
  for (const [name, text] of differing)
    await writeFileAtomic(join(sshFolder, name), text, { mode: name.endsWith('.pub') ? 0o644 : 0o600 });
  await reload();
}

function isSame(some: Files, others: Files): boolean {
  return some.size === others.size && [...some].every(([name, text]) => others.get(name) === text);
}

/** Replaces the stored set as a whole: half a set would take the good keys of the next machine. */
async function store(files: Files, folder: string, aside: string): Promise<void> {
  const fresh = `${folder}.new`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true, mode: 0o700 });
  for (const [name, text] of files) await writeFileAtomic(join(fresh, name), text, { mode: 0o600 });
  // The names in the folders too: writeFileAtomic flushes the content alone.
  await run('sync', [fresh]);
  await rm(aside, { recursive: true, force: true });
  if (await exists(folder)) await rename(folder, aside);
  await rename(fresh, folder);
  await run('sync', [join(folder, '..')]);
  await rm(aside, { recursive: true, force: true });
}
