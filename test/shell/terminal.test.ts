/** A shell in a container, console logs, and the shell at self@. */
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { eventually, startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { connectShell, openShell } from '../support/shell.ts';

let server: TestServer;
let key: TestKey;

beforeAll(async () => {
  [server, key] = await Promise.all([startServer(), temporaryFolder().then((folder) => makeKey(folder, 'user'))]);
  expect(await server.ssh(['create', 'alice'], { stdin: key.line })).toMatchObject({ code: 0 });
});

const prompt = /alice@alice-container:~\$ ?$/m;

describe('shell', () => {
  test('hands the terminal over with its size, resizes and Ctrl-C, and gets it back with the exit status', async () => {
    const shell = await openShell(server, { columns: 100, rows: 30 });
    shell.type('whoami').press('enter');
    await shell.said(/Name:\s+tester/);
    shell.type('shell alice').press('enter');
    await shell.shows(prompt);
    shell.type('size\r');
    await shell.shows('100 x 30');
    shell.resize(90, 25).type('size\r');
    await shell.shows('90 x 25');
    shell.type('half').press('ctrl-c').type('echo whole\r');
    await shell.shows(/^whole$/m);
    shell.type('exit 3\r');
    await shell.said('The shell in alice-container ended with status 3');
    await shell.shows(/^› ?$/m);
    // The earlier transcript and the output from the container are still above.
    expect(shell.scrollback()).toMatch(/Name:\s+tester[\s\S]*› shell alice[\s\S]*whole[\s\S]*ended with status 3/);
    shell.type('version').press('enter');
    await shell.said(/Node\.js/);
  });

  test('restores the modes of the terminal', async () => {
    const shell = await openShell(server);
    shell.type('shell alice').press('enter');
    await shell.shows(prompt);
    // The program leaves the alternate screen, the mouse, a hidden cursor, insert mode and a charset behind.
    shell.type('printf \\e[?1049h\\e[?1002h\\e[?25l\\e[4h\\e[>1u\\e(0\r');
    await eventually(() => shell.onAlternateScreen || undefined, 'the alternate screen');
    expect(shell.mouse).toBe('drag');
    shell.type('exit\r');
    await shell.said(/ended with status/);
    await shell.shows(/^› ?$/m);
    expect(shell.onAlternateScreen).toBe(false);
    expect(shell.mouse).toBe('none');
    expect(shell.cursorShown).toBe(true);
    expect(shell.bracketedPaste).toBe(true);
    expect(shell.insertMode).toBe(false);
    expect(shell.received).toContain('\x1b[<1u');
  });

  test('delays notices until the terminal is back', async () => {
    const shell = await openShell(server);
    shell.type('shell alice').press('enter');
    await shell.shows(prompt);
    expect((await server.ssh(['say', 'are', 'you', 'there'])).code).toBe(0);
    shell.type('echo still here\r');
    const inside = await shell.shows(/^still here$/m);
    expect(inside).not.toMatch(/are you there/);
    shell.press('ctrl-d');
    await shell.said(/tester: are you there/);
  });

  test('fails for a missing or stopped container, and the chat shell continues', async () => {
    const shell = await openShell(server);
    shell.type('shell missing').press('enter');
    await shell.said(/container of "missing": no such container/);
    expect((await server.ssh(['stop', 'alice'])).code).toBe(0);
    shell.type('shell alice').press('enter');
    await shell.said(/it is stopped[\s\S]*Next: start it: "start alice"/);
    expect((await server.ssh(['start', 'alice'])).code).toBe(0);
    shell.type('whoami').press('enter');
    await shell.said(/Name:/);
  });

  test('under ssh -t returns the exit status of the shell in the container', async () => {
    const shell = await connectShell(server, { command: 'shell alice' });
    await shell.shows(prompt);
    shell.type('exit 7\r');
    expect(await shell.ended()).toBe(7);
  });

  test('is refused without a terminal, with the command that has one', async () => {
    const { code, stderr } = await server.ssh(['shell', 'alice']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/needs a terminal[\s\S]*Next: run it in a terminal: ssh -t -p \d+ manage@/);
  });

  test('survives a flood of output, which Ctrl-C ends', async () => {
    const shell = await openShell(server);
    shell.type('shell alice').press('enter');
    await shell.shows(prompt);
    shell.type('yes\r');
    await shell.shows(/^y$/m);
    shell.press('ctrl-c');
    await shell.shows(prompt);
    shell.type('exit\r');
    await shell.said(/ended with status/);
  });
});

describe('logs', () => {
  test('shows the console log, and follows it until Ctrl-C', async () => {
    const shell = await openShell(server, { rows: 40 });
    shell.type('logs alice --follow').press('enter');
    await shell.said(/Startup finished/);
    expect((await server.ssh(['restart', 'alice'])).code).toBe(0);
    await shell.shows(/Ctrl-C stops it/);
    await shell.said(/Startup finished[\s\S]*Startup finished/);
    shell.press('ctrl-c');
    await shell.said('Stopped.');
  });

  test('prints the console log without a terminal', async () => {
    const { code, stdout } = await server.ssh(['logs', 'alice', '--lines', '2']);
    expect(code).toBe(0);
    expect(stdout.trim().split('\n').length).toBeLessThanOrEqual(2);
  });
});

describe('self@', () => {
  test("shows a card of the owner's container, with its keys and how to reach it", async () => {
    const shell = await openShell(server, { user: 'self', key: key.path, columns: 100, rows: 50 });
    const card = await shell.said(/"keys add" and "keys remove" change its keys/);
    expect(card).toMatch(/Container:\s+alice-container/);
    expect(card).toMatch(/Status:\s+Running/);
    expect(card).toMatch(/IP Address:\s+10\./);
    expect(card).toMatch(/Disk Used:/);
    expect(card).toContain(key.fingerprint);
    expect(card).toMatch(/Snapshots:\s+0/);
    expect(card).toMatch(/^Host alice-dev$/m);
    expect(card.split(key.fingerprint)).toHaveLength(2);
  });

  test('copies the configuration with OSC 52, and shows it as a QR code', async () => {
    const shell = await openShell(server, { user: 'self', key: key.path, columns: 120, rows: 60 });
    await shell.said(/"keys add" and "keys\s+remove"/);
    shell.type('copy').press('enter');
    await shell.said(/Sent to your clipboard/);
    const base64 = /\x1b\]52;c;([A-Za-z0-9+/=]+)\x07/.exec(shell.received)?.[1] ?? '';
    expect(Buffer.from(base64, 'base64').toString()).toMatch(/^Host alice-dev$/m);
    shell.type('qr').press('enter');
    await shell.said(/[▀▄█]{20}/);
  });

  test('restarts the container, invites keys, and removes them but not the last one', async () => {
    const shell = await openShell(server, { user: 'self', key: key.path, columns: 120, rows: 50 });
    await shell.said(/"keys add" and "keys\s+remove"/);
    shell.type('restart').press('enter');
    await shell.said(/alice-container: Running/);
    const laptop = await makeKey(await temporaryFolder(), 'laptop');
    shell.type('keys add').press('enter');
    await shell.shows(/public key:/);
    shell.paste(laptop.line).press('tab', 'tab', 'enter');
    await shell.said(/alice: 1 key invited[^]*invite-[a-z2-7]{32}@/);
    shell.type(`keys remove ${laptop.fingerprint}`).press('enter');
    await shell.said(/alice: 1 invitation cancelled/);
    shell.type(`keys remove ${key.fingerprint}`).press('enter');
    await shell.said(/last-key/);
    expect((await server.ssh(['key', 'list', 'alice'])).stdout).toContain(key.fingerprint);
  });

  test('knows no other user and no verb for admins', async () => {
    const shell = await openShell(server, { user: 'self', key: key.path });
    await shell.said(/"keys add" and "keys\s+remove"/);
    shell.type('delete alice --yes').press('enter');
    await shell.said(/denied/);
    shell.type('who').press('enter');
    await shell.said(/"who": it is for admins, at manage@/);
    expect((await server.ssh(['info', 'alice'])).code).toBe(0);
  });
});
