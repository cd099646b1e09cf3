/** Signals of the client (RFC 4254, section 6.9) to what has its terminal. */
import { beforeAll, expect, test } from 'vitest';
import { makeKey } from '../support/keys.ts';
import { eventually, startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { openShell } from '../support/shell.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
  const key = await makeKey(await temporaryFolder(), 'user');
  expect(await server.ssh(['create', 'alice'], { stdin: key.line })).toMatchObject({ code: 0 });
}, 120_000);

/** Waits until nobody has a program in a container open. */
const noShellRuns = (): Promise<unknown> =>
  eventually(
    async () => (/shell alice/.test((await server.ssh(['who'])).stdout) ? undefined : true),
    'the end of the program',
  );

test.each(['TERM', 'HUP'] as const)(
  'the signal %s ends the live list, which leaves the terminal as it was',
  async (name) => {
    const shell = await openShell(server, { command: 'list --watch' });
    await shell.shows(/\balice +•/);
    shell.signal(name);
    expect(await shell.ended()).toBe(9);
    expect(shell.onAlternateScreen).toBe(false);
    expect(shell.text()).toContain(`The session ends: the client sent the signal ${name}`);
  },
);

test('the signal INT closes the live list, as Ctrl-C does', async () => {
  const shell = await openShell(server, { command: 'list --watch' });
  await shell.shows(/\balice +•/);
  shell.signal('INT');
  expect(await shell.ended()).toBe(0);
});

test.each(['TERM', 'HUP'] as const)(
  'the signal %s ends a shell in a container, and says so on a line of its own',
  async (name) => {
    const shell = await openShell(server, { command: 'shell alice' });
    await shell.shows(/\$ ?$/);
    shell.type('half a line');
    await shell.shows(/\$ half a line$/);
    shell.signal(name);
    expect(await shell.ended()).toBe(9);
    expect(shell.text()).toMatch(new RegExp(`\\$ half a line\\nThe session ends: the client sent the signal ${name}$`));
    await noShellRuns();
  },
);

test('the signal INT reaches the program in a container as Ctrl-C', async () => {
  const shell = await openShell(server, { command: 'shell alice' });
  await shell.shows(/\$ ?$/);
  shell.type('half a line');
  await shell.shows(/half a line$/);
  shell.signal('INT');
  await shell.shows(/half a line\^C\n.*\$ ?$/);
  shell.type('exit\r');
  await shell.ended();
});

test('the signal INT clears the line of a shell, and TERM ends it', async () => {
  const shell = await openShell(server);
  shell.type('lis');
  await shell.shows(/^› lis$/m);
  shell.signal('INT');
  await shell.shows(/^›$/m);
  shell.signal('TERM');
  expect(await shell.ended()).toBe(9);
  expect(shell.text()).toMatch(/The session ends: the client sent the signal TERM$/);
});
