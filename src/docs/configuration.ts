/** Generator of docs/configuration.md, from the schema that checks the configuration file. */
import { stringify } from 'yaml';
import * as z from 'zod';
import { environment } from './environment.ts';
import { code, inline, page, section, table } from './markdown.ts';
import { settingsSchema } from '../settings/schema.ts';

type Plain = string | number | boolean;

/** The part of JSON Schema that zod generates for the settings. */
interface Schema {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  /** Empty for a group, because its keys have their own defaults. */
  readonly default?: Plain | readonly Plain[];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}

const schema = z.toJSONSchema(settingsSchema, {
  io: 'input',
  // zod leaves out the default of what a parser reads, such as a duration.
  override: ({ zodSchema, jsonSchema }) => {
    const { def } = zodSchema._zod;
    if (def.type === 'default') jsonSchema.default ??= def.defaultValue as Plain;
  },
}) as Schema;

function typeOf(key: Schema): string {
  if (key.enum !== undefined) return key.enum.map((value) => inline(value)).join(', ');
  if (key.items !== undefined) return `list of: ${typeOf(key.items)}`;
  if (key.title !== undefined) return key.title;
  if (key.type !== 'integer') return key.type ?? 'anything';
  const maximum = key.maximum === undefined || key.maximum >= Number.MAX_SAFE_INTEGER ? undefined : key.maximum;
  return `whole number${key.minimum === undefined ? '' : maximum === undefined ? `, ${key.minimum} or more` : `, ${key.minimum} to ${maximum}`}`;
}

function defaultOf(key: Schema): string {
  if (key.default === undefined) return '';
  return [key.default]
    .flat()
    .map((value) => inline(String(value)))
    .join(', ');
}

function rows(keys: Readonly<Record<string, Schema>>, prefix: string): string[][] {
  return Object.entries(keys).flatMap(([name, key]) => {
    const path = `${prefix}${name}`;
    if (key.properties === undefined) return [[inline(path), typeOf(key), defaultOf(key), key.description ?? '']];
    return [[inline(path), 'group', '', key.description ?? ''], ...rows(key.properties, `${path}.`)];
  });
}

const columns = ['Key', 'Type', 'Default', 'Meaning'] as const;

/** Returns a configuration file with all defaults. Keys without a default are comments. */
export function exampleFile(): string[] {
  return linesOf(schema.properties ?? {});
}

function linesOf(keys: Readonly<Record<string, Schema>>): string[] {
  return Object.entries(keys).flatMap(([name, key]) => {
    if (key.properties === undefined)
      return key.default === undefined
        ? [`# ${name}: …`]
        : stringify({ [name]: key.default })
            .trimEnd()
            .split('\n');
    const inner = linesOf(key.properties);
    // To YAML, a group that has only comments is null.
    return inner.every((line) => line.startsWith('#'))
      ? [`# ${name}:`, ...inner.map((line) => `#   ${line.replace(/^# /, '')}`)]
      : [`${name}:`, ...inner.map((line) => `  ${line}`)];
  });
}

export function configurationPage(): string {
  const keys = Object.entries(schema.properties ?? {});
  const single = Object.fromEntries(keys.filter(([, key]) => key.properties === undefined));
  return page(
    'Configuration',
    "The configuration is a YAML file, `containarium.yaml` in the server's home. All keys are optional. The server checks every key when it starts, and an unknown key is an error. To use another file, give `containarium serve --config <file>` or set `CONTAINARIUM_CONFIG`.",
    section('Keys', table(columns, rows(single, ''))),
    ...keys.flatMap(([name, key]) =>
      key.properties === undefined
        ? []
        : [section(inline(name), key.description ?? '', table(columns, rows(key.properties, `${name}.`)))],
    ),
    'Sizes take a unit, such as `GiB` (1024³ bytes) or `GB` (1000³ bytes); a bare number is refused.',
    section(
      'Environment',
      'Environment variables override the file. Several servers can run side by side if each has its own home and its own address.',
      table(
        ['Variable', 'Meaning'],
        environment.map(([name, meaning]) => [inline(name), meaning]),
      ),
    ),
    section('Example', 'Every key with its default:', code(exampleFile(), 'yaml')),
  );
}
