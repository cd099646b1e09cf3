/**
 * The machine's own apt sources (sources.list(5)), read in both of their forms. No mirror is ever named here: a suite
 * or component that is missing is added beside the machine's own entry, with the same address and the same signing key.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../domain/failure.ts';

/** One enabled entry for binary packages. */
export interface AptSource {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /**
   * Everything else that makes the entry work (`Signed-By`, `Architectures`, `Trusted` …) as deb822 fields, values
   * verbatim.
   */
  readonly options: ReadonlyMap<string, string>;
}

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

/** Fields of an entry that are rendered from {@link AptSource} itself, or say nothing about how it is fetched. */
const ownFields = new Set(['types', 'uris', 'suites', 'components', 'enabled', 'description', 'x-repolib-name']);

/** Parses the deb822 form (`*.sources`). Field names are compared without case; folded values keep their lines. */
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

/**
 * The deb822 name of an option of the one-line form (sources.list(5), "OPTIONS": `lang` and `arch` are the irregular
 * ones).
 */
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

/** Parses the one-line form (`sources.list`, `*.list`): `deb [ option=value … ] uri suite component …`. */
export function parseOneLine(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+[^#\s]\S*)*)\s*(?:#.*)?$/.exec(line);
    if (match === null) continue;
    const options = new Map<string, string>();
    for (const option of words(match[1] ?? '')) {
      const [name, ...rest] = option.split('=');
      // `arch+=` and `arch-=` change a default instead of replacing it: only plain assignments carry over.
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

/**
 * The machine's entry for the release itself, from which others are derived; a failure (`settings`) where there is
 * none.
 */
export function mainSource(sources: readonly AptSource[], codename: string): AptSource {
  const found = sources.find(
    (source) => source.suites.includes(codename) && source.components.includes('main') && source.uris.length > 0,
  );
  if (found !== undefined) return found;
  throw new Failure('settings', {
    what: "this machine's apt sources",
    why: `no entry for the suite "${codename}" with the component "main" was found in /etc/apt`,
    next: 'add one, run "apt-get update", and start again',
  });
}

/** One entry in deb822 form, as text of a `*.sources` file. */
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
  /** What is added, for people: `the suite bookworm-backports`. */
  readonly what: string;
}

/** What has to be added so that `suite` with `component` is there; `undefined` where it already is. */
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
  // A missing component: beside every entry of the release, so that its updates and security fixes come with it.
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
