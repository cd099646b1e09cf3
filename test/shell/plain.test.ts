/** Screen-reader mode: the shell draws nothing and sends nothing but text. */
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { eventually, startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { startSlowServer } from '../support/slowServer.ts';
import { connectShell, openShell, type ShellOptions, type TestShell } from '../support/shell.ts';

let server: TestServer;
let key: TestKey;
let second: TestKey;

beforeAll(async () => {
  const folder = await temporaryFolder();
  [server, key, second] = await Promise.all([startServer(), makeKey(folder, 'user'), makeKey(folder, 'second')]);
  for (const user of ['alice', 'bob'])
    expect(await server.ssh(['create', user], { stdin: key.line })).toMatchObject({ code: 0 });
});

/** Opens a shell at its prompt. At the end, expects no escape character and no line feed without a carriage return. */
async function openPlain(options: ShellOptions = {}, on: TestServer = server): Promise<TestShell> {
  const shell = await connectShell(on, { term: 'dumb', ...options });
  onTestFinished(() => {
    shell.close();
    expectPlain(shell);
  });
  await shell.shows(/^>$/m);
  return shell;
}

function expectPlain(shell: TestShell): void {
  expect(shell.received).not.toMatch(/[\x1b\x9b]/);
  expect(shell.received).not.toMatch(/[^\r]\n/);
  expect(shell.received).not.toMatch(/[✓✗•›─│┌┐└┘█░⠋]/);
}

describe('screen-reader mode', () => {
  test.each(['dumb', 'unknown', 'a b;c'])('is used for TERM "%s"', async (term) => {
    const shell = await openPlain({ term });
    expect(shell.scrollback()).toMatch(/^Screen-reader mode: only lines of text\..*TERM/m);
    expect(shell.text()).toMatch(/SIMULATED HOST/);
  });

  test.each(['--plain', 'plain'])('is used for one login with the command "%s"', async (command) => {
    const shell = await openPlain({ term: 'xterm-256color', command });
    expect(shell.scrollback()).toMatch(/For this login only/);
    expect(shell.bracketedPaste).toBe(false);
  });

  test('is turned on by "plain on" and off by "plain off", at once and for later logins', async () => {
    const full = await openShell(server);
    full.type('plain on').press('enter');
    await full.said(/Screen-reader mode is on, also after your next login/);
    full.type('whoami').press('enter');
    await full.said(/^Name: tester$/m);
    full.close();
    const plain = await connectShell(server, { term: 'xterm-256color' });
    onTestFinished(() => plain.close());
    await plain.shows(/^>$/m);
    expect(plain.scrollback()).toMatch(/To turn it off, type "plain off"/);
    expectPlain(plain);
    plain.type('plain off').press('enter');
    await plain.said(/Screen-reader mode is off\./);
    await plain.shows(/^› ?$/m);
    await openShell(server);
  });

  test('works at self@ too, where it begins with the card of the container', async () => {
    const shell = await openPlain({ user: 'self', key: second.path, command: '--plain' }).catch(() => undefined);
    expect(shell).toBeUndefined();
    const own = await createFor('carol', second);
    await own();
  });
});

async function createFor(user: string, owner: TestKey): Promise<() => Promise<void>> {
  expect(await server.ssh(['create', user], { stdin: owner.line })).toMatchObject({ code: 0 });
  return async () => {
    const shell = await openPlain({ user: 'self', key: owner.path, command: '--plain' });
    expect(shell.scrollback()).toMatch(new RegExp(`Container: ${user}-container`));
    expect(shell.scrollback()).toMatch(/\n>$/);
    expect(shell.scrollback().match(/^>/gm)).toHaveLength(1);
  };
}

describe('in screen-reader mode', () => {
  test('list prints one sentence per container', async () => {
    const shell = await openPlain();
    shell.type('list').press('enter');
    const said = await shell.said(/Total: .* containers/);
    expect(said).toMatch(
      /^Container of alice: status Running, IP 10\.0\.3\.100, quota 50 GiB, autostart Yes, .* percent/m,
    );
  });

  test('info prints one line per fact', async () => {
    const shell = await openPlain();
    shell.type('info alice').press('enter');
    const said = await shell.said(/Host key: SHA256/);
    expect(said).toMatch(/^Status: Running$/m);
    expect(said).toMatch(/^Memory: .* of 4 GiB, .*percent$/m);
  });

  test('a failure has its next step', async () => {
    const shell = await openPlain();
    shell.type('lsit').press('enter');
    await shell.said(/^Error: .*\(unknown-command\)\. Next: /m);
  });

  test('help lists the verbs', async () => {
    const shell = await openPlain({ rows: 60 });
    shell.type('help').press('enter');
    const said = await shell.said(/Only in this shell/);
    expect(said).toMatch(/^delete, rm, remove: Delete a container/m);
  });

  test('copy and clear, which need control sequences, are refused', async () => {
    const shell = await openPlain();
    shell.type('copy').press('enter');
    await shell.said(/Error: "copy": screen-reader mode sends nothing but text/);
    shell.type('clear').press('enter');
    await shell.said(/nothing to clear/);
  });
});

describe('typing in screen-reader mode', () => {
  test('is echoed, and erased with backspace, Ctrl-W and Ctrl-U', async () => {
    const shell = await openPlain();
    shell.type('list alicx').press('backspace');
    await shell.shows(/^> list alic$/m);
    expect(shell.received.endsWith('list alicx\b \b')).toBe(true);
    shell.press('ctrl-w');
    await shell.shows(/^> list$/m);
    shell.press('ctrl-u');
    await shell.shows(/^>$/m);
    expect(shell.received).not.toMatch(/\r(?!\n)/);
  });

  test('is edited in its middle as in the composer, and completed and recalled at its cursor', async () => {
    const shell = await openPlain();
    shell.type('infa alice').press('alt-b', 'left', 'left').type('o').press('delete');
    await shell.shows(/^> info alice$/m);
    expect(shell.cursor.column).toBe('> info'.length);
    shell.press('ctrl-e', 'ctrl-w', 'ctrl-y', 'ctrl-y').type('\x1b[1;5D').press('ctrl-k');
    await shell.shows(/^> info$/m);
    shell.press('ctrl-u').type('list').press('enter');
    await shell.said(/^Total: \d containers[^]*\n>$/m);
    shell.type('info ali --yaml').press('alt-b', 'left', 'left', 'left', 'tab');
    await shell.shows(/^> info alice --yaml$/m);
    shell.press('ctrl-u', 'ctrl-k').type('lizz').press('left', 'left', 'up');
    await shell.shows(/^> list$/m);
    expect(shell.received).not.toMatch(/\r(?!\n)/);
  });

  test('shows earlier lines on new prompts', async () => {
    const shell = await openPlain();
    shell.type('whoami').press('enter');
    await shell.said(/Name: tester/);
    shell.type('version').press('enter');
    await shell.said(/Node\.js: [^]*\n>$/);
    shell.press('up');
    await shell.shows(/^> version$/m);
    shell.press('up');
    await shell.said(/> version\n> whoami$/);
    shell.press('down');
    await shell.said(/> version\n> whoami\n> version$/);
  });

  test('lists numbered choices on Tab', async () => {
    const shell = await openPlain();
    shell.type('info ').press('tab');
    const said = await shell.said(/Number, or Enter for none:$/);
    const number = /^(\d)\. bob/m.exec(said)?.[1] ?? '';
    shell.type(number).press('enter');
    await shell.said(/> info bob$/);
    shell.press('enter');
    await shell.said(/Container: bob-container/);
  });

  test('completes the only candidate in place on Tab', async () => {
    const shell = await openPlain();
    shell.type('info ali').press('tab');
    await shell.shows(/^> info alice$/m);
    expect(shell.text().match(/info/g)).toHaveLength(1);
  });

  test('runs nothing when a key is pasted', async () => {
    const shell = await openPlain();
    shell.paste(`${key.line}${second.line}`);
    await shell.shows(/second@laptop/);
    shell.press('enter');
    await shell.said(/That is a public key, not a command/);
    shell.type(key.line.replace('\n', '\r'));
    await shell.said(/(That is a public key[^]*){2}/);
    expect(shell.scrollback()).not.toMatch(/unknown-command/);
  });

  test('is cleared by Ctrl-C, which then asks and leaves', async () => {
    const shell = await openPlain();
    shell.type('delete ali').press('ctrl-c');
    await shell.said(/Cleared\./);
    shell.press('ctrl-c');
    await shell.said(/Press Ctrl-C again to leave/);
    shell.press('ctrl-c');
    expect(await shell.ended()).toBe(0);
    expect(shell.received.endsWith('\r\n')).toBe(true);
  });

  test('ends with Ctrl-D on an empty line', async () => {
    const shell = await openPlain();
    shell.type('x').press('ctrl-d', 'backspace', 'ctrl-d');
    expect(await shell.ended()).toBe(0);
  });
});

describe('a question in screen-reader mode', () => {
  test('is asked for each value of create, and again if the value is not accepted', async () => {
    const shell = await openPlain();
    shell.type('create').press('enter');
    await shell.said(/user: $|user:$/);
    shell.type('Not A Name').press('enter');
    await shell.said(/Not accepted: .*\n[^]*user:$/);
    shell.type('dora').press('enter');
    await shell.said(/public key:$/);
    shell.type('nonsense').press('enter');
    await shell.said(/(Not accepted: [^]*){2}public key:$/);
    shell.type('back').press('enter');
    await shell.said(/Press Enter to keep dora\.\nuser:$/);
    shell.press('enter');
    await shell.said(/(public key:[^]*){3}$/);
    shell.paste(key.line.trim());
    await shell.said(/user@laptop$/);
    shell.press('enter');
    await shell.said(/That is .*SHA256:.*\n[^]*cpu:$/);
    shell.type('2').press('enter');
    await shell.said(/memory:$/);
    shell.press('enter');
    await shell.said(/disk-quota:$/);
    shell.press('enter');
    await shell.said(/processes:$/);
    shell.press('enter');
    await shell.said(/image:$/);
    shell.press('enter');
    await shell.said(/1\. as configured\n2\. yes\n3\. no\nNumber for autostart, or Enter for 1:$/);
    shell.type('3').press('enter');
    await shell.said(/Number for docker, or Enter for 1:$/);
    shell.type('done').press('enter');
    await shell.said(
      /Your answers: user dora, public key .*, cpu 2, autostart no\.\nPress Enter to create, or type "plan" or "back":$/,
    );
    shell.type('plan').press('enter');
    await shell.said(/Plan of "create dora"\. Nothing was changed\.[^]*userdel dora[^]*type "plan" or "back":$/);
    shell.press('enter');
    const said = await shell.said(/Container dora-container created/);
    const steps = [...said.matchAll(/^Step (\d) of 5: .*, done, \d.* (?:milli)?seconds?[.:]/gm)].map(
      (match) => match[1],
    );
    expect(steps).toEqual(['1', '2', '3', '4', '5']);
    shell.type('info dora').press('enter');
    await shell.said(/^Auto-start: Disabled$/m);
  });

  test('is cancelled by Ctrl-C', async () => {
    const shell = await openPlain();
    shell.type('create frank').press('enter');
    await shell.said(/user: frank, as you typed it\.[^]*public key:$/);
    shell.press('ctrl-c');
    await shell.said(/Cancelled\. Nothing was changed\.\n>$/);
  });

  test('before delete requires the name', async () => {
    const shell = await openPlain();
    await createFor('erin', key);
    shell.type('delete erin').press('enter');
    await shell.said(
      /"trash restore" brings it back\.\nContainer: erin-container[^]*Type "erin" to continue, or press Enter to cancel:$/,
    );
    shell.press('enter');
    await shell.said(/Cancelled\. Nothing was changed\./);
    shell.type('delete erin').press('enter');
    await shell.said(/(Type "erin"[^]*){2}$/);
    shell.type('eric').press('enter');
    await shell.said(/That does not match "erin"\.\nType "erin"/);
    shell.type('erin').press('enter');
    await shell.said(/Container erin-container and jump account erin deleted/);
  });
});

describe('changes by others in screen-reader mode', () => {
  test('are announced at an empty prompt, not in the middle of a line', async () => {
    const shell = await openPlain();
    expect(await server.ssh(['stop', 'bob'])).toMatchObject({ code: 0 });
    await shell.said(/tester: stop bob finished in .*\n>$/);
    shell.type('whoa');
    await shell.shows(/^> whoa$/m);
    expect(await server.ssh(['start', 'bob'])).toMatchObject({ code: 0 });
    shell.type('mi');
    await shell.shows(/^> whoami$/m);
    expect(shell.scrollback()).not.toMatch(/start bob/);
    shell.press('enter');
    await shell.said(/> whoami\ntester: start bob finished in .*\nName: tester/);
  });

  test('are announced by list --watch until Enter', async () => {
    const shell = await openPlain();
    shell.type('list --watch').press('enter');
    await shell.said(/Container of bob: status Running[^]*Press Enter or Ctrl-C to stop\./);
    expect(await server.ssh(['stop', 'bob'])).toMatchObject({ code: 0 });
    await shell.said(/Container of bob: status Stopped, was Running/);
    shell.press('enter');
    await shell.said(/No longer watching the list\.\n>$/);
    expect(await server.ssh(['start', 'bob'])).toMatchObject({ code: 0 });
  });
});

describe('a running command in screen-reader mode', () => {
  let slow: TestServer;

  beforeAll(async () => {
    slow = await startSlowServer(1000, { user: 'gina', line: key.line });
  });

  test('continues after Ctrl-C if it changes something and cannot be cancelled, and its end is announced', async () => {
    const shell = await openPlain({}, slow);
    shell.type('restart gina').press('enter');
    await eventually(() => (shell.received.includes('restart gina\r\n') ? true : undefined), 'the line was taken');
    shell.press('ctrl-c');
    await shell.said(/The command continues\. Its end is announced here\.\n>/);
    shell.type('whoami').press('enter');
    await shell.said(/Name: tester/);
    await shell.said(/gina-container: Running[^]*\n>$/);
  });

  test('is stopped by Ctrl-C if it only reads', async () => {
    const shell = await openPlain({}, slow);
    shell.type('logs gina --follow').press('enter');
    await shell.said(/gina-container login:/);
    shell.press('ctrl-c');
    await shell.said(/gina-container login: *\n(Stopped\.\n)?>$/);
  });
});

describe('a command line with a plain terminal', () => {
  test('for list --watch runs until Ctrl-C, which ends the session', async () => {
    const shell = await connectShell(server, { term: 'dumb', command: 'list --watch' });
    await shell.said(/Press Enter or Ctrl-C to stop\./);
    shell.press('ctrl-c');
    expect(await shell.ended()).toBe(0);
    expectPlain(shell);
  });

  test('of ssh(1) may be "plain" or "--plain"', async () => {
    for (const words of [['plain'], ['--plain']]) {
      const shell = server.startSsh(words, { tty: true, openStdin: true });
      // Typed ahead.
      shell.stdin?.write('whoami\rexit\r');
      const { stdout, exitCode } = await shell;
      expect(stdout).toMatch(
        /^Screen-reader mode: only lines of text\. For this login only[^]*> whoami\r\nName: tester[^]*> exit\r\n$/,
      );
      expect(exitCode).toBe(0);
    }
  });
});

test('in screen-reader mode a shell in a container has the terminal until it ends', async () => {
  const shell = await openPlain();
  shell.type('shell alice').press('enter');
  await shell.said(/You are now inside the container[^]*\$/);
  shell.type('exit').press('enter');
  await shell.said(/ended with status 0\n>$/);
});
