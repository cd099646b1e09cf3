/** What is typed is what is done: over ssh, in the shell and in a form, every value comes out as it went in. */
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { openShell } from '../support/shell.ts';

let server: TestServer;
let key: TestKey;

beforeAll(async () => {
  [server, key] = await Promise.all([startServer(), temporaryFolder().then((folder) => makeKey(folder, 'user'))]);
  expect(await server.ssh(['create', 'alice'], { stdin: key.line })).toMatchObject({ code: 0 });
});

const hostile: Readonly<Record<string, string>> = {
  braces: '${HOME}',
  open: '${',
  dollar: '$HOME$',
  words: 'two words, k=v',
  quotes: `it's "quoted"`,
  escapes: 'a\\tb\\\\',
  operators: 'a;b|c&d<e>(f)`id`$(id)#',
  globs: '*.?[a]~!',
  unicode: 'é — 日本',
};
/** Double quotes, as people type them. */
const typed = (value: string): string => `"${value.replace(/["\\$`]/g, '\\$&')}"`;

async function labels(user: string): Promise<unknown> {
  const { stdout } = await server.ssh(['info', user, '--json'], { shared: true });
  return (JSON.parse(stdout) as { result: { container: { labels: unknown } } }).result.container.labels;
}

describe('label values come out as they went in', () => {
  test('over ssh, in single and in double quotes, whose ${NAME} is no variable', async () => {
    for (const [name, value] of Object.entries(hostile))
      expect(await server.ssh(['label', 'set', 'alice', `${name}=${typed(value)}`], { shared: true })).toMatchObject({
        code: 0,
      });
    expect(await labels('alice')).toEqual(hostile);
    const single = `'${(hostile['quotes'] ?? '').replaceAll("'", "'\\''")}'`;
    expect(await server.ssh(['label', 'set', 'alice', `quotes=${single}`, '"braces=${HOME}"'])).toMatchObject({
      code: 0,
    });
    expect(await labels('alice')).toEqual(hostile);
    for (const name of Object.keys(hostile)) await server.ssh(['label', 'remove', 'alice', name], { shared: true });
  });

  test('in the shell', async () => {
    const shell = await openShell(server, { columns: 200 });
    const words = Object.entries(hostile).map(([name, value]) => typed(`${name}=${value}`));
    shell.type(`label set alice ${words.join(' ')}`).press('enter');
    await shell.shows(/alice-container: /);
    expect(await labels('alice')).toEqual(hostile);
  });

  test('in a form, from the line that opened it', async () => {
    const shell = await openShell(server, { columns: 200, rows: 40 });
    const words = Object.entries(hostile).map(([name, value]) => `--label ${typed(`${name}=${value}`)}`);
    shell.type(`create bob ${words.join(' ')}`).press('enter');
    await shell.shows(/public key:/);
    shell.paste(key.line);
    await shell.shows(/SHA256:/);
    // Down to the button, past the fields.
    for (let i = 0; i < 20; i++) shell.press('down');
    await shell.shows(/Press Enter to confirm/);
    shell.press('enter');
    await shell.said(/Container bob-container created/);
    expect(await labels('bob')).toEqual(hostile);
  });
});

test('list --label team=a-w over ssh -t is a list, and --watch as a value is no live list', async () => {
  await server.ssh(['label', 'set', 'alice', 'team=a-w'], { shared: true });
  const listed = await server.ssh(['list', '--label', 'team=a-w'], { tty: true });
  expect(listed).toMatchObject({ code: 0 });
  expect(listed.stdout).toMatch(/alice[^]*Total: 1 container/);
  const refused = await server.ssh(['list', '--label', '-w'], { tty: true });
  expect(refused.code).toBe(2);
  expect(refused.stdout).toContain('(invalid-label)');
});

test('export --output in the shell is refused, because the file would be one of the jump host', async () => {
  const shell = await openShell(server, { columns: 120 });
  shell.type('export alice --output /tmp/x').press('enter');
  await shell.shows(/--output: over ssh it would be a file of the jump host/);
  expect(shell.scrollback()).toMatch(/outside this shell, and redirect standard output/);
});
