/**
 * Refuses an ssh2 that does not carry this project's patches (src/front/patches): a plain `npm ci` takes them away
 * without a word, and the server would go on without what they mend.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** Written by patches/apply.mjs. */
const record = z.object({ patches: z.record(z.string(), z.string()), files: z.record(z.string(), z.string()) });

/** Beside the sources, wherever the build is: dist/front and src/front are both two folders below the root. */
const patchesFolder = fileURLToPath(new URL('../../../src/front/patches/', import.meta.url));

const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

/** Throws where the installed ssh2 is not exactly the patched one, with what to do. Reads a dozen files, once. */
export function requirePatches(packageFolder = installedSsh2(), patches = patchesFolder): void {
  const fault = findFault(packageFolder, patches);
  if (fault === undefined) return;
  throw new Error(
    `the SSH library is not the patched one: ${fault}; install the dependencies with "npm start" or "npm run service:install", not with a bare "npm ci"`,
  );
}

function installedSsh2(): string {
  return dirname(createRequire(import.meta.url).resolve('ssh2/package.json'));
}

function findFault(packageFolder: string, patches: string): string | undefined {
  try {
    const applied = record.parse(JSON.parse(readFileSync(join(packageFolder, 'containarium-patches.json'), 'utf8')));
    const wanted = readdirSync(patches).filter((name) => name.endsWith('.patch'));
    const other = wanted.find((name) => applied.patches[name] !== sha256(readFileSync(join(patches, name))));
    if (other !== undefined) return `${other} is not applied`;
    if (Object.keys(applied.patches).length !== wanted.length) return 'it carries patches that are not ours';
    const changed = Object.entries(applied.files).find(
      ([path, hash]) => sha256(readFileSync(join(packageFolder, path))) !== hash,
    );
    return changed === undefined ? undefined : `${changed[0]} was changed afterwards`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
