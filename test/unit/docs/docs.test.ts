import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { describe, expect, it } from 'vitest';
import { verbNames } from '../../../src/catalogue/catalogue.ts';
import { exampleFile } from '../../../src/docs/configuration.ts';
import { environment } from '../../../src/docs/environment.ts';
import { pages } from '../../../src/docs/pages.ts';
import { groups } from '../../../src/catalogue/groups.ts';
import { packageRoot } from '../../../src/domain/packageRoot.ts';
import { checkSettings } from '../../../src/settings/settings.ts';
import { wrongCommands } from './commands.ts';
import { codeIn, relativeLinks } from './markdown.ts';

const read = (path: string): string => readFileSync(join(packageRoot, path), 'utf8');

function filesBelow(folder: string, ending: RegExp): string[] {
  return readdirSync(join(packageRoot, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ending.test(entry.name))
    .map((entry) => relative(packageRoot, join(entry.parentPath, entry.name)))
    .sort();
}

const documents = ['README.md', 'keys/README.md', ...filesBelow('docs', /\.md$/)];
const scripts = new Set(Object.keys((JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts));

describe('the generated pages', () => {
  it('are the same every time', () => {
    expect([...pages()]).toEqual([...pages()]);
  });

  const generated = pages();
  it.each([...generated.keys()])('include an up-to-date docs/%s', (path) => {
    const file = join(packageRoot, 'docs', path);
    expect(
      existsSync(file) ? readFileSync(file, 'utf8') : 'missing',
      `docs/${path} is out of date: run "npm run docs"`,
    ).toBe(generated.get(path));
  });

  it('have no page of a verb that no longer exists', () => {
    expect(filesBelow('docs/verbs', /\.md$/).filter((path) => !generated.has(path.slice('docs/'.length)))).toEqual([]);
  });

  it('list every verb in exactly one group of the index', () => {
    expect(groups.flatMap(([, verbs]) => verbs).sort()).toEqual([...verbNames].sort());
  });

  it('have an example configuration with every key at its default', () => {
    expect(checkSettings(parseYaml(exampleFile().join('\n')), 'the example')).toEqual(checkSettings({}, 'nothing'));
    const uncommented = exampleFile().map((line) => line.replace('# ', ''));
    const keys = (value: unknown): string[] =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(value).flatMap(([key, inner]) => [key, ...keys(inner).map((name) => `${key}.${name}`)])
        : [];
    expect(keys(parseYaml(uncommented.join('\n')))).toEqual(
      [...read('docs/configuration.md').matchAll(/^(?:\| `([\w.-]+)` \| [^|]+\| [^|]*\| |## `(\w+)`$)/gm)].map(
        (m) => m[1] ?? m[2],
      ),
    );
  });

  it('show the default of a duration', () => {
    expect(read('docs/configuration.md')).toMatch(/^\| `trash\.keep` \| duration \| `7d` \|/m);
    expect(exampleFile().join('\n')).toMatch(/^ {2}keepBeforeRestore: 7d$/m);
  });

  it('list exactly the environment variables that the sources read', () => {
    const texts = filesBelow('src', /\.ts$/)
      .filter((path) => !path.startsWith('src/docs/'))
      .map(read);
    const found = new Set(
      texts.flatMap((text) =>
        [...text.matchAll(/env(?:\.|\[')(CONTAINARIUM_\w+|INCUS_\w+)/g)].map((match) => match[1]),
      ),
    );
    expect(environment.map(([name]) => name).sort()).toEqual([...found].sort());
  });
});

describe.each(documents)('%s', (path) => {
  it('shows only valid commands', () => {
    expect(codeIn(read(path)).flatMap((line) => wrongCommands(line, scripts))).toEqual([]);
  });

  it('links only to existing files', () => {
    const missing = relativeLinks(read(path)).filter(
      (target) => !existsSync(resolve(packageRoot, dirname(path), target)),
    );
    expect(missing).toEqual([]);
  });
});
