/**
 * Installs a built checkout as a system service: /opt/containarium, /usr/local/bin/containarium, the units of core and of
 * the firewall, the settings of the units that serve clients, and their users. systemd/uninstall.mjs removes them.
 *
 *   sudo npm run service:install            installs or upgrades, then prints how to start it
 *   npm run service:install -- --offline    copies the checkout's dependencies, development ones included, instead of
 *                                           fetching them
 *   npm run service:install -- --root DIR   installs below DIR, for packagers; does not create the user (sysusers.d(5))
 *
 * If fail2ban is installed (/etc/fail2ban), it gets a filter and a jail for port 2222 and for the remote interface. An
 * existing jail is kept.
 *
 * Safe to repeat, which is how to upgrade. A running service keeps its old version until it is restarted. State
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
  // Without systemd and D-Bus the service could not start: core asks systemd for the front's unit over D-Bus
  // (src/core/processes/unitStarter.ts).
  const refuse = (why, next) => {
    console.error(`Error: service not installed: ${why} (program-missing)\nNext: ${next}`);
    process.exit(1);
  };
  if (!existsSync('/run/systemd/system'))
    refuse(
      'this machine does not run systemd',
      'sudo npm start, which does not need it; or --root DIR, to install for another machine',
    );
  if (!existsSync('/run/dbus/system_bus_socket'))
    refuse(
      'this machine does not run D-Bus, which the service needs to start its SSH server',
      'sudo npm start -- --real, which installs it; or apt-get install dbus',
    );
}

const target = inRoot('/opt/containarium');
const fresh = `${target}.new`;
rmSync(fresh, { recursive: true, force: true });
mkdirSync(fresh, { recursive: true });
// The front compares the patches with the installed ssh2.
for (const name of ['package.json', 'package-lock.json', 'dist', 'proto', join('src', 'front', 'patches')])
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
  // Copied dependencies are already patched.
  if (!values.offline) patchInstalled(fresh);
} catch (error) {
  rmSync(fresh, { recursive: true, force: true });
  console.error(`Error: ${error.message}; the installed version is unchanged (program-failed)`);
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
  'containarium-firewall.service': '/etc/systemd/system/containarium-firewall.service',
  'containarium-front.conf': '/etc/systemd/system/containarium-front.service.d/10-containarium.conf',
  'containarium-remote.conf': '/etc/systemd/system/containarium-remote.service.d/10-containarium.conf',
  '80-containarium.rules': '/usr/lib/udev/rules.d/80-containarium.rules',
  'containarium.sysusers': '/usr/lib/sysusers.d/containarium.conf',
};
for (const [name, path] of Object.entries(files)) {
  mkdirSync(dirname(inRoot(path)), { recursive: true });
  cpSync(join(source, 'systemd', name), inRoot(path));
}
if (root === '/') {
  // Creates the users if they are missing, and prints what it created.
  const sysusers = spawnSync('systemd-sysusers', [files['containarium.sysusers']], { stdio: 'inherit' });
  if (sysusers.status !== 0) {
    console.error(
      'Error: the users of the service could not be created (program-failed)\nNext: systemd-sysusers, which is part of systemd',
    );
    process.exit(1);
  }
  // Otherwise systemd would keep the old units and warn at every command.
  if (spawnSync('systemctl', ['daemon-reload'], { stdio: 'inherit' }).status !== 0) {
    console.error('Error: systemd did not reload its units (program-failed)\nNext: systemctl daemon-reload');
    process.exit(1);
  }
  // It only loads a file that core has written, and has no effect before that.
  if (
    spawnSync('systemctl', ['enable', '--quiet', 'containarium-firewall.service'], { stdio: 'inherit' }).status !== 0
  ) {
    console.error(
      'Error: the firewall would not be loaded at boot (program-failed)\nNext: systemctl enable containarium-firewall.service',
    );
    process.exit(1);
  }
}
const fail2ban = inRoot('/etc/fail2ban');
if (existsSync(fail2ban)) {
  for (const folder of ['filter.d', 'jail.d']) mkdirSync(join(fail2ban, folder), { recursive: true });
  for (const name of ['containarium.conf', 'containarium-remote.conf']) {
    cpSync(join(source, 'systemd', 'fail2ban', 'filter.d', name), join(fail2ban, 'filter.d', name));
    // Keep an existing jail: administrators set their own port and times in it.
    const jail = join(fail2ban, 'jail.d', name);
    if (!existsSync(jail)) cpSync(join(source, 'systemd', 'fail2ban', 'jail.d', name), jail);
  }
  console.log(`Installed filters and jails for both servers in ${fail2ban}. Next: systemctl reload fail2ban`);
}
console.log(`Installed ${[target, command, ...Object.values(files).map(inRoot)].join(', ')}`);
if (root === '/') {
  // "enable --now" does not restart a running service, which would keep running the old version.
  const runs = spawnSync('systemctl', ['is-active', '--quiet', 'containarium.service']).status === 0;
  console.log(
    `Next: ${runs ? 'systemctl restart containarium, which waits for running operations' : 'systemctl enable --now containarium'}`,
  );
}
