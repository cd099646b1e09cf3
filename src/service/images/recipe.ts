/** The recipe for a prepared image: the files and commands that are applied to a base image, as data. */
import { createHash } from 'node:crypto';
import { addressFiles } from './fixedAddress.ts';

/** The script of the first boot, which marks a container as made from a prepared image. */
export const firstBootPath = '/etc/containarium/first-boot';

interface RecipeFile {
  readonly path: string;
  readonly mode: string;
  readonly content: string;
}

export interface Recipe {
  /** Written before anything is installed. */
  readonly before: readonly RecipeFile[];
  /** Argument vectors that run in the instance as root, in order. */
  readonly install: readonly (readonly string[])[];
  readonly files: readonly RecipeFile[];
  readonly finish: readonly (readonly string[])[];
}

/**
 * Creates the user that was seeded while the container was stopped. Runs once, before sshd. If it fails, sshd does not
 * start, so that an unfinished container never counts as ready. The recipe's id covers this text, comments included.
 */
const firstBootScript = `#!/bin/sh
# Written by containarium: makes the user of this container from what was seeded before the first start.
set -eu
seed=/etc/containarium/seed
user=$(cat "$seed/user")
name=$(cat "$seed/name")
printf '%s\\n' "$name" > /etc/hostname
hostname "$name"
grep -q "^127.0.1.1[[:space:]]" /etc/hosts || printf '127.0.1.1 %s\\n' "$name" >> /etc/hosts
id "$user" > /dev/null 2>&1 || useradd --create-home --shell /bin/bash --password '*' "$user"
usermod --append --groups sudo "$user"
umask 0227
printf '%s ALL=(ALL) NOPASSWD:ALL\\n' "$user" > "/etc/sudoers.d/90-containarium"
umask 0022
if [ "$(cat "$seed/docker")" = yes ]; then
  if getent group docker > /dev/null; then usermod --append --groups docker "$user"; fi
  # On btrfs Docker would choose a driver whose subvolumes the disk limit does not count; overlay2 stays below it.
  if [ "$(stat --file-system --format %T /)" = btrfs ] && [ ! -e /etc/docker/daemon.json ]; then
    mkdir -p /etc/docker
    printf '{"storage-driver": "overlay2"}\\n' > /etc/docker/daemon.json
  fi
elif [ -e /lib/systemd/system/docker.service ]; then
  systemctl mask --now docker.service docker.socket containerd.service
fi
systemd-machine-id-setup > /dev/null 2>&1 || true
mv "$seed/user" "$seed/done"
`;

const firstBootUnit = `[Unit]
Description=Containarium: make the user that was seeded
ConditionPathExists=/etc/containarium/seed/user
Before=ssh.service docker.service containerd.service

[Service]
Type=oneshot
ExecStart=${firstBootPath}
RemainAfterExit=yes

[Install]
WantedBy=multi-user.target
RequiredBy=ssh.service
`;

/**
 * Keeps packages from starting their services during installation (invoke-rc.d(8)): the files that a service writes
 * must not end up in the image.
 */
const noServices = { path: '/usr/sbin/policy-rc.d', mode: '0755', content: '#!/bin/sh\nexit 101\n' };

const sshdDropIn = `# Written by containarium.
HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
# Keys managed on the jump host, and the user's own.
AuthorizedKeysFile /etc/ssh/authorized_keys.d/%u .ssh/authorized_keys
`;

export function recipe(packages: readonly string[]): Recipe {
  const wanted = [...new Set(['openssh-server', 'sudo', ...packages])].sort();
  return {
    before: [noServices],
    install: [
      ['apt-get', 'update', '--quiet'],
      ['apt-get', 'install', '--yes', '--quiet', '--no-install-recommends', ...wanted],
    ],
    files: [
      { path: firstBootPath, mode: '0755', content: firstBootScript },
      { path: '/etc/systemd/system/containarium-first-boot.service', mode: '0644', content: firstBootUnit },
      { path: '/etc/ssh/sshd_config.d/10-containarium.conf', mode: '0644', content: sshdDropIn },
      ...addressFiles,
    ],
    finish: [
      // Ubuntu starts sshd by socket; only a plain service can wait for the first-boot unit.
      ['systemctl', 'disable', '--quiet', 'ssh.socket'],
      ['systemctl', 'enable', '--quiet', 'ssh.service', 'containarium-first-boot.service'],
      ['rm', '--force', noServices.path],
      ['apt-get', 'clean'],
      // Remove what must differ between containers.
      ['find', '/etc/ssh', '-name', 'ssh_host_*', '-delete'],
      ['find', '/var/lib/apt/lists', '-type', 'f', '-delete'],
      ['truncate', '--size', '0', '/etc/machine-id'],
    ],
  };
}

/** Returns an id that changes with the recipe. An image made from another recipe is shown as not current. */
export function recipeId(made: Recipe): string {
  return createHash('sha256').update(JSON.stringify(made)).digest('hex').slice(0, 16);
}
