/** Runs the real fail2ban, without its daemon, with the shipped filter. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { repository } from './server.ts';

/** Returns the addresses that the filter finds in `log`, one for each line that it counts as a failure. */
export async function failuresIn(log: string, folder: string): Promise<string[]> {
  const path = join(folder, 'log');
  await writeFile(path, log);
  const filter = join(repository, 'systemd', 'fail2ban', 'filter.d', 'containarium.conf');
  const { stdout } = await execa('fail2ban-regex', ['--out', '<ip>', path, filter]);
  return stdout.split('\n').filter((line) => line !== '');
}
