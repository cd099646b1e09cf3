/** Features of the shell that the other tests do not try at several sizes of the window. */
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { openShell, type TestShell } from '../support/shell.ts';

let server: TestServer;
let key: TestKey;

beforeAll(async () => {
  [server, key] = await Promise.all([startServer(), temporaryFolder().then((folder) => makeKey(folder, 'user'))]);
  expect(await server.ssh(['create', 'alice'], { stdin: key.line })).toMatchObject({ code: 0 });
});

/** Rejoins the lines that a narrow terminal wraps. */
const flowing = (shell: TestShell): string => shell.scrollback().replace(/\s*\n\s*/g, ' ');

describe.each([
  [40, 12],
  [80, 24],
  [120, 40],
  [200, 50],
])('at %i x %i', (columns, rows) => {
  const size = { columns, rows };

  test('Tab completes, Up and Ctrl-R find earlier lines, and no row is longer than the window', async () => {
    const shell = await openShell(server, size);
    shell.type('info al').press('tab');
    await shell.shows(/^› info alice$/m);
    shell.press('enter');
    await shell.said(/Container:\s+alice-container/);
    await shell.shows(/^› ?$/m);
    shell.press('up');
    await shell.shows(/^› info alice$/m);
    shell.press('ctrl-u', 'ctrl-r').type('inf');
    await shell.shows(/search "inf": info alice/);
    shell.press('escape');
    await shell.showsNot(/search/);
    shell.press('ctrl-u', 'tab');
    await shell.shows(/^ {2}create/m);
    for (const row of shell.screen()) expect(row.length).toBeLessThanOrEqual(columns);
    expect(shell.text().split('\n').length).toBeLessThan(rows + 1);
  });

  test("another admin's calls and words appear above the line that is being typed", async () => {
    const shell = await openShell(server, size);
    shell.type('half a line');
    await shell.shows(/^› half a line$/m);
    const verb = (await server.ssh(['stop', 'alice'])).code === 0 ? 'stop' : 'nothing';
    expect((await server.ssh(['start', 'alice'])).code).toBe(0);
    expect((await server.ssh(['say', 'hello', 'all'])).code).toBe(0);
    await shell.said('tester: hello all');
    const text = await shell.shows(/^› half a line$/m);
    expect(text.match(/half a line/g)).toHaveLength(1);
    expect(flowing(shell)).toMatch(new RegExp(`✓ tester: ${verb} alice: done in .*✓ tester: start alice: done in`));
  });

  test('the terminal goes to a shell in the container and comes back', async () => {
    const shell = await openShell(server, size);
    shell.type('shell alice').press('enter');
    await shell.shows(/alice@alice-container:~\$ ?$/m);
    shell.type('size\r');
    await shell.shows(`${columns} x ${rows}`);
    shell.type('exit 4\r');
    await shell.said(/ended with\s+status 4/);
    await shell.shows(/^› ?$/m);
    shell.type('logs alice --lines 3').press('enter');
    await shell.said(/login:/);
    await shell.shows(/^› ?$/m);
  });

  test('self@ shows the card, and its ssh configuration is not broken into lines', async () => {
    const shell = await openShell(server, { ...size, user: 'self', key: key.path });
    await shell.said(/change\s+its\s+keys\./);
    const said = shell.scrollback();
    expect(said).toMatch(/Container:\s+alice-container/);
    expect(said).toMatch(/^ {4}ProxyJump alice-jump$/m);
    expect(flowing(shell).replaceAll(' ', '')).toContain(key.fingerprint);
  });

  test('leaving removes the live part and keeps the transcript', async () => {
    const shell = await openShell(server, size);
    shell.type('whoami').press('enter');
    await shell.said(/Name:\s+tester/);
    shell.press('ctrl-d');
    expect(await shell.ended()).toBe(0);
    expect(shell.text()).not.toMatch(/^›\s*$/m);
    expect(shell.scrollback()).toMatch(/Name:\s+tester/);
    expect([shell.onAlternateScreen, shell.bracketedPaste, shell.cursorShown]).toEqual([false, false, true]);
  });
});
