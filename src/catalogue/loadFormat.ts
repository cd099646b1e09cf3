/**
 * The writers of the formats that few calls ask for. Loading them takes longer than most calls (`npm run bench:start`),
 * so that happens when a format is asked for: {@link loadFormat}, before anything is rendered in it.
 */
import type { Format } from './format.ts';
import type * as Csv from './output/csv.ts';
import type * as Yaml from './output/yaml.ts';

const loaded: { yaml?: typeof Yaml; csv?: typeof Csv } = {};

/** Loads what renders a format. Has to be awaited before the synchronous renderers get that format. */
export async function loadFormat(format: Format): Promise<void> {
  if (format === 'yaml') loaded.yaml ??= await import('./output/yaml.ts');
  if (format === 'csv') loaded.csv ??= await import('./output/csv.ts');
}

/** Returns a module that has been loaded. Throws if it has not: that is a mistake of the caller. */
export function writer<Name extends keyof typeof loaded>(format: Name): NonNullable<(typeof loaded)[Name]> {
  const found = loaded[format];
  if (found === undefined) throw new TypeError(`${format} was not loaded before it was rendered`);
  return found;
}
