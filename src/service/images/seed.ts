/**
 * What a new container is given before its first start: files, such as its user's name and its host key.
 *
 * A prepared image of this version has a template, by which Incus itself writes them all into the container as it
 * starts for the first time: no file is pushed, which takes a program of the host and a file server of Incus for each.
 * A unit inside makes the files of that one text. Into a container of another version's image they are pushed.
 *
 * Incus renders templates outside the container's reach, before any program of it has run. Later starts, copies and
 * restores render nothing, because the template is for the creation only.
 */
import type { HostKeyPair } from '../../host/hostKey.ts';
import type { InstanceTemplate } from '../../host/incus/templates.ts';
import { containerKeysPath, containerKeysText } from '../instances/jumpAccount.ts';
import type { StoredKey } from '../instances/metadata.ts';
import { addressSeed, type AddressPlan } from './fixedAddress.ts';

export interface SeedFile {
  /** Absolute, of letters, digits, and `/._-`. */
  readonly path: string;
  /** For example `0644`. */
  readonly mode: string;
  /** Lines, each with its end. */
  readonly content: string;
}

export interface SeedFacts {
  readonly user: string;
  /** The container's name, which becomes its host name. */
  readonly name: string;
  readonly docker: boolean;
  readonly network: AddressPlan;
  readonly keys: readonly StoredKey[];
  readonly hostKey: HostKeyPair;
}

/** Returns the files of a new container: what its user and address are made of, and who and what it is over SSH. */
export function seedOf({ user, name, docker, network, keys, hostKey }: SeedFacts): {
  readonly user: readonly SeedFile[];
  readonly access: readonly SeedFile[];
} {
  const fact = (fileName: string, value: string): SeedFile => ({
    path: `/etc/containarium/seed/${fileName}`,
    mode: '0644',
    content: `${value}\n`,
  });
  return {
    user: [
      fact('name', name),
      fact('docker', docker ? 'yes' : 'no'),
      fact('user', user),
      { ...addressSeed(network), mode: '0644' },
    ],
    access: [
      { path: containerKeysPath(user), mode: '0644', content: containerKeysText(keys) },
      { path: '/etc/ssh/ssh_host_ed25519_key.pub', mode: '0644', content: `${hostKey.publicKey}\n` },
      // The last one: without it sshd does not start.
      { path: '/etc/ssh/ssh_host_ed25519_key', mode: '0600', content: hostKey.privateKey },
    ],
  };
}

const bundlePath = '/etc/containarium/seed/bundle';

/** The part of the instance's configuration that the template writes into the container. */
export const seedTemplate = (key: string): InstanceTemplate => ({
  name: 'containarium-seed.tpl',
  path: bundlePath,
  when: ['create'],
  content: `{{ config_get("${key}", "") }}`,
});

/**
 * Returns files as one text: of each a line `=MODE PATH`, then its lines, each behind a blank. They are made in this
 * order, so the last one should be what the container cannot be ready without.
 */
export function bundle(files: readonly SeedFile[]): string {
  return files
    .map(({ path, mode, content }) => {
      if (!/^\/[A-Za-z0-9/._-]+$/.test(path) || !/^0[0-7]{3}$/.test(mode) || !content.endsWith('\n'))
        throw new RangeError(`${path} cannot be in a seed`);
      const lines = content.slice(0, -1).split('\n');
      return [`=${mode} ${path}`, ...lines.map((line) => ` ${line}`), ''].join('\n');
    })
    .join('');
}

/** Only words of the shell itself, but for folders and modes: each program takes milliseconds of the first boot. */
const script = `#!/bin/sh
# Written by containarium: makes the files that the bundle has, once, before anything reads them.
set -eu
bundle=${bundlePath}
umask 077
while IFS= read -r line || [ -n "$line" ]; do
  case "$line" in
  =*)
    line=\${line#=}
    mode=\${line%% *}
    file=\${line#* }
    folder=\${file%/*}
    [ -d "$folder" ] || (umask 022 && mkdir -p "$folder")
    : > "$file"
    chmod "$mode" "$file"
    ;;
  *) printf '%s\\n' "\${line# }" >> "$file" ;;
  esac
done < "$bundle"
rm "$bundle"
`;

const unit = `[Unit]
Description=Containarium: make the files of the seed
ConditionFileNotEmpty=${bundlePath}
DefaultDependencies=no
After=local-fs.target
Before=containarium-network.service containarium-first-boot.service ssh.service

[Service]
Type=oneshot
ExecStart=/etc/containarium/unbundle
RemainAfterExit=yes
`;

/** Enables the unit, as with the address (src/service/images/fixedAddress.ts). */
const wants = `[Unit]
Wants=containarium-seed.service
`;

/** The files that every prepared image has. */
export const bundleFiles: readonly SeedFile[] = [
  { path: '/etc/containarium/unbundle', mode: '0755', content: script },
  { path: '/etc/systemd/system/containarium-seed.service', mode: '0644', content: unit },
  { path: '/etc/systemd/system/sysinit.target.d/containarium-seed.conf', mode: '0644', content: wants },
];
