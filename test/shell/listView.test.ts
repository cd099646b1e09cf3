/** The live list in a real client's terminal, on a real server, while other clients change containers. */
import { beforeAll, describe, expect, test } from 'vitest';
import { withAdmins } from '../support/admins.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { eventually, startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { openShell, type ShellOptions, type TestShell } from '../support/shell.ts';

let server: TestServer;
let key: TestKey;

/** Runs a command on another connection. */
async function elsewhere(words: readonly string[], stdin?: string): Promise<void> {
  expect(await server.ssh(words, { shared: true, ...(stdin === undefined ? {} : { stdin }) })).toMatchObject({
    code: 0,
  });
}

function create(user: string, ...options: readonly string[]): Promise<void> {
  return elsewhere(['create', user, ...options], key.line);
}

beforeAll(async () => {
  const folder = await temporaryFolder();
  [server, key] = await Promise.all([startServer(), makeKey(folder, 'user')]);
  await create('alice');
  await create('bob', '--label', 'team=blue');
  await create('carol');
});

/** Answers the question that is shown, once it could be read: an earlier answer cancels it. */
async function answer(shell: TestShell, question: string): Promise<void> {
  await shell.shows(question);
  // The time that a person needs to read: an answer within half a second cancels the question.
  await new Promise((resolve) => setTimeout(resolve, 600));
  shell.type('y');
}

async function openView(options: ShellOptions = {}): Promise<TestShell> {
  const shell = await openShell(server, options);
  shell.press('ctrl-o');
  await shell.shows(/\balice +[•~-]/);
  return shell;
}

/** Returns the selected row. */
function selected(shell: TestShell): string {
  return shell.screen().find((line) => /^›[* ]\S+ +[•~-]/.test(line)) ?? '';
}

async function closed(shell: TestShell): Promise<void> {
  await eventually(() => (shell.onAlternateScreen ? undefined : true), 'the alternate screen is left');
  await shell.shows(/^› ?$/m);
}

