/** docs/contributing.md adds a verb step by step. This test follows it in a copy of the tree and runs the verb. */
import { readFileSync } from 'node:fs';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { makeKey } from '../support/keys.ts';
import { repository, startServer, temporaryFolder } from '../support/server.ts';

interface Block {
  readonly kind: 'ts' | 'diff';
  readonly path: string;
  readonly lines: readonly string[];
}

/** Returns the code blocks that name a file, in their order. */
function blocks(page: string): Block[] {
  return [...page.matchAll(/^```(ts|diff) (src\/\S+)\n([^]*?)\n```$/gm)].map(([, kind, path = '', text = '']) => ({
    kind: kind as Block['kind'],
    path,
    lines: text.split('\n'),
  }));
}

/** Applies a block: a new file, or lines to insert after a line that occurs in the file once. */
function applied(before: string, { kind, path, lines }: Block): string {
  if (kind === 'ts') return `${lines.join('\n')}\n`;
  const side = (without: string): string =>
    lines
      .filter((line) => !line.startsWith(without))
      .map((line) => `${line.slice(1)}\n`)
      .join('');
  const parts = before.split(side('+'));
  expect(parts, `the context of a change of ${path} stands there once`).toHaveLength(2);
  return parts.join(side('-'));
}

test('the verb that docs/contributing.md adds compiles, appears in help, and answers', async () => {
  const page = readFileSync(join(repository, 'docs', 'contributing.md'), 'utf8');
  const copy = join(await temporaryFolder(), 'copy');
  await mkdir(copy);
  for (const name of ['src', 'package.json', 'tsconfig.json'])
    await cp(join(repository, name), join(copy, name), { recursive: true });
  await symlink(join(repository, 'node_modules'), join(copy, 'node_modules'));
  const changed = new Set<string>();
  for (const block of blocks(page)) {
    const path = join(copy, block.path);
    changed.add(block.path);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, applied(block.kind === 'ts' ? '' : await readFile(path, 'utf8'), block));
  }
  expect(changed.size).toBeGreaterThan(2);
  expect(changed.size, 'files of the product that a small verb takes').toBeLessThanOrEqual(6);

  const { exitCode, stdout } = await execa(process.execPath, [join(copy, 'src', 'build.mjs')], { reject: false });
  expect(exitCode, stdout).toBe(0);

  const server = await startServer({ program: join(copy, 'dist', 'main.js') });
  const alice = await makeKey(await temporaryFolder(), 'alice');
  expect(await server.ssh(['create', 'alice'], { stdin: alice.line })).toMatchObject({ code: 0 });
  const plain = await server.ssh(['address', 'alice']);
  expect(plain.stdout, plain.stderr).toMatch(/^\d+\.\d+\.\d+\.\d+\n$/);
  const own = await server.ssh(['address', '--json'], { user: 'self', key: alice.path });
  expect(JSON.parse(own.stdout)).toMatchObject({ ok: true, result: { user: 'alice', address: plain.stdout.trim() } });
  expect(await server.ssh(['address', 'nobody-here'])).toMatchObject({ code: 3 });
  expect((await server.ssh(['help', 'address'])).stdout).toContain("Print a container's address");
}, 300_000);
