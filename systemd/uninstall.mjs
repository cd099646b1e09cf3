/**
 * Removes what `npm run service:install` installed, and the firewall from the kernel.
 *
 *   sudo npm run service:uninstall
 *
 * Containers, jump accounts, the sshd drop-in that restricts them, and the state (/var/lib/containarium) stay: people
 * reach their containers as before. Without the firewall, containers can reach this host and its networks. Safe to
 * repeat.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';

if (process.getuid() !== 0) {
  console.error('Error: removing a service needs root (denied)\nNext: sudo npm run service:uninstall');
  process.exit(4);
}

/** Runs a program. Returns its output; ends this program if it fails. */
function run(program, args, input = '') {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, encoding: 'utf8' });
  if (status === 0) return stdout;
  console.error(`Error: ${program} ${args.join(' ')}: ${error?.message ?? stderr.trim()} (program-failed)`);
  process.exit(1);
}

const units = ['containarium.service', 'containarium-firewall.service'];
// Units that are not installed make "disable" fail, and there is nothing to disable then.
const known = units.filter((unit) => spawnSync('systemctl', ['cat', unit], { stdio: 'ignore' }).status === 0);
if (known.length > 0) run('systemctl', ['disable', '--quiet', '--now', ...known]);

const files = [
  '/etc/systemd/system/containarium.service',
  '/etc/systemd/system/containarium-firewall.service',
  '/etc/systemd/system/containarium-front.service.d',
  '/etc/systemd/system/containarium-remote.service.d',
  '/usr/lib/udev/rules.d/80-containarium.rules',
  '/usr/lib/sysusers.d/containarium.conf',
  '/usr/local/bin/containarium',
  '/opt/containarium',
  '/var/lib/containarium/firewall.nft',
];
for (const path of files) rmSync(path, { recursive: true, force: true });
run('systemctl', ['daemon-reload']);

// Without nftables there is no firewall either.
if (spawnSync('nft', ['--version']).error?.code !== 'ENOENT') {
  const { nftables } = JSON.parse(run('nft', ['--json', 'list', 'tables']));
  const tables = nftables.flatMap(({ table }) => (/^containarium_/.test(table?.name ?? '') ? [table] : []));
  run('nft', ['-f', '-'], tables.map(({ family, name }) => `delete table ${family} ${name}\n`).join(''));
}

console.log('Removed the service and its firewall. Containers can now reach this host and its networks.');
console.log('Kept: containers, jump accounts, the sshd drop-in, fail2ban settings, and /var/lib/containarium.');
