/** Where an installation has its files. */
import { join } from 'node:path';
import { installedProgram } from '../../settings/home.ts';

/** The folder of all installed releases. `installedProgram` is a symbolic link to one of them. */
export const releasesFolder = '/opt/containarium-releases';

/** Every account reads what is installed, and root alone writes it, whatever the umask of the caller is. */
export const installersUmask = 0o022;

export const installedCommand = '/usr/local/bin/containarium';

export const serviceUnit = 'containarium.service';
export const firewallUnit = 'containarium-firewall.service';

/** The text of {@link installedCommand}. */
export const commandText = `#!/bin/sh\nexec ${installedProgram}/node_modules/.bin/node ${installedProgram}/dist/main.js "$@"\n`;

/** Files of systemd/ in a release, and where the system expects them. */
export const systemFiles = {
  'containarium.service': `/etc/systemd/system/${serviceUnit}`,
  'containarium-firewall.service': `/etc/systemd/system/${firewallUnit}`,
  'containarium-front.conf': '/etc/systemd/system/containarium-front.service.d/10-containarium.conf',
  'containarium-remote.conf': '/etc/systemd/system/containarium-remote.service.d/10-containarium.conf',
  '80-containarium.rules': '/usr/lib/udev/rules.d/80-containarium.rules',
  'containarium.sysusers': '/usr/lib/sysusers.d/containarium.conf',
} as const;

export const fail2banFolder = '/etc/fail2ban';

/** Filters and jails of fail2ban, by their file names in filter.d and jail.d. */
export const fail2banNames = ['containarium.conf', 'containarium-remote.conf'] as const;

/** Returns where a path of the system lies below the root that is installed into. */
export function below(root: string, path: string): string {
  return join(root, path);
}
