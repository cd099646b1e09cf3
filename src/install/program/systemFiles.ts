/** Puts the units and the other files of a release where the system expects them. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { exists } from '../../prepare/files.ts';
import { run } from '../../prepare/programs.ts';
import { below, fail2banFolder, fail2banNames, firewallUnit, systemFiles } from './layout.ts';

/** Returns the paths of the files that differ from those of the release in `folder`. */
export async function differingFiles(root: string, folder: string): Promise<string[]> {
  const differing: string[] = [];
  for (const [name, path] of Object.entries(systemFiles)) {
    const target = below(root, path);
    const isSame =
      (await exists(target)) &&
      (await readFile(target, 'utf8')) === (await readFile(join(folder, 'systemd', name), 'utf8'));
    if (!isSame) differing.push(path);
  }
  return differing;
}

/** Copies the files of the release in `folder`, and has systemd read them if `root` is the system's own. */
export async function installSystemFiles(root: string, folder: string): Promise<void> {
  for (const [name, path] of Object.entries(systemFiles))
    await copied(join(folder, 'systemd', name), below(root, path));
  await installFail2banFiles(root, folder);
  if (root !== '/') return;
  // Creates the users if they are missing.
  await run('systemd-sysusers', [systemFiles['containarium.sysusers']], { outlivesTerminal: true });
  await run('systemctl', ['daemon-reload'], { outlivesTerminal: true });
  // Where fail2ban runs, it reads the jails now.
  await run('systemctl', ['try-reload-or-restart', 'fail2ban.service'], { allowExit: 'any', outlivesTerminal: true });
  // It only loads a file that core has written, and has no effect before that.
  await run('systemctl', ['enable', '--quiet', firewallUnit], { outlivesTerminal: true });
}

/** Gives fail2ban, where it is installed, filters and jails. An existing jail is kept: it may have another port. */
async function installFail2banFiles(root: string, folder: string): Promise<void> {
  const target = below(root, fail2banFolder);
  if (!(await exists(target))) return;
  const source = join(folder, 'systemd', 'fail2ban');
  for (const name of fail2banNames) {
    await copied(join(source, 'filter.d', name), join(target, 'filter.d', name));
    const jail = join(target, 'jail.d', name);
    if (!(await exists(jail))) await copied(join(source, 'jail.d', name), jail);
  }
}

/** Copies the content of a file. Root reads it, and nobody else may write it, whatever its mode was. */
async function copied(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o755 });
  await writeFileAtomic(target, await readFile(source), { mode: 0o644 });
}
