/**
 * Terminals: `ssh -t` with a command, confirmation by typing the name, Ctrl-C, Ctrl-D, and a terminal without a
 * command.
 */
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { eventually, startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { connectShell } from '../support/shell.ts';
import { openTerminal } from '../support/terminal.ts';

let server: TestServer;
let key: TestKey;

beforeAll(async () => {
  [server, key] = await Promise.all([startServer(), temporaryFolder().then((folder) => makeKey(folder, 'user'))]);
});

async function create(user: string): Promise<void> {
  expect((await server.ssh(['create', user], { stdin: key.line })).code).toBe(0);
}

async function exists(user: string): Promise<boolean> {
  const { code } = await server.ssh(['info', user]);
  expect([0, 3]).toContain(code);
  return code === 0;
}

describe('a command with a terminal', () => {
  test('that deletes a user who cannot exist is refused without a question', async () => {
    const { stdout, code } = await server.ssh(['delete', "'No Name'"], { tty: true });
    expect(code).toBe(3);
    expect(stdout).not.toContain('to continue');
    expect(stdout).toMatch(/no such container \(not-found\)/);
  });

  test('passes everything to a program in the container that is typed before the program has the terminal', async () => {
    await create('typist');
    // Ctrl-A, which the simulated shell does not echo.
    const { code } = await server.ssh(['shell', 'typist'], { tty: true, stdin: `${'\x01'.repeat(500_000)}exit 7\n` });
    expect(code).toBe(7);
  });

  test('ends its lines with carriage returns', async () => {
    const { stdout, code } = await server.ssh(['whoami'], { tty: true });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}Name: tester/);
    expect(stdout.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  });

  test('prints one JSON document with --json', async () => {
    const { stdout, code } = await server.ssh(['info', 'missing', '--json'], { tty: true });
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: 'not-found' } });
  });

  test('reads a key from a pipe', async () => {
    const { stdout, code } = await server.ssh(['create', 'piped'], { tty: true, stdin: key.line });
    expect(code).toBe(0);
    expect(stdout).toMatch(/Paste public keys, one per line; end with Ctrl-D:\r\n/);
    expect(stdout).toMatch(/Container piped-container created\r\n/);
  });

  test('that waits for a key is cancelled by Ctrl-C', async () => {
    const { stdout, code } = await server.ssh(['create', 'cancelled'], { tty: true, stdin: `${key.line}\u0003` });
    expect(code).toBe(9);
    expect(stdout).toMatch(/interrupted.*\(cancelled\)/);
    expect(await exists('cancelled')).toBe(false);
  });

  test.each([
    ['create', /Create a container/i],
    ['resize piped', /\bcpu\b[^]*\bmemory\b/],
  ])('that lacks values opens the form: %s', async (line, form) => {
    const shell = await connectShell(server, { command: line });
    onTestFinished(() => shell.close());
    await shell.shows(form);
    shell.press('ctrl-c');
    expect(await shell.ended()).toBe(9);
    expect(shell.text()).toContain('Cancelled. Nothing was changed.');
  });

  test('that lacks values asks for them line by line where the terminal is dumb', async () => {
    const shell = await connectShell(server, { command: 'resize piped', term: 'dumb' });
    onTestFinished(() => shell.close());
    await shell.said(/Press Enter after each answer/);
    shell.press('ctrl-c');
    expect(await shell.ended()).toBe(9);
  });

  test.each(['create asks', 'create asks --ssh-key -'])('says what it waits for: %s', async (command) => {
    const shell = await connectShell(server, { command });
    onTestFinished(() => shell.close());
    await shell.shows('Paste public keys, one per line; end with Ctrl-D:');
    shell.press('ctrl-c');
    expect(await shell.ended()).toBe(9);
  });

  test('reads a typed key up to Ctrl-D, and echoes only plain text', async () => {
    const { stdout, code } = await server.ssh(['create', 'ctrl-d'], {
      tty: true,
      stdin: `${key.line.trim()}\u001b[2J\r\u0004`,
    });
    expect(stdout).not.toMatch(/\u001b/);
    expect(code).toBe(0);
    expect(await exists('ctrl-d')).toBe(true);
  });
});

