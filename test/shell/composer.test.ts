/** The input line: completion, history, search, the keys of readline, pastes, and leaving. */
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { openShell } from '../support/shell.ts';

let server: TestServer;
let key: TestKey;

beforeAll(async () => {
  [server, key] = await Promise.all([startServer(), temporaryFolder().then((folder) => makeKey(folder, 'user'))]);
  for (const user of ['alice', 'alfred', 'bob'])
    expect(await server.ssh(['create', user], { stdin: key.line })).toMatchObject({ code: 0 });
});

describe('Tab', () => {
  test('completes a verb if it is the only candidate', async () => {
    const shell = await openShell(server);
    shell.type('rec').press('tab');
    await shell.shows(/^› reconcile$/m);
  });

  test('inserts the common prefix, lists the candidates, and cycles through them', async () => {
    const shell = await openShell(server);
    shell.type('info al').press('tab');
    const listed = await shell.shows(/^ {2}alice/m);
    expect(listed).toMatch(/^ {2}alfred/m);
    expect(listed).not.toMatch(/^ {2}bob/m);
    shell.press('tab', 'enter');
    await shell.shows(/^› info (alice|alfred)$/m);
    // Enter accepted the candidate and ran nothing.
    expect(shell.scrollback()).not.toMatch(/Container:/);
  });

  test.each([
    ['create x --auto', '--autostart '],
    ['create x --no-d', '--no-docker '],
    ['list --state run', 'running '],
    ['create x --memory 16', '16GiB '],
    ['list --sort mem', 'memory '],
    ['list --columns user,lab', 'user,labels'],
    ['export bo', 'bob '],
    ['help resi', 'resize '],
    ['aud', 'audit '],
    ['audit ver', 'verify '],
    ['admin remove tes', 'tester '],
    ['key remove bob SHA', 'SHA256:'],
    ['create x --image images:', 'images:ubuntu/24.04 '],
  ])('completes %j', async (typed, ending) => {
    const shell = await openShell(server, { columns: 120 });
    shell.type(typed).press('tab');
    const line = (text: string): string => text.split('\n').find((row) => row.startsWith('›')) ?? '';
    await expect.poll(() => `${line(shell.text())} `, { timeout: 10_000 }).toContain(ending);
  });

  test('offers an owner only their own containers at self@', async () => {
    const shell = await openShell(server, { user: 'self', key: key.path });
    shell.type('info ').press('tab');
    // The key opens these three containers.
    const listed = await shell.shows(/^ {2}bob/m);
    expect(listed).toMatch(/^ {2}alice/m);
  });
});

describe('the history', () => {
  test('is kept for the next shell, without lines that may contain secrets', async () => {
    const first = await openShell(server);
    first.type('info bob').press('enter');
    await first.said(/bob-container/);
    first.type(`key add bob --ssh-key "${key.line.trim()}"`).press('enter');
    await first.said(/nothing to change/);
    first.type('exit').press('enter');
    expect(await first.ended()).toBe(0);
    const next = await openShell(server);
    next.press('up');
    await next.shows(/^› info bob$/m);
    next.press('down');
    await next.shows(/^› ?$/m);
  });

  test('steps through the lines with the same prefix', async () => {
    const shell = await openShell(server);
    for (const line of ['whoami', 'version', 'whoami --json']) {
      shell.type(line).press('enter');
      await shell.shows(/^› ?$/m);
    }
    shell.type('ver').press('up');
    await shell.shows(/^› version$/m);
    shell.press('ctrl-c').type('who').press('up', 'up');
    await shell.shows(/^› whoami$/m);
  });

  test('is searched with Ctrl-R, and again for older lines', async () => {
    const shell = await openShell(server);
    for (const line of ['info alice', 'info alfred', 'version']) {
      shell.type(line).press('enter');
      await shell.said(line === 'version' ? /Node\.js/ : new RegExp(`${line.slice(5)}-container`));
    }
    shell.press('ctrl-r').type('info');
    await shell.shows(/search "info": info alfred/);
    shell.press('ctrl-r');
    await shell.shows(/search "info": info alice/);
    shell.press('escape');
    await shell.shows(/^› ?$/m);
    shell.press('ctrl-r').type('alfr').press('end');
    await shell.shows(/^› info alfred$/m);
  });
});

test('the keys of readline edit the line', async () => {
  const shell = await openShell(server);
  shell.type('one two three').press('ctrl-w');
  await shell.shows(/^› one two ?$/m);
  shell.press('ctrl-a').type('zero ').press('ctrl-e').type('end');
  await shell.shows(/^› zero one two end$/m);
  shell.press('alt-b', 'alt-b').press('ctrl-k');
  await shell.shows(/^› zero one ?$/m);
  shell.press('ctrl-u');
  await shell.shows(/^› ?$/m);
  shell.press('ctrl-y').press('home', 'right', 'delete', 'backspace');
  await shell.shows(/^› ro one ?$/m);
});

test('the cursor is where the next character goes, even among wide ones', async () => {
  const shell = await openShell(server);
  shell.type('日本語🚀x');
  await shell.shows(/日本語🚀x/);
  expect(shell.cursor.column).toBe(2 + 6 + 2 + 1);
  shell.press('left', 'left');
  await shell.shows(/日本語🚀x/);
  await expect.poll(() => shell.cursor.column).toBe(2 + 6);
});

