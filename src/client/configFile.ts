/** The file in which a client names its servers. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import * as z from 'zod';
import { check, misfitText } from '../domain/check.ts';
import { Failure } from '../domain/failure.ts';

const config = z.strictObject({
  /** The server of every command line that names none. */
  default: z.string().optional(),
  servers: z.record(
    z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
    z.strictObject({ address: z.string(), certs: z.string().optional() }),
  ),
});

export type Config = z.infer<typeof config>;

/** Reads the file; undefined if it does not exist. Rejects with `settings`. */
export async function readConfig(path: string): Promise<Config | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new Failure('settings', { what: path, why: 'it cannot be read' }, error);
  }
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    throw new Failure('settings', { what: path, why: 'it is not YAML', next: 'see docs/remote.md' }, error);
  }
  const checked = check(config, document);
  if (checked.misfit === undefined) return checked.value;
  throw new Failure('settings', {
    what: path,
    why: misfitText(checked.misfit, 'its content'),
    next: 'see docs/remote.md',
  });
}
