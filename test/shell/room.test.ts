/** Several admins in one room, operations that outlive their connection, and the terminal after a shell has ended. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { eventually, startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { openShell, connectShell, type TestShell } from '../support/shell.ts';
import { openTerminal } from '../support/terminal.ts';

let server: TestServer;
let key: TestKey;
let carol: TestKey;

beforeAll(async () => {
  const folder = await temporaryFolder();
  [server, key, carol] = await Promise.all([
    startServer({ env: { CONTAINARIUM_SIMULATED_PACE_MS: '400' } }),
    makeKey(folder, 'user'),
    makeKey(folder, 'carol'),
  ]);
  expect(await server.ssh(['admin', 'add', 'carol'], { stdin: carol.line })).toMatchObject({ code: 0 });
  expect(await server.ssh(['create', 'alice'], { stdin: key.line })).toMatchObject({ code: 0 });
});

const asCarol = (): Promise<TestShell> => openShell(server, { key: carol.path });

describe('the room', () => {
  test('shows admins when others join and leave, and who is here', async () => {
    const first = await openShell(server);
    const second = await asCarol();
    await first.shows(/also here: carol/);
    await second.shows(/also here: tester/);
    second.type('who').press('enter');
    const said = await second.said(/│ tester +│ manage/);
    expect(said).toMatch(/│ carol +│ manage/);
    second.press('ctrl-d');
    expect(await second.ended()).toBe(0);
    await first.showsNot(/also here/);
  });

  test("shows an admin's call in the others' transcripts: actor, call, outcome", async () => {
    const first = await openShell(server);
    const second = await asCarol();
    second.type(`create bob --ssh-key "${key.line.trim()}"`).press('enter');
    await first.shows(/carol: create bob/);
    await first.said(/✓ carol: create bob: done in \d/);
    // It is shown once, and not to the actor.
    expect(first.scrollback().match(/carol: create bob: done/g)).toHaveLength(1);
    await second.said(/Then bob connects with: ssh bob-dev/);
    expect(second.scrollback()).not.toMatch(/carol: create bob/);
  });

  test('shows calls made without a shell, and failures', async () => {
    const shell = await openShell(server);
    expect((await server.ssh(['create', 'alice'], { key: carol.path, stdin: key.line })).code).toBe(5);
    await shell.said(/✗ carol: create alice: failed: container "alice-container": it already exists/);
  });

  test('passes on the text of say, including apostrophes', async () => {
    const first = await openShell(server);
    const second = await asCarol();
    second.type("say it's the host; it restarts at 18:00 & comes back").press('enter');
    await first.said("carol: it's the host; it restarts at 18:00 & comes back");
    await second.said('Sent to 1 other shell');
  });

  test('escapes control sequences in the text of say', async () => {
    const shell = await openShell(server);
    const { code } = await server.ssh(['say', "'\u001b]0;owned\u0007\u202edlrow'"], { key: carol.path });
    expect(code).toBe(0);
    await shell.said(/carol: \\u\{1b\}\]0;owned/);
    expect(shell.received).not.toMatch(/\u001b\]0;|\u202e/);
  });

  test('shows an owner only calls on their own container', async () => {
    const owner = await openShell(server, { user: 'self', key: key.path });
    await owner.said(/Container:\s+alice-container/);
    expect((await server.ssh(['stop', 'alice'])).code).toBe(0);
    await owner.said(/tester: stop alice: done/);
    expect((await server.ssh(['start', 'alice'])).code).toBe(0);
    const other = await makeKey(await temporaryFolder(), 'other');
    expect((await server.ssh(['create', 'zoe'], { stdin: other.line })).code).toBe(0);
    await owner.said(/tester: start alice: done/);
    expect(owner.scrollback()).not.toMatch(/zoe/);
  });
});

describe('an operation whose connection is lost', () => {
  test('is shown as running after reconnecting, and then its end', async () => {
    const shell = await openShell(server);
    shell.type(`create dora --ssh-key "${key.line.trim()}"`).press('enter');
    await shell.shows(/\[2\/5\] Starting container/);
    shell.drop();
    const again = await openShell(server);
    await again.shows(/tester: create dora/);
    await again.said(/tester: create dora: done in/);
    expect((await server.ssh(['info', 'dora'])).code).toBe(0);
  });

  test('is shown as ended after reconnecting later', async () => {
    const shell = await asCarol();
    shell.type(`create erik --ssh-key "${key.line.trim()}"`).press('enter');
    await shell.shows(/\[1\/5\] Creating container/);
    shell.drop();
    await eventually(
      async () =>
        (await server.ssh(['info', 'erik', '--json'])).stdout.includes('"provisioning": "ready"') ? true : undefined,
      'erik is there',
    );
    // A failed call that only reads is not shown to others.
    expect((await server.ssh(['info', 'missing-one'])).code).toBe(3);
    const again = await asCarol();
    const said = await again.said(/carol: create erik: done in .* \(while you were away\)/);
    expect(said).not.toMatch(/missing-one/);
  });
});

describe('an idle shell', () => {
  test('is sent nothing while nothing changes', async () => {
    const shell = await openShell(server);
    await shell.shows(/^› ?$/m);
    const before = shell.received.length;
    // Several round trips of another client, some of them to the host.
    for (const words of [['whoami'], ['list'], ['info', 'alice']]) expect((await server.ssh(words)).code).toBe(0);
    expect(shell.received.length - before).toBe(0);
  });
});

describe('the terminal is restored', () => {
  const asFound = (shell: TestShell): void => {
    expect(shell.onAlternateScreen).toBe(false);
    expect(shell.bracketedPaste).toBe(false);
    expect(shell.cursorShown).toBe(true);
    expect(shell.mouse).toBe('none');
    // The live part is removed.
    expect(shell.text()).not.toMatch(/SIMULATED HOST ·/);
  };

  test('on exit', async () => {
    const shell = await openShell(server);
    expect(shell.bracketedPaste).toBe(true);
    shell.type('exit').press('enter');
    expect(await shell.ended()).toBe(0);
    asFound(shell);
  });

  test('when the admin is removed, which ends only their shells, with the reason', async () => {
    const mallory = await makeKey(await temporaryFolder(), 'mallory');
    expect((await server.ssh(['admin', 'add', 'mallory'], { stdin: mallory.line })).code).toBe(0);
    const [shell, other] = [await openShell(server, { key: mallory.path }), await openShell(server)];
    expect((await server.ssh(['admin', 'remove', 'mallory'])).code).toBe(0);
    expect(await shell.ended()).toBe(1);
    expect(shell.scrollback()).toMatch(/The session ends: your key is no longer accepted here/);
    asFound(shell);
    other.type('whoami').press('enter');
    await other.said(/Name:\s+tester/);
  });

  test('on SIGTERM of the server', async () => {
    const stopping = await startServer();
    const shell = await connectShell(stopping);
    await shell.shows(/^› ?$/m);
    expect(await stopping.stop()).toBe(0);
    await shell.ended();
    expect(shell.scrollback()).toMatch(/The session ends: the server is stopping/);
    asFound(shell);
  });

  test('for the local shell that ran ssh under tmux', async () => {
    const folder = await temporaryFolder();
    const script = join(folder, 'run.sh');
    const quoted = server
      .sshArguments({ options: ['-t'] })
      .map((word) => `'${word}'`)
      .join(' ');
    await writeFile(script, `echo before\nssh ${quoted}\necho "after $?"\nstty -a\ncat\n`);
    const terminal = await openTerminal(['sh', script]);
    await terminal.shows(/^›$/m);
    await terminal.type('whoami', 'Enter');
    await terminal.shows(/Name:\s+tester/);
    await terminal.type('exit', 'Enter');
    const shown = await terminal.shows(/after 0[\s\S]*icanon/);
    expect(shown).toMatch(/^before$/m);
    // The terminal echoes and edits lines again.
    expect(shown).toMatch(/ echo /);
    expect(shown).toMatch(/icanon/);
    expect(shown).not.toMatch(/SIMULATED HOST ·/);
  });

  test('independently of other shells, whose connections may be lost', async () => {
    const [lost, kept] = [await openShell(server), await asCarol()];
    lost.type('half a li').drop();
    await kept.showsNot(/also here: tester/);
    kept.type('whoami').press('enter');
    await kept.said(/Name:\s+carol/);
  });
});
