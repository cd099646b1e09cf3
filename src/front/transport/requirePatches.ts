/**
 * Refuses an ssh2 without this project's patches (src/front/patches). A plain `npm ci` silently installs the unpatched
 * library, and the server would run with the defects that the patches fix.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { packageRoot } from '../../domain/packageRoot.ts';

/** Written by patches/apply.mjs. */
const record = z.object({ patches: z.record(z.string(), z.string()), files: z.record(z.string(), z.string()) });

/** The patches stay beside the sources. */
const patchesFolder = join(packageRoot, 'src', 'front', 'patches');

const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

/** Throws, with what to do, if the installed ssh2 is not exactly the patched one. Reads a dozen files. */
export function requirePatches(packageFolder = installedSsh2(), patches = patchesFolder): void {
  const fault = findFault(packageFolder, patches);
  if (fault === undefined) return;
  throw new Error(
    `the installed ssh2 is not patched as expected: ${fault}; install the dependencies with "npm start" or "npm run service:install", not with "npm ci" alone`,
  );
}

function installedSsh2(): string {
  return dirname(createRequire(import.meta.url).resolve('ssh2/package.json'));
}

function findFault(packageFolder: string, patches: string): string | undefined {
  try {
    const applied = record.parse(JSON.parse(readFileSync(join(packageFolder, 'containarium-patches.json'), 'utf8')));
    const wanted = readdirSync(patches).filter((name) => name.endsWith('.patch'));
    const missing = wanted.find((name) => applied.patches[name] !== sha256(readFileSync(join(patches, name))));
    if (missing !== undefined) return `${missing} is not applied`;
    if (Object.keys(applied.patches).length !== wanted.length) return 'it carries unknown patches';
    const changed = Object.entries(applied.files).find(
      ([path, hash]) => sha256(readFileSync(join(packageFolder, path))) !== hash,
    );
    return changed === undefined ? undefined : `${changed[0]} was changed after patching`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