describe.each([
  [40, 12],
  [80, 24],
  [120, 40],
  [200, 50],
])('at %i x %i', (columns, rows) => {
  const size = { columns, rows };

  test('the live list opens on the alternate screen, and Esc brings the shell back unchanged', async () => {
    const shell = await openShell(server, size);
    shell.type('whoami').press('enter');
    await shell.said(/Name:\s+tester/);
    shell.type('half a line');
    await shell.shows('› half a line');
    const before = { text: shell.text(), cursor: shell.cursor, scrollback: shell.scrollback() };
    shell.press('ctrl-o');
    await shell.shows(/\balice +[•~-]/);
    expect(shell.onAlternateScreen).toBe(true);
    expect(shell.cursorShown).toBe(false);
    expect(shell.mouse).toBe('none');
    expect(shell.text()).toMatch(/\balice +• Running/);
    expect(shell.screen().at(-1)).toMatch(/^Space mark {2}\/ filter/);
    for (const line of shell.screen()) expect(line.length).toBeLessThan(columns);
    shell.press('escape');
    await eventually(() => (shell.onAlternateScreen ? undefined : true), 'the alternate screen is left');
    await shell.shows('› half a line');
    await eventually(() => (shell.cursorShown ? true : undefined), 'the cursor is shown');
    expect({ text: shell.text(), cursor: shell.cursor, scrollback: shell.scrollback() }).toEqual(before);
    expect(shell.bracketedPaste).toBe(true);
    expect(shell.received.includes('\x1b[3J')).toBe(false);
  });

  test('reports of a terminal press no key of the live list, however they are cut', async () => {
    const shell = await openView(size);
    for (const report of [
      '\x1b[Mxxx',
      '\x1b[M\r\ry',
      '\x1b]11;rgb:xxxx/yyyy/uuuu\x1b\\',
      '\x1bP1$r0 qxy\x1b\\',
      '\x1b[?62;22c',
    ])
      for (const byte of report) shell.type(byte);
    shell.type('j');
    await eventually(() => (selected(shell).includes('bob ') ? true : undefined), 'bob is selected');
    expect(shell.text()).not.toMatch(/Filter|Enter or y|Stopped/);
  });

  test('the live list follows changes by others, and the selection stays with its container', async () => {
    const shell = await openView(size);
    shell.type('j');
    await eventually(() => (selected(shell).includes('bob ') ? true : undefined), 'bob is selected');
    await create('aaron');
    await shell.shows(/\baaron +• Running/);
    expect(selected(shell)).toMatch(/\bbob /);
    await elsewhere(['stop', 'aaron']);
    await shell.shows(/\baaron +- Stopped/);
    await elsewhere(['delete', 'aaron', '--yes']);
    await shell.showsNot(/\baaron +[•~-]/);
    expect(selected(shell)).toMatch(/\bbob /);
  });

  test('keys act on the marked containers, and the transcript has their calls', async () => {
    const shell = await openView(size);
    shell.type(' ').press('end').type(' x');
    await shell.shows('Type "stop 2" to continue:');
    shell.type('stop 2').press('enter');
    await shell.shows(/2 commands: stop alice, stop c|alice +- Stopped[\s\S]*carol +- Stopped/);
    await shell.shows(/\balice +- Stopped/);
    await shell.shows(/\bcarol +- Stopped/);
    expect(shell.text()).toMatch(/\bbob +• Running/);
    shell.type('ustart 2').press('enter');
    await shell.shows(/\balice +• Running/);
    await shell.shows(/\bcarol +• Running/);
    await shell.shows(/✓ 2 commands: start a/);
    shell.type('q');
    await closed(shell);
    const said = shell.scrollback();
    for (const line of [
      '› stop alice',
      '› stop carol',
      '› start alice',
      'alice-container: Stopped',
      'carol-container: Running',
    ])
      expect(said).toContain(line);
  });

  test('a filter hides rows, and Esc goes back one level at a time', async () => {
    const shell = await openView(size);
    shell.type('/team=blue').press('backspace', 'backspace', 'backspace', 'backspace');
    await shell.shows(/Nothing matches|\bbob +/);
    shell.press('ctrl-u').type('label:team=blue');
    await shell.shows('Filter: label:team=blue');
    await shell.showsNot(/\balice +[•~-]/);
    expect(shell.text()).toMatch(/\bbob /);
    expect(shell.cursorShown).toBe(true);
    expect(shell.cursor).toEqual({ column: 'Filter: label:team=blue'.length, row: rows - 2 });
    shell.press('enter');
    await shell.shows(/list --label team=blue --sort user/);
    expect(shell.text()).toContain('1 of 3 matching');
    shell.press('escape');
    await shell.shows(/\balice +[•~-]/);
    expect(shell.onAlternateScreen).toBe(true);
    shell.type('/!bob').press('enter');
    await shell.showsNot(/\bbob +[•~-]/);
    shell.press('escape');
    await shell.shows(/\bbob +[•~-]/);
    shell.press('escape');
    await closed(shell);
  });

  test('the details follow changes of the container', async () => {
    const shell = await openView(size);
    shell.press('down', 'enter');
    await shell.shows(/^bob-container/m);
    await shell.shows(/Status:\s+Running/);
    await elsewhere(['stop', 'bob']);
    await shell.shows(/Status:\s+Stopped/);
    shell.type('u');
    await answer(shell, 'start bob?');
    await shell.shows(/Status:\s+Running/);
    shell.press('end');
    await shell.shows(/SHA256:|TYPE/);
    shell.press('escape');
    await shell.shows(/USER/);
    expect(selected(shell)).toMatch(/\bbob /);
    expect(shell.onAlternateScreen).toBe(true);
  });

  test('resize opens a form with the current size', async () => {
    const user = `size${columns}`;
    await create(user, '--cpu', '2');
    const shell = await openView(size);
    shell.type(`/${user}`).press('enter').type('z');
    await shell.shows(/› cpu: +2/);
    shell.press('ctrl-u').type('none').press('tab');
    await shell.shows(/cpu: +none ✗/);
    shell.press('up', 'ctrl-u').type('3').press('ctrl-t');
    await shell.shows(/^Plan: resize/m);
    await shell.shows(/› cpu: +3/);
    shell.press('enter', 'enter', 'enter', 'enter', 'enter');
    await shell.shows(new RegExp(`✓ resize ${user} --cpu 3`));
    expect(JSON.parse((await server.ssh(['info', user, '--json'], { shared: true })).stdout)).toMatchObject({
      result: { container: { cpus: 3 } },
    });
    await elsewhere(['delete', user, '--yes']);
  });

  test('delete requires the name, or for several containers their number', async () => {
    const users = ['one', 'two', 'three'].map((name) => `${name}${columns}`);
    for (const user of users) await create(user);
    const shell = await openView(size);
    shell.type(`/three${columns}`).press('enter').type('d');
    await shell.shows(`Type "three${columns}" to continue:`);
    shell.type('alice').press('enter');
    await shell.shows(`That does not match "three${columns}"`);
    shell.press('ctrl-u').type(`three${columns}`).press('enter');
    await shell.shows(`Nothing matches "three${columns}"`);
    shell.press('escape');
    await shell.shows(/\balice +[•~-]/);
    shell.type(`/${columns}`).press('enter').type('ad');
    await shell.shows('Type "delete 2" to continue:');
    for (const user of [`one${columns}`, `two${columns}`]) expect(shell.text()).toContain(`${user}:`);
    shell.press('enter');
    await shell.shows('Cancelled. Nothing was changed.');
    shell.type('d');
    await shell.shows('Type "delete 2" to continue:');
    shell.type('delete 2').press('enter');
    await shell.shows(`Nothing matches "${columns}"`);
    const { containers } = (
      JSON.parse((await server.ssh(['list', '--json'], { shared: true })).stdout) as {
        result: { containers: { user: string }[] };
      }
    ).result;
    expect(containers.map(({ user }) => user)).toEqual(['alice', 'bob', 'carol']);
  });
});

