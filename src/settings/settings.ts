/** Reads the configuration file: YAML, at one explicit path. */
import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { check, misfitText } from '../domain/check.ts';
import { Failure } from '../domain/failure.ts';
import { renameKeys } from './renamedKeys.ts';
import { settingsSchema } from './schema.ts';

export type Settings = z.output<typeof settingsSchema>;

/** Checks a parsed configuration document. `source` names the document in errors. */
export function checkSettings(document: unknown, source: string): Settings {
  const checked = check(settingsSchema, renameKeys(document ?? {}));
  if (checked.misfit === undefined) return checked.value;
  throw new Failure('settings', {
    what: `configuration ${source}`,
    why: misfitText(checked.misfit, 'the document'),
    next: checked.misfit.failure?.next ?? 'see docs/configuration.md for every key',
  });
}

/** Reads the configuration file. A file that was named must exist; the default file need not. */
export async function readSettings(path: string, isNamed: boolean): Promise<Settings> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (!isNamed && error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return checkSettings({}, path);
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new Failure(
      'settings',
      {
        what: `configuration ${path}`,
        why: code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`,
        next: 'name a file that this user can read',
      },
      error,
    );
  }
  let document: unknown;
  const { parsedYaml, placeOf } = await import('./yamlText.ts');
  try {
    document = parsedYaml(text);
  } catch (error) {
    throw new Failure(
      'settings',
      {
        what: `configuration ${path}`,
        why: `it is not valid YAML${placeOf(error)}`,
        next: 'correct it there; docs/configuration.md has an example',
      },
      error,
    );
  }
  return checkSettings(document, path);
}
