/**
 * Applies the patches of this folder to the installed ssh2 and writes down what it did, for {@link ../patched.ts}. Run
 * after every installation of the dependencies (src/bootstrap.mjs, systemd/install.mjs). What each patch is for is in
 * README.md.
 *
 * Plain JavaScript for Node.js 20, because it runs before anything is built.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
/** The version that the patches are made for. */
const version = '1.17.0';
/** Written into the patched package. */
export const recordName = 'containarium-patches.json';

/** Names of the patch files, in the order in which they are applied. */
export function patchNames() {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.patch'))
    .sort();
}

const sha256 = (content) => createHash('sha256').update(content).digest('hex');

/**
 * Applies patches to the package in `packageFolder`; with `reverse` takes them back. Every file is replaced, never
 * written in place: an installation may share its files with another one through hard links.
 *
 * @throws Error where a patch does not fit exactly, with nothing of that patch changed
 */
export function applyPatches(packageFolder, names, { reverse = false } = {}) {
  const { applyPatch, parsePatch, reversePatch } = createRequire(join(packageFolder, 'package.json'))('diff');
  for (const name of reverse ? [...names].reverse() : names) {
    const changed = new Map();
    for (const patch of parsePatch(readFileSync(join(folder, name), 'utf8'))) {
      const path = join(packageFolder, (patch.newFileName ?? '').replace(/^b\//, ''));
      const after = applyPatch(changed.get(path) ?? readFileSync(path, 'utf8'), reverse ? reversePatch(patch) : patch);
      if (after === false) throw new Error(`${name} does not fit ${path}`);
      changed.set(path, after);
    }
    if (changed.size === 0) throw new Error(`${name} changes nothing`);
    for (const [path, content] of changed) replace(path, content);
  }
}

/**
 * Patches the ssh2 that was just installed below `root`.
 *
 * @throws Error where it is another version, or a patch does not fit
 */
export function patchInstalled(root) {
  const packageFolder = join(root, 'node_modules', 'ssh2');
  const installed = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')).version;
  if (installed !== version)
    throw new Error(`the patches in src/front/patches are for ssh2 ${version}, and ${installed} is installed`);
  const record = join(packageFolder, recordName);
  rmSync(record, { force: true });
  const names = patchNames();
  applyPatches(packageFolder, names);
  const touched = names.flatMap((name) =>
    [...readFileSync(join(folder, name), 'utf8').matchAll(/^\+\+\+ b\/(\S+)$/gm)].map(([, path]) => path),
  );
  replace(
    record,
    JSON.stringify({
      patches: Object.fromEntries(names.map((name) => [name, sha256(readFileSync(join(folder, name)))])),
      files: Object.fromEntries(
        [...new Set(touched)].sort().map((path) => [path, sha256(readFileSync(join(packageFolder, path)))]),
      ),
    }),
  );
}

function replace(path, content) {
  const fresh = `${path}.patched`;
  writeFileSync(fresh, content);
  renameSync(fresh, path);
}
