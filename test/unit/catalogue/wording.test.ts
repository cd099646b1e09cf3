import { z } from 'zod';
import { describe, expect, it } from 'vitest';
import { verbNamed, verbNames, type VerbName } from '../../../src/catalogue/catalogue.ts';
import { describe as describeVerbs, usageLine, verbHelp } from '../../../src/catalogue/help.ts';
import { renderBlocks } from '../../../src/catalogue/render.ts';

describe.each(verbNames)('%s', (name) => {
  const verb = verbNamed(name);

  it('has a summary that is a short verb phrase without a full stop', () => {
    expect(verb.summary).toMatch(/^[A-Z][a-z]+ .*[^.!?]$/);
    // Imperative: "Create", not "Creates" or "Creating".
    expect(verb.summary.split(' ')[0]).not.toMatch(/(ing|[^s]s)$/);
    expect(verb.summary.length).toBeLessThanOrEqual(72);
  });

  it('explains each argument, option, example and exit code in a phrase without a full stop', () => {
    for (const { summary } of verb.parameters) expect(summary).toMatch(/^[^\s].*[^.\s]$/);
    for (const { says } of verb.examples) expect(says).toMatch(/^[^\s].*[^.\s]$/);
    for (const clause of Object.values(verb.ends ?? {})) expect(clause).toMatch(/^(Incus|[a-z]).*[^.\s]$/);
  });

  it('has a description in whole sentences', () => {
    for (const paragraph of verb.description ?? []) expect(paragraph).toMatch(/^[A-Z].*[.]$/);
  });

  it('declares exactly the properties of its input, as parameters, standard input or a confirmation', () => {
    const { properties = {} } = z.toJSONSchema(verb.input(), { io: 'input', unrepresentable: 'any' });
    const declared = [
      ...verb.parameters.map((parameter) => parameter.name),
      ...(verb.stdin === undefined ? [] : [verb.stdin.into]),
      ...(verb.danger === 'none' ? [] : ['confirm']),
    ];
    expect([...new Set(declared)].sort()).toEqual(Object.keys(properties).sort());
  });

  it('has no duplicate option, and none that is common to all verbs', () => {
    const flags = verb.parameters.flatMap((p) =>
      p.kind === 'option' ? [...p.long, ...(p.short === undefined ? [] : [p.short])] : [],
    );
    const all = [...flags, 'format', 'json', 'help', 'h'];
    expect(all.filter((flag, i) => all.indexOf(flag) !== i)).toEqual([]);
  });

  it('explains every exit code of its results other than success', () => {
    if (verb.exit !== undefined)
      expect(Object.keys(verb.ends ?? {}).filter((end) => end === 'partial' || end === 'failed')).not.toEqual([]);
    else expect(verb.ends?.partial === undefined || verb.changes).toBe(true);
  });

  it('asks for confirmation only if it changes something, and then accepts --yes', () => {
    if (verb.danger !== 'none')
      expect([verb.changes, verb.parameters.some((p) => p.name === 'yes')]).toEqual([true, true]);
  });

  it('has help with its usage, every option and every example', () => {
    const text = renderBlocks(verbHelp(verb, 'ssh -p 2222 manage@jump'));
    expect(text).toContain(`Usage: ssh -p 2222 manage@jump ${usageLine(verb)}`);
    for (const p of verb.parameters) expect(text).toContain(p.kind === 'option' ? `--${p.long[0]}` : p.name);
    for (const { line } of verb.examples)
      expect(text.replaceAll('ssh -t ', 'ssh ')).toContain(`ssh -p 2222 manage@jump ${line}\n`);
  });
});

describe('an example in help', () => {
  const help = (name: VerbName): string => renderBlocks(verbHelp(verbNamed(name), 'ssh -p 2222 manage@jump'));

  it.each([
    ['list', 'list --watch'],
    ['shell', 'shell alice'],
    ['delete', 'delete alice'],
  ] as const)('of %s requests a terminal where it needs one', (name, line) => {
    expect(help(name)).toContain(`ssh -t -p 2222 manage@jump ${line}\n`);
  });

  it.each([
    ['list', 'list --json'],
    ['delete', 'delete alice --yes'],
  ] as const)('of %s requests none where it needs none', (name, line) => {
    expect(help(name)).toContain(`ssh -p 2222 manage@jump ${line}\n`);
  });
});

describe('help as data', () => {
  it('survives JSON and has every verb with its parameters', () => {
    const data = describeVerbs(verbNames.map(verbNamed)) as {
      verbs: { name: string; parameters: unknown[] }[];
      exitCodes: { code: number }[];
    };
    expect(JSON.parse(JSON.stringify(data))).toEqual(data);
    expect(data.verbs.map(({ name, parameters }) => [name, parameters.length])).toEqual(
      verbNames.map((name) => [name, verbNamed(name).parameters.length]),
    );
    expect(data.exitCodes.map(({ code }) => code)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
