/**
 * Installs a checkout as the service: makes a release of it in a temporary folder, and runs its installer.
 *
 *   sudo npm run service:install               installs or upgrades, then prints how to start it
 *   sudo npm run service:install -- --offline  copies the checkout's dependencies, development ones included, instead of
 *                                              fetching them
 *   npm run service:install -- --root DIR      installs below DIR, for packagers; creates no user (sysusers.d(5))
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stage } from './release/stage.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({ options: { root: { type: 'string' }, offline: { type: 'boolean', default: false } } });
if (values.root === undefined && process.getuid() !== 0) {
  console.error('Error: installing a service needs root (denied)\nNext: sudo npm run service:install');
  process.exit(4);
}
// install.sh runs nothing as root below a folder where others can write, such as /tmp.
const folder = mkdtempSync(join(process.getuid() === 0 ? '/var/cache' : tmpdir(), 'containarium-release-'));
try {
  const { offline } = values;
  console.log(offline ? 'Copying the program…' : 'Installing dependencies…');
  stage({ root, folder, arch: process.arch, time: new Date(), compile: false, offline });
  const options = values.root === undefined ? [] : ['--root', values.root];
  const { status } = spawnSync(join(folder, 'install.sh'), ['--program-only', ...options], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} catch (error) {
  console.error(`Error: ${error.message}; the installed version is unchanged (program-failed)`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
