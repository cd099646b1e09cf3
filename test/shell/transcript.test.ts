/** The transcript, and the live part below it. */
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { openShell } from '../support/shell.ts';

let server: TestServer;
let key: TestKey;

beforeAll(async () => {
  [server, key] = await Promise.all([startServer(), temporaryFolder().then((folder) => makeKey(folder, 'user'))]);
  for (const user of ['alice', 'bob'])
    expect(await server.ssh(['create', user], { stdin: key.line })).toMatchObject({ code: 0 });
});

describe.each([
  [40, 12],
  [80, 24],
  [120, 40],
  [200, 50],
])('at %i x %i', (columns, rows) => {
  test('an answer is in the scrollback once, above the composer', async () => {
    const shell = await openShell(server, { columns, rows });
    shell.type('whoami').press('enter');
    await shell.said(/Name:\s+tester/);
    const text = await shell.shows(/^› ?$/m);
    expect(shell.scrollback().match(/Name:\s+tester/g)).toHaveLength(1);
    expect(text.match(/^› ?$/gm)).toHaveLength(1);
    expect(shell.cursor.column).toBe(2);
    expect(shell.mouse).toBe('none');
    expect(shell.onAlternateScreen).toBe(false);
  });

  test('list shows every container, in columns or stacked', async () => {
    const shell = await openShell(server, { columns, rows });
    shell.type('list').press('enter');
    const said = await shell.said('Total: 2 containers');
    for (const name of ['alice', 'bob', 'Running']) expect(said).toContain(name);
    for (const line of shell.screen()) expect(line.length).toBeLessThanOrEqual(columns);
  });

  test('the live part is always shorter than the window', async () => {
    const shell = await openShell(server, { columns, rows });
    shell.type('x'.repeat(500));
    await shell.shows(/^› ….*x$/m);
    expect(
      shell
        .text()
        .split('\n')
        .filter((line) => line.startsWith('›')),
    ).toHaveLength(1);
    shell.press('ctrl-u').press('tab');
    await shell.shows(/create/);
    expect(shell.text().split('\n').length).toBeLessThan(rows);
  });
});

test('an unknown verb gets a suggestion', async () => {
  const shell = await openShell(server);
  shell.type('lsit').press('enter');
  await shell.said(/unknown-command/);
  expect(shell.scrollback()).toMatch(/list/);
});

test('a leading slash is ignored', async () => {
  const shell = await openShell(server);
  shell.type('/whoami').press('enter');
  await shell.said(/Name:\s+tester/);
});