test('an open live list is sent nothing while nothing changes', async () => {
  const quiet = await startServer();
  await quiet.ssh(['create', 'dora'], { stdin: key.line });
  await quiet.ssh(['stop', 'dora']);
  const shell = await openShell(quiet);
  shell.press('ctrl-o');
  await shell.shows(/\bdora +- Stopped/);
  const before = shell.received.length;
  // Other admins join, speak and leave, which the list does not show.
  const other = await openShell(quiet);
  other.type('say hello').press('enter');
  await other.said(/1 other/i);
  other.type('exit').press('enter');
  await other.ended();
  expect((await quiet.ssh(['audit', 'verify'])).code).toBe(0);
  expect(shell.received.length).toBe(before);
  shell.type('q');
  await closed(shell);
  await shell.said('tester: hello');
});

test('the live list adapts to a new size of the window', async () => {
  const shell = await openView({ columns: 120, rows: 40 });
  await shell.shows(/MEMORY .*DISK/);
  shell.resize(40, 12);
  await shell.showsNot(/MEMORY/);
  await shell.shows(/^Space mark {2}\/ filter {2}Enter info$/m);
  expect(shell.screen().filter((line) => line.includes('alice '))).toHaveLength(1);
  for (const line of shell.screen()) expect(line.length).toBeLessThan(40);
  shell.press('enter');
  await shell.shows(/1 to 8 of/);
  shell.resize(200, 50);
  await shell.shows(/IP Address: +10\./);
  shell.press('escape');
  await shell.shows(/UPTIME +SNAPSHOT +LABELS/);
  expect(shell.screen()).toHaveLength(50);
  expect(shell.screen().at(-1)).toMatch(/q close/);
  shell.press('escape');
  await closed(shell);
});

test('the help of the live list has every key with its command', async () => {
  const shell = await openView({ columns: 120, rows: 40 });
  shell.type('?');
  await shell.shows(/x: +stop alice: stop it/);
  expect(shell.text()).toMatch(/d: +delete alice/);
  shell.press('escape');
  await shell.shows(/\bbob +[•~-]/);
});

test('the live list shows an ssh configuration and a log, and copies them', async () => {
  const shell = await openView();
  shell.type('e');
  await shell.shows('Host alice-dev');
  shell.type('y');
  await shell.shows('Sent to your clipboard');
  const [, base64 = ''] = /\x1b\]52;c;([A-Za-z0-9+/=]+)\x07/.exec(shell.received) ?? [];
  expect(Buffer.from(base64, 'base64').toString()).toContain('ProxyJump alice-jump');
  shell.press('escape');
  await shell.shows(/USER/);
  shell.type('l');
  await shell.shows(/alice-container: logs/);
  await shell.shows(/login:/);
  shell.press('escape');
  await shell.shows(/USER/);
  shell.type('q');
  await closed(shell);
  expect(shell.scrollback()).toContain('› logs alice --lines 200');
});

