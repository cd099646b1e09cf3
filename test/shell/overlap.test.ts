/** Lines that are typed ahead: one question and one program at a time, the rest in order, and nothing is lost. */
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { openShell } from '../support/shell.ts';

let server: TestServer;
let key: TestKey;

beforeAll(async () => {
  [server, key] = await Promise.all([startServer(), temporaryFolder().then((folder) => makeKey(folder, 'user'))]);
  for (const user of ['alice', 'bob', 'carol', 'dave'])
    expect(await server.ssh(['create', user], { stdin: key.line })).toMatchObject({ code: 0 });
});

const promptOf = (user: string): RegExp => new RegExp(`${user}@${user}-container:~\\$ ?$`, 'm');

describe('lines typed at once', () => {
  test('ask one question after the other, and drop none', async () => {
    const shell = await openShell(server);
    shell.type('delete alice\rdelete bob\r');
    const asked = await shell.shows(/Type "(alice|bob)" to continue/);
    const [, first = ''] = /Type "(alice|bob)"/.exec(asked) ?? [];
    const second = first === 'alice' ? 'bob' : 'alice';
    shell.type(`${first}\r`);
    await shell.shows(`Type "${second}" to continue`);
    shell.press('escape');
    await shell.said('Cancelled. Nothing was changed.');
    await shell.said(`Container ${first}-container and jump account ${first} deleted`);
    await shell.shows(/^› ?$/m);
    expect((await server.ssh(['info', first])).code).toBe(3);
    expect((await server.ssh(['info', second])).code).toBe(0);
  });

  test('open one program after the other', async () => {
    const shell = await openShell(server);
    shell.type('shell carol\rshell dave\r');
    await shell.shows(promptOf('carol'));
    shell.type('exit 3\r');
    await shell.shows(promptOf('dave'));
    shell.type('exit 4\r');
    await shell.said('The shell in dave-container ended with status 4');
    expect(shell.scrollback()).toContain('The shell in carol-container ended with status 3');
    expect(shell.scrollback()).not.toContain('(internal)');
    await shell.shows(/^› ?$/m);
  });

  test('open a program once the live list is closed', async () => {
    const shell = await openShell(server);
    shell.type('ls -w\rshell dave\r');
    await shell.shows(/\? help|Esc/);
    shell.press('escape');
    await shell.shows(promptOf('dave'));
    shell.type('exit\r');
    await shell.said('The shell in dave-container ended');
    await shell.shows(/^› ?$/m);
  });
});

test('programs opened by keys of the live list at once come one after the other', async () => {
  const shell = await openShell(server, { columns: 120 });
  shell.type('list --watch --sort user').press('enter');
  await shell.shows(/carol[^]*dave/);
  shell.type('sjs');
  const first = await shell.shows(/@(\w+)-container:~\$ ?$/m);
  const [, user = ''] = /@(\w+)-container:~\$ ?$/m.exec(first) ?? [];
  shell.type('exit\r');
  const next = await shell.shows(new RegExp(`@(?!${user})(\\w+)-container:~\\$ ?$`, 'm'));
  expect(next).not.toContain('(internal)');
  shell.type('exit\r');
  await shell.shows(/carol[^]*dave/);
  expect(shell.onAlternateScreen).toBe(true);
});

test('Ctrl-L right after Enter keeps the answer, which is not drawn yet', async () => {
  const shell = await openShell(server);
  // In one packet: the answer is there, and waits for the screen, when Ctrl-L comes.
  shell.type('help whoami\r\x0c');
  await shell.said(/^› help whoami$/m);
  await shell.said(/Show your name, role, key and address/);
});
