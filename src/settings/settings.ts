/** Reads the configuration file: YAML, at one explicit path. */
import { readFile } from 'node:fs/promises';
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import { Failure } from '../domain/failure.ts';
import { renameKeys } from './renamedKeys.ts';
import { settingsSchema } from './schema.ts';

export type Settings = z.output<typeof settingsSchema>;

/** Checks a parsed configuration document. `source` names the document in errors. */
export function checkSettings(document: unknown, source: string): Settings {
  const result = settingsSchema.safeParse(renameKeys(document ?? {}));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new Failure('settings', {
    what: `configuration ${source}`,
    why: issue === undefined ? 'it is not valid' : `${issue.path.join('.') || 'the document'}: ${issue.message}`,
    next: 'see docs/configuration.md for every key',
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
    throw new Failure(
      'settings',
      { what: `configuration ${path}`, why: error instanceof Error ? error.message : String(error) },
      error,
    );
  }
  let document: unknown;
  try {
    document = parseYaml(text);
  } catch (error) {
    throw new Failure(
      'settings',
      {
        what: `configuration ${path}`,
        why: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error),
      },
      error,
    );
  }
  return checkSettings(document, path);
}
