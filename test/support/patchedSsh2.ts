/** Copies of the patched ssh2 with one patch reversed, to show what that patch does. */
import { cp, mkdir, mkdtemp, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Patching {
  patchNames(): string[];
  applyPatches(packageFolder: string, names: readonly string[], options: { reverse: boolean }): void;
}

const repository = fileURLToPath(new URL('../..', import.meta.url));
const modules = join(repository, 'node_modules');

export async function patchNames(): Promise<string[]> {
  return (await patching()).patchNames();
}

/** Copies the package into `folder` and returns its path. Reverses the patch whose name contains `without`. */
export async function copyOfSsh2(folder: string, without?: string): Promise<string> {
  const home = await mkdtemp(join(folder, 'copy-'));
  await mkdir(join(home, 'node_modules'));
  const copy = join(home, 'node_modules', 'ssh2');
  await cp(join(modules, 'ssh2'), copy, { recursive: true });
  for (const name of ['asn1', 'bcrypt-pbkdf', 'diff'])
    await symlink(join(modules, name), join(home, 'node_modules', name));
  if (without !== undefined) {
    const { patchNames: names, applyPatches } = await patching();
    const [found, ...more] = names().filter((name) => name.includes(without));
    if (found === undefined || more.length > 0) throw new Error(`"${without}" does not match exactly one patch`);
    applyPatches(copy, [found], { reverse: true });
  }
  return copy;
}

/** Loads a module of a copy. */
export function moduleOf(copy: string, ...path: string[]): unknown {
  return createRequire(join(copy, 'package.json'))(join(copy, ...path));
}

async function patching(): Promise<Patching> {
  return (await import(join(repository, 'src', 'front', 'patches', 'apply.mjs'))) as Patching;
}
