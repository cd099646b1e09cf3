/** The recipe for a prepared image: the files and commands that are applied to a base image, as data. */
import { createHash } from 'node:crypto';
import type { InstanceTemplate } from '../../host/incus/templates.ts';
import { field } from '../instances/metadata.ts';
import { addressFiles } from './fixedAddress.ts';
import { bundleFiles, seedTemplate } from './seed.ts';

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
  readonly templates: readonly InstanceTemplate[];
  readonly finish: readonly (readonly string[])[];
}

/**
 * An account of the image that becomes the user's at the first boot. Its name is one that no user may have
 * (`domain/values/reservedNames.ts`). To rename it is quick; to create one takes as long as the rest of the boot,
 * because useradd(8) and usermod(8) wait for the disk after each file.
 */
const imageAccount = 'containarium';

/**
 * Makes the user that was seeded before the first start. Runs once, before sshd. If it fails, sshd does not start, so
 * that an unfinished container never counts as ready. The recipe's id covers this text, comments included.
 */
const firstBootScript = `#!/bin/sh
# Written by containarium: makes the user of this container from what was seeded before the first start.
set -eu
seed=/etc/containarium/seed
read -r user < "$seed/user"
read -r name < "$seed/name"
read -r docker < "$seed/docker"
printf '%s\\n' "$name" > /etc/hostname
hostname "$name"
grep -q "^127.0.1.1[[:space:]]" /etc/hosts || printf '127.0.1.1 %s\\n' "$name" >> /etc/hosts
if grep -q "^$user:" /etc/passwd; then
  # An account of the base image.
  usermod --append --groups sudo "$user"
  userdel --remove ${imageAccount} > /dev/null 2>&1 || true
else
  # This may be the second time, after a boot that was cut.
  [ ! -e /home/${imageAccount} ] || mv /home/${imageAccount} "/home/$user"
  files=
  for file in passwd shadow group gshadow subuid subgid; do
    [ ! -e "/etc/$file" ] || files="$files /etc/$file"
  done
  sed -i \\
    -e "s#^${imageAccount}:#$user:#" \\
    -e "s#\\([:,]\\)${imageAccount}\\(,\\|\\$\\)#\\1$user\\2#" \\
    -e "s#:/home/${imageAccount}:#:/home/$user:#" \\
    $files
fi
umask 0227
printf '%s ALL=(ALL) NOPASSWD:ALL\\n' "$user" > "/etc/sudoers.d/90-containarium"
umask 0022
if [ "$docker" = yes ]; then
  # Unless it is a member: as the first one, or after others.
  sed -i -e "/[:,]$user\\(,\\|\\$\\)/b" -e "/^docker:/{s|:\\$|:$user|;t" -e "s|\\$|,$user|}" /etc/group /etc/gshadow
  # On btrfs Docker would choose a driver whose subvolumes the disk limit does not count; overlay2 stays below it.
  if [ "$(stat --file-system --format %T /)" = btrfs ] && [ ! -e /etc/docker/daemon.json ]; then
    mkdir -p /etc/docker
    printf '{"storage-driver": "overlay2"}\\n' > /etc/docker/daemon.json
  fi
elif [ -e /lib/systemd/system/docker.service ]; then
  systemctl mask --now docker.service docker.socket containerd.service
fi
mv "$seed/user" "$seed/done"
`;

/** Not after the basic target, which it would make the rest of the boot wait for. */
const firstBootUnit = `[Unit]
Description=Containarium: make the user that was seeded
ConditionPathExists=/etc/containarium/seed/user
DefaultDependencies=no
After=local-fs.target systemd-sysusers.service
Before=ssh.service docker.service containerd.service

[Service]
Type=oneshot
ExecStart=${firstBootPath}
RemainAfterExit=yes

[Install]
WantedBy=multi-user.target
RequiredBy=ssh.service
`;

/** A user whom sshd lets in is not refused by pam_nologin(8), which applies until shortly before the end of a boot. */
const sshAfterNologin = `[Unit]
After=systemd-user-sessions.service
`;

/**
 * Keeps Docker from taking the processor that sshd needs to start. Its socket is there before, so that a user who is
 * quicker waits for it; and containers of Docker that restart by themselves do, because it starts with each boot.
 */
const afterSsh = `[Unit]
After=ssh.service
`;

/** What can do nothing in a container, but takes its time at a boot: kernel modules, file systems on block devices. */
const uselessUnits = ['systemd-modules-load.service', 'e2scrub_reap.service', 'e2scrub_all.timer'];

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
      ...['docker', 'containerd'].map((service) => ({
        path: `/etc/systemd/system/${service}.service.d/containarium.conf`,
        mode: '0644',
        content: afterSsh,
      })),
      { path: '/etc/systemd/system/ssh.service.d/containarium.conf', mode: '0644', content: sshAfterNologin },
      ...bundleFiles,
      ...addressFiles,
    ],
    templates: [seedTemplate(field.seed)],
    finish: [
      // Ubuntu starts sshd by socket; only a plain service can wait for the first-boot unit.
      ['systemctl', 'disable', '--quiet', 'ssh.socket'],
      ['systemctl', 'enable', '--quiet', 'ssh.service', 'containarium-first-boot.service'],
      ['systemctl', 'mask', '--quiet', ...uselessUnits],
      // The seed has the private host key until it is unpacked.
      ['mkdir', '--mode', '0700', '/etc/containarium/seed'],
      ['useradd', '--create-home', '--shell', '/bin/bash', '--password', '*', '--groups', 'sudo', imageAccount],
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