describe('a paste', () => {
  test('of several lines stays lines, which run after Enter, one after the other', async () => {
    const shell = await openShell(server);
    shell.paste('whoami\nnosuch\nversion\n');
    await shell.shows(/^ {2}whoami\n {2}nosuch\n {2}version\n›\n3 pasted lines above: Enter runs all in order/m);
    expect(shell.scrollback()).not.toMatch(/Name:/);
    shell.press('enter');
    await shell.said(/^› whoami\n {2}Name:[^]*^› nosuch\n✗[^]*^› version\n {2}\S/m);
    await shell.shows(/help, Tab, Ctrl-O$/);
  });

  test('of several lines is dropped by Ctrl-C, and Backspace edits its last line', async () => {
    const shell = await openShell(server);
    shell.paste('whoami\nversion\n');
    await shell.shows(/^ {2}whoami\n {2}version\n›$/m);
    shell.press('backspace');
    await shell.shows(/^ {2}whoami\n› version$/m);
    shell.press('ctrl-c');
    await shell.shows(/^›\n.*help, Tab, Ctrl-O$/m);
    shell.type('version\r');
    await shell.said(/^› version\n/m);
    expect(shell.scrollback()).not.toMatch(/whoami/);
  });

  test('of 500 lines is kept whole, and its first lines are shown', async () => {
    const shell = await openShell(server);
    shell.paste(Array.from({ length: 501 }, (_, i) => `say line ${i} of a long paste`).join('\n'));
    await shell.shows(/^ {2}say line 0 of[^]*^ {2}… and 495 more lines\n› say line 500 of a long paste\n500 pasted/m);
    shell.press('enter');
    await shell.said(/› say line 20 of/);
    shell.press('ctrl-c');
    await shell.said(/\d+ waiting lines not run\./);
  });

  test('of more than 500 lines is refused as a whole', async () => {
    const shell = await openShell(server);
    shell.paste('nosuch\n'.repeat(501));
    await shell.said(/the paste: more than 500 pasted lines would wait for Enter; nothing of it was\s+kept/);
    await shell.shows(/^›\n.*help, Tab, Ctrl-O$/m);
  });

  test('of more than 256 KiB is refused as a whole', async () => {
    const shell = await openShell(server);
    shell.paste('whoami\n'.repeat(40_000));
    await shell.said(/the paste: it is longer than 256 KiB; nothing of it was kept/);
    await shell.shows(/^›\n.*help, Tab, Ctrl-O$/m);
  });

  test('of a key without paste markers runs nothing either', async () => {
    const shell = await openShell(server);
    shell.type(`${key.line.trim()}\r${key.line.trim()}\r`);
    await shell.shows(/^ {2}ssh-ed25519 .*\n {2}ssh-ed25519 .*\n›$/m);
    expect(shell.scrollback()).not.toMatch(/unknown-command/);
  });

  test('brings no control sequences into the line', async () => {
    const shell = await openShell(server);
    shell.paste('wh\x1b[2Jo\x07ami\x1b]0;title\x07');
    await shell.shows(/^› who?.*ami/m);
    expect(shell.received).not.toMatch(/title\x07/);
  });
});

test("the terminal's own replies are not typed", async () => {
  const shell = await openShell(server);
  // Replies to queries for a colour, the device and a setting, in pieces; a position report; a focus report.
  for (const piece of [
    '\x1b]11;rgb:0000/0000',
    '/0000\x1b\\',
    '\x1b[?62;',
    '22c',
    '\x1bP1$r0m\x1b',
    '\\',
    '\x1b[12;40R',
    '\x1b[I',
    '\x1b[O',
  ])
    shell.type(piece);
  shell.type('whoami').press('enter');
  await shell.said(/Name:\s+tester/);
  expect(shell.scrollback()).toMatch(/^› whoami$/m);
});

test('reports of the mouse type nothing, the keypad types, and Alt with an arrow of iTerm2 moves by a word', async () => {
  const shell = await openShell(server);
  for (const piece of ['\x1b[M', 'xru', '\x1b[<0;1;1M', '\x1b', '[', '<0;1;1m']) shell.type(piece);
  shell.type('say one two \x1bOq\x1bOr\x1bOn\x1bOp');
  await shell.shows(/^› say one two 12\.0$/m);
  shell.type('\x1b[1;9D'.repeat(3)).type('X');
  await shell.shows(/^› say one Xtwo 12\.0$/m);
});

describe('leaving the shell', () => {
  test('takes up to three Ctrl-C: clear, ask, leave', async () => {
    const shell = await openShell(server);
    shell.type('half a line').press('ctrl-c');
    await shell.shows(/^› ?$/m);
    shell.press('ctrl-c');
    await shell.shows(/Press Ctrl-C again to leave/);
    shell.press('ctrl-c');
    expect(await shell.ended()).toBe(0);
  });

  test('is cancelled by any other key after the first Ctrl-C', async () => {
    const shell = await openShell(server);
    shell.press('ctrl-c');
    await shell.shows(/Press Ctrl-C again/);
    shell.type('x');
    await shell.showsNot(/Press Ctrl-C again/);
    expect(shell.isClosed).toBe(false);
  });

  test('takes Ctrl-D on an empty line; in a line it deletes forward', async () => {
    const shell = await openShell(server);
    shell.type('ab').press('home', 'ctrl-d');
    await shell.shows(/^› b$/m);
    shell.press('ctrl-u', 'ctrl-k', 'ctrl-d');
    expect(await shell.ended()).toBe(0);
  });

  test('happens after the lines that were typed ahead before exit have run', async () => {
    const shell = await openShell(server);
    shell.type('whoami\rversion\rexit\r');
    expect(await shell.ended()).toBe(0);
    expect(shell.scrollback()).toMatch(/› whoami[\s\S]*› version[\s\S]*› exit/);
  });
});
