/**
 * Simulates the boot of a prepared container, as far as the host can see it: the first-boot unit of the image recipe
 * (`src/service/images/recipe.ts`) applies the seed, and if that succeeds, sshd loads its host key.
 */
import { hostKeyOf } from './hostKey.ts';
import type { InstanceFiles, InstanceRecord } from '../state/state.ts';

/** The file that marks a prepared image. */
export const firstBootPath = '/etc/containarium/first-boot';

/** The public half of the host key of an instance. sshd does not read it. */
export const publicKeyPath = '/etc/ssh/ssh_host_ed25519_key.pub';

/** The account of the image that the first boot renames. */
const imageAccount = 'containarium';

const seed = '/etc/containarium/seed';
const networkSeed = `${seed}/network`;
const readOnly = { mode: '0440', uid: 0, gid: 0 };

function line(files: InstanceFiles, path: string): string | undefined {
  return Object.hasOwn(files, path) ? files[path]?.content.trimEnd() : undefined;
}

/**
 * Runs the first-boot unit and reports its success. Like the real unit it skips a missing seed and fails on a partial
 * one.
 */
function applySeed(files: InstanceFiles): boolean {
  const userFile = files[`${seed}/user`];
  const user = line(files, `${seed}/user`);
  if (userFile === undefined || user === undefined) return true;
  const name = line(files, `${seed}/name`);
  if (name === undefined) return false;
  files['/etc/hostname'] = { content: `${name}\n`, mode: '0644', uid: 0, gid: 0 };
  if (line(files, `${seed}/docker`) === undefined) return false;
  const accounts = files['/etc/passwd'];
  if (accounts !== undefined) accounts.content = accounts.content.replaceAll(imageAccount, user);
  files['/etc/sudoers.d/90-containarium'] = { content: `${user} ALL=(ALL) NOPASSWD:ALL\n`, ...readOnly };
  files[`${seed}/done`] = userFile;
  delete files[`${seed}/user`];
  return true;
}

const bundlePath = `${seed}/bundle`;

/** Runs the unit that makes the files of the bundle (`src/service/images/seed.ts`). */
function unbundle(files: InstanceFiles): void {
  const found = files[bundlePath];
  if (found === undefined || found.content === '') return;
  let file: InstanceFiles[string] | undefined;
  for (const text of found.content.split('\n').slice(0, -1)) {
    const [, mode, path] = /^=(\d+) (.*)$/.exec(text) ?? [];
    if (mode !== undefined && path !== undefined) files[path] = file = { content: '', mode, uid: 0, gid: 0 };
    else if (file !== undefined) file.content += `${text.slice(1)}\n`;
  }
  delete files[bundlePath];
}

/** Runs the unit that sets the fixed address, as for a container whose network systemd-networkd manages. */
function applyAddress(files: InstanceFiles): void {
  const seeded = files[networkSeed];
  if (seeded === undefined || files['/etc/containarium/network'] === undefined) return;
  const address = /^address=(.*)$/m.exec(seeded.content)?.[1] ?? '';
  const content = `[Match]\nName=eth0\n\n[Network]\nDHCP=no\nAddress=${address}\n`;
  files['/etc/systemd/network/05-containarium.network'] = { content, mode: '0644', uid: 0, gid: 0 };
  files[`${networkSeed}.done`] = seeded;
  delete files[networkSeed];
}

/**
 * Boots an instance. Returns the host key that its sshd serves, or null if no sshd runs. On a copy of a real host,
 * whose private keys are not read, the public file stands for one.
 */
export function bootInside(instance: InstanceRecord, isCopy: boolean): string | null {
  // An ordinary base image has no sshd.
  if (!instance.prepared) return null;
  unbundle(instance.files);
  applyAddress(instance.files);
  if (!applySeed(instance.files)) return null;
  return hostKeyOf(instance.files) ?? (isCopy ? line(instance.files, publicKeyPath) : undefined) ?? null;
}
