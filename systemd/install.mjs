/**
 * Installs a built checkout as a system service: /opt/containarium, /usr/local/bin/containarium, the unit of core, the
 * settings of the front's unit, and the front's user.
 *
 *   sudo npm run service:install            installs or upgrades, then says how to start it
 *   npm run service:install -- --offline    takes the dependencies of the checkout, which are more than it needs, instead of fetching them
 *   npm run service:install -- --root DIR   the same below DIR, for packagers; nothing is enabled, and the user is sysusers.d's to make
 *
 * Where fail2ban is installed (/etc/fail2ban), it gets a filter and a jail for port 2222; a jail that is there already
 * is left as it is.
 *
 * Safe to repeat: that is how it is upgraded. A service that runs goes on as it was until it is restarted. State
 * (/var/lib/containarium) is never touched.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { patchInstalled } from '../src/front/patches/apply.mjs';

const source = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: { root: { type: 'string', default: '/' }, offline: { type: 'boolean', default: false } },
});
const root = values.root;
const inRoot = (path) => join(root, path);

if (root === '/' && process.getuid() !== 0) {
  console.error('Error: installing a service needs root (denied)\nNext: sudo npm run service:install');
  process.exit(4);
}
if (root === '/') {
  // Without these the service would be installed and could not start: core asks systemd for its front's unit over D-Bus
  // (src/core/front/unitFront.ts).
  const refuse = (why, next) => {
    console.error(`Error: the service was not installed: ${why} (program-missing)\nNext: ${next}`);
    process.exit(1);
  };
  if (!existsSync('/run/systemd/system'))
    refuse(
      'this machine does not run systemd',
      'sudo npm start, which does without; or --root DIR, to install for another machine',
    );
  if (!existsSync('/run/dbus/system_bus_socket'))
    refuse(
      'no message bus runs here, over which systemd is asked for the unit that speaks SSH',
      'sudo npm start -- --real, which installs what is missing; or apt-get install dbus',
    );
}

const target = inRoot('/opt/containarium');
const fresh = `${target}.new`;
rmSync(fresh, { recursive: true, force: true });
mkdirSync(fresh, { recursive: true });
// The front compares the patches with what ssh2 carries.
for (const name of ['package.json', 'package-lock.json', 'dist', join('src', 'front', 'patches')])
  cpSync(join(source, name), join(fresh, name), { recursive: true });
if (values.offline)
  cpSync(join(source, 'node_modules'), join(fresh, 'node_modules'), { recursive: true, verbatimSymlinks: true });
else console.log('Installing dependencies…');
const npm = values.offline
  ? { status: 0 }
  : spawnSync('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: fresh,
      stdio: 'inherit',
    });
try {
  if (npm.status !== 0) throw new Error('"npm ci" failed');
  // A copied installation is patched already.
  if (!values.offline) patchInstalled(fresh);
} catch (error) {
  rmSync(fresh, { recursive: true, force: true });
  console.error(`Error: ${error.message}; what was installed before is unchanged (program-failed)`);
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
writeFileSync(
  command,
  '#!/bin/sh\nexec /opt/containarium/node_modules/.bin/node /opt/containarium/dist/main.js "$@"\n',
);
chmodSync(command, 0o755);

const files = {
  'containarium.service': '/etc/systemd/system/containarium.service',
  'containarium-front.conf': '/etc/systemd/system/containarium-front.service.d/10-containarium.conf',
  'containarium.sysusers': '/usr/lib/sysusers.d/containarium.conf',
};
for (const [name, path] of Object.entries(files)) {
  mkdirSync(dirname(inRoot(path)), { recursive: true });
  cpSync(join(source, 'systemd', name), inRoot(path));
}
if (root === '/') {
  // Makes what is missing, and says what it made.
  const sysusers = spawnSync('systemd-sysusers', [files['containarium.sysusers']], { stdio: 'inherit' });
  if (sysusers.status !== 0) {
    console.error(
      'Error: the user "containarium-front" could not be made (program-failed)\nNext: systemd-sysusers; it comes with systemd',
    );
    process.exit(1);
  }
  // systemd would otherwise go on with the units as they were, and say so at every command.
  if (spawnSync('systemctl', ['daemon-reload'], { stdio: 'inherit' }).status !== 0) {
    console.error('Error: systemd did not read the units (program-failed)\nNext: systemctl daemon-reload');
    process.exit(1);
  }
}
const fail2ban = inRoot('/etc/fail2ban');
if (existsSync(fail2ban)) {
  for (const folder of ['filter.d', 'jail.d']) mkdirSync(join(fail2ban, folder), { recursive: true });
  cpSync(
    join(source, 'systemd', 'fail2ban', 'filter.d', 'containarium.conf'),
    join(fail2ban, 'filter.d', 'containarium.conf'),
  );
  // The jail is where an administrator puts their own port and times.
  const jail = join(fail2ban, 'jail.d', 'containarium.conf');
  if (!existsSync(jail)) cpSync(join(source, 'systemd', 'fail2ban', 'jail.d', 'containarium.conf'), jail);
  console.log(`Installed the filter and the jail for port 2222 in ${fail2ban}; next: systemctl reload fail2ban`);
}
console.log(`Installed ${[target, command, ...Object.values(files).map(inRoot)].join(', ')}`);
if (root === '/') {
  // "enable --now" does nothing to a service that runs: it would go on with the program that has just been replaced.
  const runs = spawnSync('systemctl', ['is-active', '--quiet', 'containarium.service']).status === 0;
  console.log(
    `Next: ${runs ? 'systemctl restart containarium, which waits for what is at work' : 'systemctl enable --now containarium'}`,
  );
}