describe('delete with a terminal', () => {
  test.each(['\n', '\r', '\r\n'])('deletes the container after the right name (ended by %j)', async (end) => {
    const user = `right-${end.length}${end.charCodeAt(0)}`;
    await create(user);
    const { stdout, code } = await server.ssh(['delete', user], { tty: true, stdin: `${user}${end}` });
    expect(stdout).toMatch(new RegExp(`Type "${user}" to continue: ${user}\r\n`));
    expect(code).toBe(0);
    expect(await exists(user)).toBe(false);
  });

  test('corrects the typed name with backspace and with delete', async () => {
    await create('corrected');
    const { code } = await server.ssh(['delete', 'corrected'], { tty: true, stdin: 'corx\u007frecx\bted\n' });
    expect(code).toBe(0);
  });

  test('edits the typed name in its middle, as the shell does', async () => {
    await create('edited');
    const shell = await connectShell(server, { command: 'delete edited' });
    onTestFinished(() => shell.close());
    await shell.shows(/Type "edited" to continue:$/);
    shell.type('dted').press('left', 'left', 'left').type('ix').press('backspace');
    await shell.shows(/to continue: dited$/);
    expect(shell.cursor.column).toBe('Type "edited" to continue: di'.length);
    shell.press('home').type('e').press('ctrl-e').type('!').press('left', 'delete');
    await shell.shows(/to continue: edited$/);
    shell.press('enter');
    expect(await shell.ended()).toBe(0);
    expect(await exists('edited')).toBe(false);
  });

  test.each([
    ['another name', 'alicf\n', 2, 'confirmation-mismatch'],
    ['nothing', '\n', 2, 'confirmation-mismatch'],
    ['Ctrl-C', 'alice\u0003', 9, 'cancelled'],
    ['Ctrl-D', 'alic\u0004', 9, 'cancelled'],
    ['the end of input', 'alice', 9, 'cancelled'],
  ])('changes nothing after %s', async (_, typed, expected, failure) => {
    if (!(await exists('alice'))) await create('alice');
    const { stdout, code } = await server.ssh(['delete', 'alice'], { tty: true, stdin: typed });
    expect(stdout).toContain(`(${failure})`);
    expect(code).toBe(expected);
    expect(await exists('alice')).toBe(true);
  });

  test('does not ask with --yes, and refuses without a terminal', async () => {
    await create('sure');
    const without = await server.ssh(['delete', 'sure'], { stdin: 'sure\n' });
    expect(without.code).toBe(2);
    expect(without.stderr).toMatch(/\(confirmation-required\)\nNext: .*delete sure --yes/);
    const sure = await server.ssh(['delete', 'sure', '--yes'], { tty: true });
    expect(sure.code).toBe(0);
    expect(sure.stdout).not.toMatch(/Type/);
  });

  test('fails for a missing container', async () => {
    const { code } = await server.ssh(['delete', 'missing'], { tty: true, stdin: 'missing\n' });
    expect(code).toBe(3);
  });
});

describe('a login without a command', () => {
  test('gets help if it has no terminal', async () => {
    const { stdout, code } = await server.ssh([]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^SIMULATED HOST /);
    expect(stdout).toMatch(/Usage: ssh -p \d+ manage@127\.0\.0\.1 <verb>/);
  });

  test('is told that nobody reads its standard input', async () => {
    const { stdout, stderr, code } = await server.ssh([], { stdin: 'list\nwhoami\n' });
    expect(code).toBe(2);
    expect(stdout).toMatch(/Usage: ssh -p \d+ manage@127\.0\.0\.1 <verb>/);
    expect(stderr).toMatch(/standard input: it was not read.*\nNext: .*ssh -tt … < script/);
  });

  test('gets the shell if it has a terminal', async () => {
    const session = server.startSsh([], { tty: true, openStdin: true, env: { TERM: 'xterm' } });
    let shown = '';
    session.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    await eventually(
      () => (shown.includes('›') ? true : undefined),
      () => Promise.resolve(`a composer; there is ${shown}`),
    );
    session.stdin?.write('exit\r');
    expect((await session).exitCode).toBe(0);
  });
});

describe('on a real terminal', () => {
  test('delete echoes the typed name and its corrections', async () => {
    await create('typed');
    const terminal = await openTerminal(['ssh', ...server.sshArguments({ options: ['-t'] }), 'delete', 'typed']);
    await terminal.shows(/Type "typed" to continue:$/);
    await terminal.type('tyyped', 'BSpace', 'BSpace', 'BSpace', 'BSpace');
    await terminal.shows(/to continue: ty$/);
    await terminal.type('ped', 'Enter');
    const shown = await terminal.shows(/Container typed-container and jump account typed deleted/);
    expect(shown).toMatch(/to continue: typed\n/);
    // The end of each step overwrites its beginning, on one line.
    expect(shown.match(/Stopping container…/g)).toHaveLength(1);
    expect(shown).toMatch(/^✓ \[3\/4\] Stopping container… \(/m);
    expect(await exists('typed')).toBe(false);
  });

  test('create shows its steps, one per line, and the configuration to send to the user', async () => {
    const terminal = await openTerminal([
      'ssh',
      ...server.sshArguments({ options: ['-t'] }),
      'create',
      'shown',
      '--ssh-key',
      `"${key.line.trim()}"`,
    ]);
    const shown = await terminal.shows(/Then shown connects with: ssh shown-dev/);
    expect(shown.match(/^✓ \[[1-5]\/5\] .*… \(.*s\)$/gm)).toHaveLength(5);
    expect(shown).toMatch(/^Container shown-container created$/m);
    expect(shown).not.toMatch(/^ {2}\[/m);
  });
});
