/**
 * Keeps the host keys of the machine's own sshd on the data disk. A machine with a new boot disk gets them back, so
 * that users see no warning about the jump host.
 */
import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { exists } from '../../prepare/files.ts';
import { run, succeeds } from '../../prepare/programs.ts';
import type { Say } from '../step/step.ts';

const sshFolder = '/etc/ssh';
const keptFolder = '/var/lib/containarium/sshd-host-keys';
const keyFile = /^ssh_host_[a-z0-9]+_key(?:\.pub)?$/;

async function keyFiles(folder: string): Promise<string[]> {
  return (await exists(folder)) ? (await readdir(folder)).filter((name) => keyFile.test(name)).sort() : [];
}

/** Stores the keys of this machine, if none are stored; else gives this machine the stored ones. */
export async function keepSshdKeys(say: Say): Promise<void> {
  const kept = await keyFiles(keptFolder);
  if (kept.length === 0) {
    await mkdir(keptFolder, { recursive: true, mode: 0o700 });
    for (const name of await keyFiles(sshFolder)) await copyFile(join(sshFolder, name), join(keptFolder, name));
    return;
  }
  let changed = false;
  for (const name of kept) {
    const text = await readFile(join(keptFolder, name), 'utf8');
    const path = join(sshFolder, name);
    if ((await exists(path)) && (await readFile(path, 'utf8')) === text) continue;
    if (!changed) say('Giving sshd the host keys that are on the data disk');
    changed = true;
    await writeFileAtomic(path, text, { mode: name.endsWith('.pub') ? 0o644 : 0o600 });
  }
  if (!changed) return;
  await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  await run('sshd', ['-t']);
  if (await succeeds('systemctl', ['is-active', '--quiet', 'ssh.service']))
    await run('systemctl', ['reload', 'ssh.service']);
}
