/** Several admins in one room; operations that outlive the connection; what leaves the terminal, and how. */
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

describe('in one room', () => {
  test('admins see each other come and go, and who is here', async () => {
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

  test("what one does appears in the others' transcripts as it happens: who, what, outcome", async () => {
    const first = await openShell(server);
    const second = await asCarol();
    second.type(`create bob --ssh-key "${key.line.trim()}"`).press('enter');
    await first.shows(/carol: create bob/);
    await first.said(/✓ carol: create bob: done in \d/);
    // It is said once, and not to the one who did it.
    expect(first.scrollback().match(/carol: create bob: done/g)).toHaveLength(1);
    await second.said(/Then: ssh bob-dev/);
    expect(second.scrollback()).not.toMatch(/carol: create bob/);
  });

  test('also what is done headless, and what fails', async () => {
    const shell = await openShell(server);
    expect((await server.ssh(['create', 'alice'], { key: carol.path, stdin: key.line })).code).toBe(5);
    await shell.said(/✗ carol: create alice: failed: container "alice-container": it already exists/);
  });

  test('say speaks to all of them, apostrophes and all', async () => {
    const first = await openShell(server);
    const second = await asCarol();
    second.type("say it's the host; it restarts at 18:00 & comes back").press('enter');
    await first.said("carol: it's the host; it restarts at 18:00 & comes back");
    await second.said('1 other shell told');
  });

  test("nobody can speak with somebody else's control sequences", async () => {
    const shell = await openShell(server);
    const { code } = await server.ssh(['say', "'\u001b]0;owned\u0007\u202edlrow'"], { key: carol.path });
    expect(code).toBe(0);
    await shell.said(/carol: \\u\{1b\}\]0;owned/);
    expect(shell.received).not.toMatch(/\u001b\]0;|\u202e/);
  });

  test('an owner hears of what is done to their own container, and of nothing else', async () => {
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

describe('an operation outlives its connection', () => {
  test('and reconnecting shows what is still running, and then its end', async () => {
    const shell = await openShell(server);
    shell.type(`create dora --ssh-key "${key.line.trim()}"`).press('enter');
    await shell.shows(/\[2\/7\]/);
    shell.drop();
    const again = await openShell(server);
    await again.shows(/tester: create dora/);
    await again.said(/tester: create dora: done in/);
    expect((await server.ssh(['info', 'dora'])).code).toBe(0);
  });

  test('and reconnecting later shows what ended meanwhile', async () => {
    const shell = await asCarol();
    shell.type(`create erik --ssh-key "${key.line.trim()}"`).press('enter');
    await shell.shows(/\[1\/7\]/);
    shell.drop();
    await eventually(
      async () =>
        (await server.ssh(['info', 'erik', '--json'])).stdout.includes('"provisioning": "ready"') ? true : undefined,
      'erik is there',
    );
    // Somebody who looks in vain is nobody else's news.
    expect((await server.ssh(['info', 'missing-one'])).code).toBe(3);
    const again = await asCarol();
    const said = await again.said(/carol: create erik: done in .* \(while you were away\)/);
    expect(said).not.toMatch(/missing-one/);
  });
});

describe('nothing is written while nothing changes', () => {
  test('to a shell that waits', async () => {
    const shell = await openShell(server);
    await shell.shows(/^› ?$/m);
    const before = shell.received.length;
    // Several round trips of another client, among them a look at the host.
    for (const words of [['whoami'], ['list'], ['info', 'alice']]) expect((await server.ssh(words)).code).toBe(0);
    expect(shell.received.length - before).toBe(0);
  });
});

describe('the terminal is left as it was found', () => {
  const asFound = (shell: TestShell): void => {
    expect(shell.onAlternateScreen).toBe(false);
    expect(shell.bracketedPaste).toBe(false);
    expect(shell.cursorShown).toBe(true);
    expect(shell.mouse).toBe('none');
    // The live part is gone; what was said is still there.
    expect(shell.text()).not.toMatch(/SIMULATED HOST ·/);
  };

  test('on exit', async () => {
    const shell = await openShell(server);
    expect(shell.bracketedPaste).toBe(true);
    shell.type('exit').press('enter');
    expect(await shell.ended()).toBe(0);
    asFound(shell);
  });

  test('when the admin is removed: the session ends with the reason, the others go on', async () => {
    const mallory = await makeKey(await temporaryFolder(), 'mallory');
    expect((await server.ssh(['admin', 'add', 'mallory'], { stdin: mallory.line })).code).toBe(0);
    const [shell, other] = [await openShell(server, { key: mallory.path }), await openShell(server)];
    expect((await server.ssh(['admin', 'remove', 'mallory'])).code).toBe(0);
    expect(await shell.ended()).toBe(1);
    expect(shell.scrollback()).toMatch(/The session ends: your key may not be used here any more/);
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

  test('with the stock client under tmux: the shell behind it goes on', async () => {
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
    // The terminal echoes and edits again.
    expect(shown).toMatch(/ echo /);
    expect(shown).toMatch(/icanon/);
    expect(shown).not.toMatch(/SIMULATED HOST ·/);
  });

  test("and one session's lost connection does not disturb another", async () => {
    const [lost, kept] = [await openShell(server), await asCarol()];
    lost.type('half a li').drop();
    await kept.showsNot(/also here: tester/);
    kept.type('whoami').press('enter');
    await kept.said(/Name:\s+carol/);
  });
});
