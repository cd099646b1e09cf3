/**
 * The start of a prepared container, as far as it can be seen from outside: the first-boot unit of the image recipe
 * (`src/service/images/recipe.ts`) takes the seed, and sshd loads its host key if that went well.
 */
import { hostKeyOf } from './hostKey.ts';
import type { InstanceFiles, InstanceRecord } from '../state/state.ts';

/** The file that makes an image a prepared one. */
export const firstBootPath = '/etc/containarium/first-boot';

const seed = '/etc/containarium/seed';
const readOnly = { mode: '0440', uid: 0, gid: 0 };

function line(files: InstanceFiles, path: string): string | undefined {
  return Object.hasOwn(files, path) ? files[path]?.content.trimEnd() : undefined;
}

/**
 * Whether the first-boot unit ends well; like the real one it is skipped without a seeded user and fails on a half
 * seed.
 */
function takeSeed(files: InstanceFiles): boolean {
  const userFile = files[`${seed}/user`];
  const user = line(files, `${seed}/user`);
  if (userFile === undefined || user === undefined) return true;
  const name = line(files, `${seed}/name`);
  if (name === undefined) return false;
  files['/etc/hostname'] = { content: `${name}\n`, mode: '0644', uid: 0, gid: 0 };
  if (line(files, `${seed}/docker`) === undefined) return false;
  files['/etc/sudoers.d/90-containarium'] = { content: `${user} ALL=(ALL) NOPASSWD:ALL\n`, ...readOnly };
  files[`${seed}/done`] = userFile;
  delete files[`${seed}/user`];
  return true;
}

/** Boots what is inside an instance. Returns the host key its sshd serves, or null where none runs. */
export function bootInside(instance: InstanceRecord): string | null {
  // An ordinary base image has no sshd.
  if (!instance.prepared) return null;
  return takeSeed(instance.files) ? (hostKeyOf(instance.files) ?? null) : null;
}
