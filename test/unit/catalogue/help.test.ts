import { describe, expect, it } from 'vitest';
import { catalogue, verbNames } from '../../../src/catalogue/catalogue.ts';
import { groups } from '../../../src/catalogue/groups.ts';
import { overview, verbForHelp, verbHelp } from '../../../src/catalogue/help.ts';
import { parseCommandLine } from '../../../src/catalogue/parse.ts';
import { renderBlocks } from '../../../src/catalogue/render.ts';

const admin = { entryPoint: 'manage', role: 'admin' } as const;

describe('help', () => {
  it('groups the verbs as the docs do, and names each once', () => {
    const blocks = overview(admin, 'ssh host');
    const shown = blocks.flatMap((block) =>
      block.kind === 'fields' ? [[block.title, block.fields.map(([names]) => names.split(', ')[0])]] : [],
    );
    const usable = new Set<string>(verbNames.filter((name) => catalogue[name].access.manage !== undefined));
    for (const [title, names] of shown as [string, string[]][]) {
      const [, grouped = []] = groups.find(([group]) => group === title) ?? [];
      expect([...names].sort()).toEqual(grouped.filter((name) => usable.has(name)).sort());
    }
    expect(shown.flatMap(([, names]) => names).sort()).toEqual([...usable].sort());
  });

  it('leaves out a group of which an owner may use nothing', () => {
    const text = renderBlocks(overview({ entryPoint: 'self', role: 'owner' }, 'ssh host'));
    expect(text).toMatch(/^Getting in:$/m);
    expect(text).not.toMatch(/^Admins:$/m);
  });

  it.each(['key', 'keys', 'audit', 'host-key'])('of %s shows everything that begins with it', (name) => {
    const actor = name === 'keys' ? ({ entryPoint: 'self', role: 'owner' } as const) : admin;
    const found = [verbForHelp([name], actor)].flat().map((verb) => verb.name);
    expect(found.sort()).toEqual(verbNames.filter((verb) => verb === name || verb.startsWith(`${name} `)).sort());
  });

  it.each(verbNames)('of %s shows the command alone inside the shell', (name) => {
    const text = renderBlocks(verbHelp(catalogue[name], '', 'manage'));
    const lines = text.split('\n').filter((line) => /^ {2}\w.*$|^Usage/.test(line));
    expect(text).toMatch(new RegExp(`^Usage: ${name}`));
    expect(text.slice(text.indexOf('Examples:'))).not.toMatch(/^ *ssh /m);
    for (const line of lines.filter((each) => each.startsWith('Usage'))) expect(line).not.toMatch(/ssh|< key\.pub/);
  });
});

describe('a command of the shell', () => {
  it.each([
    ['exit', 'leave the shell'],
    ['quit', 'leave the shell'],
    ['logout', 'leave the shell'],
    ['clear', 'clear the screen'],
    ['copy', 'copy the last configuration'],
  ])('says outside of it what it is: %s', (word, says) => {
    expect(() => parseCommandLine([word], admin)).toThrow(
      expect.objectContaining({
        code: 'unknown-command',
        why: expect.stringContaining(says) as string,
        next: expect.stringContaining('open the shell') as string,
      }) as Error,
    );
  });
});
