/** The lines of a plan in a real shell: a person who pastes them runs exactly the words of the plan, and no other. */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verbNamed } from '../../../src/catalogue/catalogue.ts';
import { planOf } from '../../../src/catalogue/plan.ts';
import { renderBlocks } from '../../../src/catalogue/render.ts';
import type { PlannedCommand, PlannedProgram } from '../../../src/domain/results/plan.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-plan-'));
  await mkdir(join(folder, 'bin'));
  // Writes its words and its standard input, each with its length.
  const program = `#!/bin/sh\n{ for word in "\${0##*/}" "$@"; do printf '%s:%s,' "\${#word}" "$word"; done; printf '<'; cat; printf '>\\n'; } >>"${folder}/ran"\n`;
  for (const name of ['incus', 'useradd', 'touch']) {
    await writeFile(join(folder, 'bin', name), program);
    await chmod(join(folder, 'bin', name), 0o755);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const program = (argv: readonly string[], stdin: string | null = null, stdinBytes = 0): PlannedProgram => ({
  kind: 'program',
  argv,
  stdin,
  stdinBytes,
});

/** Pastes the plan of these commands into a shell, and returns what it ran. */
async function pasted(shell: string, commands: readonly PlannedCommand[]): Promise<string> {
  await rm(join(folder, 'ran'), { force: true });
  const undo = [program(['touch', 'undone']), { kind: 'write', path: '/undone', bytes: 1 } as const];
  const plan = {
    verb: 'create',
    target: 'x',
    files: [],
    notes: [],
    steps: [{ title: 'One', step: 'one', commands, undo }],
  };
  const text = renderBlocks(planOf(verbNamed('create')).view(plan as never, { now: new Date(), terminal: true }));
  const lines = text.split('\n').filter((line) => line.startsWith('   '));
  const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}` };
  await writeFile(join(folder, 'pasted'), `${lines.join('\n')}\n`);
  await execa(shell, [join(folder, 'pasted')], { input: after, env, cwd: folder });
  return readFile(join(folder, 'ran'), 'utf8');
}

/** What a person has pasted after the plan. A program that reads standard input gets it. */
const after = 'touch x';

const words = [
  'plain',
  'two words',
  "it's",
  '"quoted"',
  `both ' and "`,
  '$HOME ${HOME} $(touch x) `touch x`',
  "'$(touch x)'",
  'a;touch x',
  'a|touch x&',
  '*',
  '?[a]~{b,c}',
  '~',
  '# comment',
  'back\\slash',
  '!history!',
  "it's !history!",
  'ümlaut',
  '',
  '{"config":{"user.note":"it\'s \\"$x\\""}}',
];

test.each(['sh', 'bash'])('every word arrives in %s as it is in the plan', async (shell) => {
  const ran = await pasted(shell, [program(['incus', ...words]), program(['useradd', '--comment', 'a b', 'alice'])]);
  const written = (all: readonly string[]): string => all.map((word) => `${[...word].length}:${word},`).join('');
  // dash counts bytes and bash characters, so the lengths of other words than ASCII are left out.
  const plain = (text: string): string => text.replace(/\d+:(?=ü)/g, ':');
  expect(plain(ran)).toBe(
    plain(`${written(['incus', ...words])}<${after}>\n${written(['useradd', '--comment', 'a b', 'alice'])}<>\n`),
  );
});

test('standard input that is shown arrives too', async () => {
  const json = '{"config":{"user.note":"100% it\'s \\\\n"}}';
  expect(await pasted('sh', [program(['incus', 'create'], json, 40)])).toBe(`5:incus,6:create,<${json}>\n`);
});

test('incus exec does not read what is pasted after it', async () => {
  expect(await pasted('sh', [program(['incus', 'exec', 'build', '--', 'true'])])).toMatch(/4:true,<>\n$/);
});

test('a line break in a word begins no other command', async () => {
  const ran = await pasted('sh', [
    program(['incus', 'a\ntouch x', '\r\ntouch y']),
    { kind: 'write', path: '/a\ntouch z', bytes: 1 },
    { kind: 'store', what: 'a\ntouch z', where: 'the folder /b\ntouch z' },
    { kind: 'delete', what: '$(touch z)', where: '`touch z`; touch z' },
    { kind: 'import', what: 'a\ntouch z', where: 'the backup\ntouch z' },
  ]);
  expect(ran).not.toMatch(/5:touch/);
  expect(ran.match(/5:incus,/g)).toHaveLength(1);
});