test('s opens a shell in the container and returns to the list', async () => {
  const shell = await openView();
  shell.type('s');
  await shell.shows(/alice@alice-container/);
  expect(shell.onAlternateScreen).toBe(false);
  shell.type('exit').press('enter');
  await shell.shows(/✓ shell alice/);
  expect(shell.onAlternateScreen).toBe(true);
  expect(selected(shell)).toMatch(/\balice /);
  shell.press('escape');
  await closed(shell);
  expect(shell.scrollback()).toContain('The shell in alice-container ended with status 0');
  shell.type('whoami').press('enter');
  await shell.said(/Name:\s+tester/);
});

test('a viewer has no keys that change containers', async () => {
  const folder = await temporaryFolder();
  const [boss, viewer] = await Promise.all([makeKey(folder, 'boss'), makeKey(folder, 'viewer')]);
  const guarded = await startServer({
    prepare: withAdmins([
      { name: 'boss', role: 'admin', keys: [boss] },
      { name: 'vera', role: 'viewer', keys: [viewer] },
    ]),
  });
  expect(await guarded.ssh(['create', 'alice'], { key: boss.path, stdin: key.line })).toMatchObject({ code: 0 });
  const shell = await openShell(guarded, { key: viewer.path, columns: 200 });
  shell.press('ctrl-o');
  await shell.shows(/\balice +[•~-]/);
  expect(shell.text()).not.toMatch(/stop|delete|resize|shell/);
  shell.type('xdzsur?');
  await shell.shows(/info alice: show/);
  expect(shell.text()).not.toMatch(/stop alice|delete alice/);
});

test('an owner sees only their own container, and may restart it', async () => {
  const folder = await temporaryFolder();
  const own = await makeKey(folder, 'erin');
  await elsewhere(['create', 'erin'], own.line);
  const shell = await openShell(server, { user: 'self', key: own.path, columns: 120 });
  shell.press('ctrl-o');
  await shell.shows(/1 container, 1 running/);
  expect(shell.text()).not.toMatch(/alice|stop|delete|resize/);
  shell.type('ry');
  await shell.shows('the answer came before the question could be read');
  shell.type('r');
  await answer(shell, 'restart erin?');
  await shell.shows(/✓ restart erin/);
  await elsewhere(['stop', 'erin']);
  await shell.shows(/\berin +- Stopped/);
  // Deleting the container removes their access, which ends the shell while the list is open.
  await elsewhere(['delete', 'erin', '--yes']);
  await shell.ended();
  expect(shell.onAlternateScreen).toBe(false);
  expect(shell.cursorShown).toBe(true);
  expect(shell.text()).toContain('The session ends');
});

test('closing list --watch that ssh -t runs ends the session and restores the terminal', async () => {
  const shell = await openShell(server, { command: 'list --watch' });
  await shell.shows(/\balice +[•~-]/);
  expect(shell.onAlternateScreen).toBe(true);
  shell.type('q');
  expect(await shell.ended()).toBe(0);
  expect(shell.onAlternateScreen).toBe(false);
  expect(shell.bracketedPaste).toBe(false);
  expect(shell.cursorShown).toBe(true);
  expect(shell.text()).not.toContain('Ctrl-O');
});

test('a connection lost while the live list is open leaves nothing behind', async () => {
  const shell = await openView();
  shell.drop();
  await eventually(
    async () => ((await server.ssh(['who'], { shared: true })).stdout.includes('127.0.0.1') ? undefined : true),
    'nobody is there',
  );
  const next = await openView();
  next.type('q');
  await closed(next);
  expect(server.log()).not.toMatch(/rror/);
});

test('the live list opens once if its key arrives twice in one packet', async () => {
  const shell = await openShell(server);
  shell.type('\x0f\x0f');
  await shell.shows(/\balice +[•~-]/);
  shell.type('q');
  await closed(shell);
  shell.type('whoami').press('enter');
  await shell.said(/Name:\s+tester/);
});
