/** The source files of the product, parsed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '../../..');

export interface Source {
  /** Relative to the repository: `src/domain/text.ts`. */
  readonly path: string;
  readonly file: ts.SourceFile;
}

/** Returns the sources in a folder, without what is generated. */
export function sourcesIn(folder: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.includes('generated'))
    .map((name) => join(folder, name))
    .map((path) => ({
      path,
      file: ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.Latest, true),
    }));
}
