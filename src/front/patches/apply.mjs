/**
 * Applies the patches of this folder to the installed ssh2 and records the result for
 * src/front/transport/requirePatches.ts. Runs after every installation of the dependencies (src/bootstrap.mjs,
 * .ci/release/stage.mjs). README.md says what each patch is for.
 *
 * Plain JavaScript for Node.js 20, because it runs before anything is built.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
/** The version of ssh2 that the patches fit. */
const version = '1.17.0';
/** Name of the record in the patched package. */
export const recordName = 'containarium-patches.json';

/** Returns the names of the patch files in the order in which they are applied. */
export function patchNames() {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.patch'))
    .sort();
}

const sha256 = (content) => createHash('sha256').update(content).digest('hex');

/**
 * Applies patches to the package in `packageFolder`, or reverts them with `reverse`. Replaces files and never writes in
 * place: an installation may share files with another one through hard links.
 *
 * @throws Error if a patch does not fit exactly; that patch then has changed nothing
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
 * @throws Error if the version is not {@link version}, or a patch does not fit
 */
export function patchInstalled(root) {
  const packageFolder = join(root, 'node_modules', 'ssh2');
  const installed = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')).version;
  if (installed !== version)
    throw new Error(`the patches in src/front/patches are for ssh2 ${version}, but ${installed} is installed`);
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
