/**
 * The machine's own apt sources (sources.list(5)), in both formats. No mirror is hard-coded: a missing suite or
 * component is added beside the machine's own entry, with the same address and the same signing key.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../domain/failure.ts';

/** One enabled entry for binary packages. */
export interface AptSource {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** The other deb822 fields that the entry needs (`Signed-By`, `Architectures`, `Trusted` …), values verbatim. */
  readonly options: ReadonlyMap<string, string>;
}

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

/** Fields that are not options: rendered from {@link AptSource} itself, or irrelevant to fetching. */
const ownFields = new Set(['types', 'uris', 'suites', 'components', 'enabled', 'description', 'x-repolib-name']);

/** Parses the deb822 format (`*.sources`). Field names are case-insensitive; folded values keep their lines. */
export function parseDeb822(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const stanza of text.split(/\n[ \t]*\n/)) {
    const fields = new Map<string, { name: string; value: string }>();
    let current: string | undefined;
    for (const line of stanza.split('\n')) {
      if (line.startsWith('#')) continue;
      const field = /^([A-Za-z][A-Za-z0-9-]*)[ \t]*:[ \t]*(.*)$/.exec(line);
      if (field !== null) {
        current = (field[1] ?? '').toLowerCase();
        fields.set(current, { name: field[1] ?? '', value: (field[2] ?? '').trimEnd() });
      } else if (/^[ \t]/.test(line) && current !== undefined) {
        const before = fields.get(current);
        if (before !== undefined)
          fields.set(current, { name: before.name, value: `${before.value}\n${line.trimEnd()}` });
      }
    }
    const value = (name: string): string => fields.get(name)?.value ?? '';
    if (!words(value('types')).includes('deb') || /^(no|false|0|off|without|disable)$/i.test(value('enabled')))
      continue;
    sources.push({
      uris: words(value('uris')),
      suites: words(value('suites')),
      components: words(value('components')),
      options: new Map(
        [...fields].filter(([name]) => !ownFields.has(name)).map(([, field]) => [field.name, field.value]),
      ),
    });
  }
  return sources;
}

/** Returns the deb822 name of an option of the one-line format (sources.list(5), "OPTIONS"). */
function deb822Name(option: string): string {
  const irregular: Record<string, string> = { arch: 'Architectures', lang: 'Languages', target: 'Targets' };
  return (
    irregular[option] ??
    option
      .split('-')
      .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
      .join('-')
  );
}

/** Parses the one-line format (`sources.list`, `*.list`): `deb [ option=value … ] uri suite component …`. */
export function parseOneLine(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+[^#\s]\S*)*)\s*(?:#.*)?$/.exec(line);
    if (match === null) continue;
    const options = new Map<string, string>();
    for (const option of words(match[1] ?? '')) {
      const [name, ...rest] = option.split('=');
      // `arch+=` and `arch-=` modify a default, so only plain assignments carry over.
      if (name !== undefined && rest.length > 0 && !/[+-]$/.test(name))
        options.set(deb822Name(name), rest.join('=').replaceAll(',', ' '));
    }
    sources.push({ uris: [match[2] ?? ''], suites: [match[3] ?? ''], components: words(match[4] ?? ''), options });
  }
  return sources;
}

/** Reads all sources under an apt folder (`/etc/apt`), in apt's own order. */
export async function readAptSources(folder = '/etc/apt'): Promise<AptSource[]> {
  const texts: { path: string; text: string }[] = [];
  const add = async (path: string): Promise<void> => {
    try {
      texts.push({ path, text: await readFile(path, 'utf8') });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  };
  await add(join(folder, 'sources.list'));
  let names: string[] = [];
  try {
    names = (await readdir(join(folder, 'sources.list.d'))).sort();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  for (const name of names.filter((each) => /\.(sources|list)$/.test(each)))
    await add(join(folder, 'sources.list.d', name));
  return texts.flatMap(({ path, text }) => (path.endsWith('.sources') ? parseDeb822(text) : parseOneLine(text)));
}

/** Returns the machine's entry for the release itself, from which others are derived. Throws `settings` without one. */
export function mainSource(sources: readonly AptSource[], codename: string): AptSource {
  const found = sources.find(
    (source) => source.suites.includes(codename) && source.components.includes('main') && source.uris.length > 0,
  );
  if (found !== undefined) return found;
  throw new Failure('settings', {
    what: "this machine's apt sources",
    why: `/etc/apt has no entry for the suite "${codename}" with the component "main"`,
    next: 'add one, run "apt-get update", and start again',
  });
}

/** Renders an entry in deb822 format, as text of a `*.sources` file. */
export function renderDeb822(source: AptSource): string {
  return [
    'Types: deb',
    `URIs: ${source.uris.join(' ')}`,
    `Suites: ${source.suites.join(' ')}`,
    `Components: ${source.components.join(' ')}`,
    ...[...source.options].map(([name, value]) => `${name}: ${value}`),
    '',
  ].join('\n');
}

export interface AddedSource {
  readonly fileName: string;
  readonly text: string;
  /** A description for users: `the suite bookworm-backports`. */
  readonly what: string;
}

/** Returns the source file that adds `suite` with `component`; `undefined` if the machine already has it. */
export function missingSource(
  sources: readonly AptSource[],
  wanted: { readonly codename: string; readonly suite: string; readonly component: string },
): AddedSource | undefined {
  const { codename, suite, component } = wanted;
  if (sources.some((source) => source.suites.includes(suite) && source.components.includes(component)))
    return undefined;
  if (suite !== codename) {
    const base = mainSource(sources, codename);
    return {
      fileName: 'containarium-backports.sources',
      text: renderDeb822({ ...base, suites: [suite], components: [component] }),
      what: `the suite ${suite}`,
    };
  }
  // Add a missing component beside every entry of the release, so that its updates and security fixes come with it.
  const wantedSuites = new Set([codename, `${codename}-updates`, `${codename}-security`]);
  const stanzas = sources
    .filter((source) => source.components.includes('main'))
    .map((source) => ({
      ...source,
      suites: source.suites.filter((each) => wantedSuites.has(each)),
      components: [component],
    }))
    .filter((source) => source.suites.length > 0);
  if (stanzas.length === 0) mainSource(sources, codename);
  return {
    fileName: `containarium-${component}.sources`,
    text: stanzas.map(renderDeb822).join('\n'),
    what: `the component ${component}`,
  };
}
