import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  missingSource,
  parseDeb822,
  parseOneLine,
  readAptSources,
  renderDeb822,
} from '../../../src/prepare/aptSources.ts';

const debian = `# A comment
Types: deb deb-src
URIs: http://mirror.invalid/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.invalid/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

const ubuntu = `Types: deb
URIs: http://mirror.invalid/ubuntu/
Suites: noble noble-updates noble-backports
Components: main restricted
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBFt
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: http://other.invalid/
Suites: noble
Components: main universe

Types: deb
URIs: http://security.invalid/ubuntu/
Suites: noble-security
Components: main
`;

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

describe('apt sources', () => {
  it('in deb822 format keep their options; disabled and source-only entries are left out', () => {
    const sources = parseDeb822(
      `${debian}\nTypes: deb-src\nURIs: http://x.invalid\nSuites: bookworm\nComponents: main\n`,
    );
    expect(sources).toHaveLength(2);
    expect(sources[0]).toEqual({
      uris: ['http://mirror.invalid/debian'],
      suites: ['bookworm', 'bookworm-updates'],
      components: ['main'],
      options: new Map([['Signed-By', '/usr/share/keyrings/debian-archive-keyring.gpg']]),
    });
    expect(parseDeb822(ubuntu).map((source) => source.uris[0])).toEqual([
      'http://mirror.invalid/ubuntu/',
      'http://security.invalid/ubuntu/',
    ]);
  });

  it('in one-line format keep their options as deb822 fields', () => {
    const text = [
      '# deb http://no.invalid bookworm main',
      'deb-src http://no.invalid bookworm main',
      'deb [arch=amd64,arm64 signed-by=/k.gpg trusted=yes] http://mirror.invalid/debian bookworm main contrib # why not',
      '  deb http://mirror.invalid/flat ./',
    ].join('\n');
    const [first, flat, ...others] = parseOneLine(text);
    expect(others).toEqual([]);
    expect(first?.components).toEqual(['main', 'contrib']);
    expect(first?.options).toEqual(
      new Map([
        ['Architectures', 'amd64 arm64'],
        ['Signed-By', '/k.gpg'],
        ['Trusted', 'yes'],
      ]),
    );
    expect(flat).toMatchObject({ suites: ['./'], components: [] });
  });

  it('are read from exactly the files that apt reads', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'apt-'));
    folders.push(folder);
    await mkdir(join(folder, 'sources.list.d'));
    await writeFile(join(folder, 'sources.list'), 'deb http://one.invalid bookworm main\n');
    await writeFile(join(folder, 'sources.list.d/b.sources'), debian);
    await writeFile(join(folder, 'sources.list.d/a.list'), 'deb http://two.invalid bookworm main\n');
    await writeFile(join(folder, 'sources.list.d/c.list.disabled'), 'deb http://three.invalid bookworm main\n');
    expect((await readAptSources(folder)).map((source) => source.uris[0])).toEqual([
      'http://one.invalid',
      'http://two.invalid',
      'http://mirror.invalid/debian',
      'http://mirror.invalid/debian-security',
    ]);
    expect(await readAptSources(join(folder, 'none'))).toEqual([]);
  });

  it('survive rendering and parsing, folded keys included', () => {
    for (const text of [debian, ubuntu]) {
      const sources = parseDeb822(text);
      expect(parseDeb822(sources.map(renderDeb822).join('\n'))).toEqual(sources);
    }
    const word = fc.stringMatching(/^[a-z][a-z0-9./:-]{0,12}$/);
    const source = fc.record({
      uris: fc.array(word, { minLength: 1, maxLength: 3 }),
      suites: fc.array(word, { minLength: 1, maxLength: 3 }),
      components: fc.array(word, { maxLength: 3 }),
      options: fc.constant(new Map([['Signed-By', '/k.gpg']])),
    });
    fc.assert(
      fc.property(source, (one) => {
        expect(parseDeb822(renderDeb822(one))).toEqual([one]);
      }),
    );
  });
});

describe('a missing suite', () => {
  const wanted = { codename: 'bookworm', suite: 'bookworm-backports', component: 'main' };

  it("is added beside the machine's own entry, with its address and key", () => {
    expect(missingSource(parseDeb822(debian), wanted)).toMatchObject({
      fileName: 'containarium-backports.sources',
      text:
        'Types: deb\nURIs: http://mirror.invalid/debian\nSuites: bookworm-backports\nComponents: main\n' +
        'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n',
    });
  });

  it('is not added twice, even if another file names it', () => {
    const added = missingSource(parseDeb822(debian), wanted);
    expect(missingSource([...parseDeb822(debian), ...parseDeb822(added?.text ?? '')], wanted)).toBeUndefined();
    expect(
      missingSource([...parseDeb822(debian), ...parseOneLine('deb http://m.invalid bookworm-backports main')], wanted),
    ).toBeUndefined();
  });

  it('cannot be derived if no entry names the release itself', () => {
    expect(() => missingSource(parseOneLine('deb http://vendor.invalid stable main'), wanted)).toThrow(
      expect.objectContaining({ code: 'settings' }),
    );
  });
});

describe('a missing component', () => {
  it('is added beside every entry of the release, including security updates but not backports', () => {
    const added = missingSource(parseDeb822(ubuntu), { codename: 'noble', suite: 'noble', component: 'universe' });
    const sources = parseDeb822(added?.text ?? '');
    expect(sources.map(({ uris, suites, components }) => ({ uris, suites, components }))).toEqual([
      { uris: ['http://mirror.invalid/ubuntu/'], suites: ['noble', 'noble-updates'], components: ['universe'] },
      { uris: ['http://security.invalid/ubuntu/'], suites: ['noble-security'], components: ['universe'] },
    ]);
    expect(sources[0]?.options.get('Signed-By')).toContain('mQINBFt');
    expect(
      missingSource([...parseDeb822(ubuntu), ...sources], { codename: 'noble', suite: 'noble', component: 'universe' }),
    ).toBeUndefined();
  });
});
