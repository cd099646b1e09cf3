/**
 * Installs a built checkout as a system service: /opt/containarium, /usr/local/bin/containarium and the unit.
 *
 *   sudo npm run service:install            installs or upgrades, then says how to start it
 *   npm run service:install -- --root DIR   the same below DIR, for packagers; nothing is enabled
 *
 * Safe to repeat. State (/var/lib/containarium) is never touched.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const source = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({ options: { root: { type: 'string', default: '/' } } });
const root = values.root;
const inRoot = (path) => join(root, path);

if (root === '/' && process.getuid() !== 0) {
  console.error('Error: installing a service needs root (denied)\nNext: sudo npm run service:install');
  process.exit(4);
}

const target = inRoot('/opt/containarium');
const fresh = `${target}.new`;
rmSync(fresh, { recursive: true, force: true });
mkdirSync(fresh, { recursive: true });
for (const name of ['package.json', 'package-lock.json', 'dist']) cpSync(join(source, name), join(fresh, name), { recursive: true });
console.log('Installing dependencies…');
const npm = spawnSync('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: fresh, stdio: 'inherit' });
if (npm.status !== 0) {
  rmSync(fresh, { recursive: true, force: true });
  console.error('Error: "npm ci" failed; what was installed before is unchanged (program-failed)');
  process.exit(1);
}
rmSync(`${target}.old`, { recursive: true, force: true });
try {
  renameSync(target, `${target}.old`);
} catch (error) {
  if (error.code !== 'ENOENT') throw error;
}
renameSync(fresh, target);
rmSync(`${target}.old`, { recursive: true, force: true });

const command = inRoot('/usr/local/bin/containarium');
mkdirSync(dirname(command), { recursive: true });
writeFileSync(command, '#!/bin/sh\nexec /opt/containarium/node_modules/.bin/node /opt/containarium/dist/main.js "$@"\n');
chmodSync(command, 0o755);

const unit = inRoot('/etc/systemd/system/containarium.service');
mkdirSync(dirname(unit), { recursive: true });
cpSync(join(source, 'systemd', 'containarium.service'), unit);
console.log(`Installed ${target}, ${command} and ${unit}`);
if (root === '/') console.log('Next: systemctl daemon-reload && systemctl enable --now containarium');
