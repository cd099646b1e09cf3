/**
 * Where the program's own files are. No other module works this out from its own place: the build joins the modules to
 * few files (src/build.mjs), so in `dist/` a module does not lie where it lies in `src/`.
 */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Returns the folder that holds package.json, at a path or above it. */
function rootAbove(path: string): string {
  const folder = dirname(path);
  return folder === path || existsSync(join(folder, 'package.json')) ? folder : rootAbove(folder);
}

const here = fileURLToPath(import.meta.url);

/** The folder that holds package.json. */
export const packageRoot = rootAbove(here);

/**
 * Returns the file of a program that another process runs, by its name in `src/` without an extension. It is the built
 * one, unless this process itself runs from the sources.
 */
export function programFile(name: string): string {
  return here.endsWith('.ts') ? join(packageRoot, 'src', `${name}.ts`) : join(packageRoot, 'dist', `${name}.js`);
}

const othersRead = 0o005;
const othersPass = 0o001;

/** Reports whether every user can read these folders, and reach them. What is not there hinders nobody. */
export function everyoneReads(folders: readonly string[]): boolean {
  const allows = (path: string, bits: number): boolean => {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode;
    return mode === undefined || (mode & bits) === bits;
  };
  const isReached = (path: string): boolean =>
    allows(path, othersPass) && (dirname(path) === path || isReached(dirname(path)));
  return folders.every((folder) => allows(folder, othersRead) && isReached(dirname(folder)));
}
