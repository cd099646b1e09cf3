/** The items of the transcript: steps, tables, bars, failures. Also forms and the question before delete. */
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { openShell } from '../support/shell.ts';

let server: TestServer;
let key: TestKey;

beforeAll(async () => {
  [server, key] = await Promise.all([
    startServer({ env: { CONTAINARIUM_SIMULATED_PACE_MS: '150' } }),
    temporaryFolder().then((folder) => makeKey(folder, 'user')),
  ]);
  expect(await server.ssh(['create', 'alice'], { stdin: key.line })).toMatchObject({ code: 0 });
});

const sizes: readonly (readonly [number, number])[] = [
  [40, 12],
  [80, 24],
  [120, 40],
  [200, 50],
];

describe.each(sizes)('at %i x %i', (columns, rows) => {
  test('create shows its steps as they come, then the container', async () => {
    const user = `made-${columns}`;
    const shell = await openShell(server, { columns, rows });
    shell.type(`create ${user} --ssh-key "${key.line.trim()}"`).press('enter');
    await shell.shows(/\[[1-5]\/5\]/);
    await shell.said(new RegExp(`connects\\s+with:\\s+ssh\\s+${user}-dev`));
    await shell.shows(/^› ?$/m);
    const said = shell.scrollback();
    // Rejoins the lines that a narrow terminal wraps.
    const flowing = said.replaceAll('\n', ' ').replace(/ +/g, ' ');
    // Each step is in the scrollback once, with its duration.
    for (let step = 1; step <= 5; step++)
      expect(flowing.match(new RegExp(`✓ \\[${step}/5\\] [A-Z][^✓]* [\\d.]+m?s`, 'g')), `step ${step}`).toHaveLength(1);
    expect(said).toMatch(new RegExp(`^Container ${user}-container created`, 'm'));
    expect(flowing).toContain(`"export ${user}" prints the ssh configuration for ${user}`);
    shell.type(`export ${user} --known-hosts`).press('enter');
    // Text to copy is not broken into lines.
    await shell.said(new RegExp(`^${user}-dev ssh-ed25519 AAAA[A-Za-z0-9+/=]+$`, 'm'));
    // No flicker: neither the whole screen nor the scrollback was ever erased.
    expect(shell.received).not.toMatch(/\x1b\[[23]J/);
    // The typed key is shortened.
    expect(said).not.toContain(`› create ${user} --ssh-key "${key.line.trim()}"`);
  });

  test('create without input opens a form, which checks each field when it is left', async () => {
    const user = `form-${columns}`;
    const shell = await openShell(server, { columns, rows });
    shell.type('create').press('enter');
    await shell.shows(/^› user:/m);
    shell.type('Not A Name').press('tab');
    await shell.shows(/✗/);
    shell.press('shift-tab', 'ctrl-u').type(user).press('tab');
    await shell.shows(/^› public key:/m);
    shell.paste(key.line);
    // Type, fingerprint and comment of the pasted key.
    await shell.shows(columns >= 80 ? `ssh-ed25519 ${key.fingerprint}` : 'ssh-ed25519 SHA256:');
    shell.press('tab').type('2').press('tab').type('banana').press('tab');
    await shell.shows(/✗/);
    shell.press('shift-tab', 'ctrl-u').type('2GiB').press('up');
    for (let i = 0; i < 9; i++) shell.press('tab');
    await shell.shows(/\[ Create \]/);
    shell.press('enter');
    await shell.said(new RegExp(`Container ${user}-container created`));
    const { stdout } = await server.ssh(['info', user, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ result: { container: { cpus: 2, memoryLimitBytes: 2 * 1024 ** 3 } } });
  });

  test('delete shows what is lost and requires the name', async () => {
    const user = `gone-${columns}`;
    expect(await server.ssh(['create', user], { stdin: key.line })).toMatchObject({ code: 0 });
    const shell = await openShell(server, { columns, rows });
    shell.type(`delete ${user}`).press('enter');
    const asked = await shell.shows(`Type "${user}" to continue:`);
    expect(asked).toMatch(/Disk used:\s+\S/);
    expect(asked).toMatch(/Last login:\s+\S/);
    expect(asked).toMatch(/Snapshots:\s+none/);
    // An empty line cancels.
    shell.press('enter');
    await shell.said('Cancelled. Nothing was changed.');
    expect((await server.ssh(['info', user])).code).toBe(0);
    shell.type(`delete ${user}`).press('enter');
    await shell.shows(`Type "${user}" to continue:`);
    shell.type('wrong').press('enter');
    await shell.shows(`That does not match "${user}"`);
    shell.press('ctrl-u').type(user).press('enter');
    await shell.said(/and jump\s+account\s+\S+\s+deleted/);
    expect((await server.ssh(['info', user])).code).toBe(3);
  });
});

test('several containers are shown before they are changed, and their number is asked for', async () => {
  for (const user of ['green-1', 'green-2'])
    expect((await server.ssh(['create', user, '--label', 'team=green'], { stdin: key.line })).code).toBe(0);
  const shell = await openShell(server, { columns: 100, rows: 30 });
  shell.type('stop --label team=green').press('enter');
  const asked = await shell.shows('Type "2" to continue:');
  expect(asked).toContain('Stop a container: 2 containers.');
  expect(asked).toMatch(/green-1: +Running, .* of disk used/);
  shell.type('2').press('enter');
  await shell.said('2 containers: all done');
  // A form asks for what is missing alone.
  shell.type('resize --label team=green').press('enter');
  const form = await shell.shows(/^› cpu: +now 4, default 4$/m);
  expect(form).not.toContain('user:');
  shell.type('3').press('enter', 'enter', 'enter', 'enter', 'enter');
  await shell.shows('Type "2" to continue:');
  shell.type('2').press('enter');
  await shell.said(/green-2-container resized/);
  // What the form has made of the line is the newest one.
  shell.press('up');
  await shell.shows(/^› resize --cpu 3 --label team=green$/m);
});

test('delete of a user who cannot exist is refused by the name that was typed', async () => {
  const shell = await openShell(server, { columns: 100, rows: 30 });
  shell.type('delete Nobody-Here').press('enter');
  await shell.said(/container of "Nobody-Here": no such container \(not-found\)/);
});

test('a restore says what is kept, and requires the name of the snapshot, at manage@ and at self@', async () => {
  const own = await makeKey(await temporaryFolder(), 'own');
  expect(await server.ssh(['create', 'sam'], { stdin: own.line })).toMatchObject({ code: 0 });
  expect(await server.ssh(['snapshot', 'create', 'sam', 'kept'])).toMatchObject({ code: 0 });
  for (const [who, line] of [
    [{}, 'snapshot restore sam kept'],
    [{ user: 'self', key: own.path }, 'snapshot restore kept'],
  ] as const) {
    const shell = await openShell(server, { columns: 100, rows: 30, ...who });
    shell.type(line).press('enter');
    const asked = await shell.shows('Type "kept" to continue:');
    expect(asked).toContain('are kept in another snapshot');
    expect(asked).not.toContain('cannot be undone');
    shell.type('kept').press('enter');
    await shell.said(/sam-container: restored kept; the files before are in\s+before-restore-/);
    shell.close();
  }
});

test('list drops the least important columns, and stacks them in a very narrow window', async () => {
  const seen = new Map<number, string>();
  for (const columns of [200, 80, 50, 18]) {
    const shell = await openShell(server, { columns, rows: 60 });
    shell.type('list').press('enter');
    seen.set(columns, await shell.said(/Total:/));
    shell.close();
  }
  expect(seen.get(200)).toMatch(/│ USER .*│ STATUS .*│ IP .*│ QUOTA .*│ AUTOSTART .*│ DISK .*│ MEMORY/);
  expect(seen.get(80)).toMatch(/│ USER .*│ STATUS .*│ IP /);
  expect(seen.get(80)).toMatch(/│ DISK/);
  expect(seen.get(80)).not.toMatch(/│ AUTOSTART/);
  expect(seen.get(80)).toMatch(/^No room for .*AUTOSTART/m);
  expect(seen.get(50)).toMatch(/│ USER .*│ STATUS/);
  expect(seen.get(18)).toMatch(/^USER: alice$/m);
});

test('info draws bars for disk, memory and CPU, and a curve once there are measurements', async () => {
  const shell = await openShell(server, { columns: 140, rows: 50 });
  shell.type('info alice').press('enter');
  const said = await shell.said(/Memory:.*░/);
  expect(said).toMatch(/Disk Used:.*[█▏▎▍▌▋▊▉░]{20}/);
  expect(said).toMatch(/CPU Usage:.*of 4 CPUs.*[█▏▎▍▌▋▊▉░]{20}/);
});

test('a failure shows its subject, reason and next step', async () => {
  const shell = await openShell(server);
  shell.type('info missing').press('enter');
  const said = await shell.said(/not-found/);
  expect(said).toMatch(/✗ container of "missing": no such container \(not-found\)\n {2}Next: "list"/);
});

test('--json in the shell prints the document', async () => {
  const shell = await openShell(server, { columns: 200, rows: 50 });
  shell.type('whoami --json').press('enter');
  await shell.said(/"ok": true/);
});

test('resize without a size opens a form, which needs at least one value', async () => {
  const shell = await openShell(server);
  shell.type('resize alice').press('enter');
  await shell.shows(/memory:/);
  for (let i = 0; i < 5; i++) shell.press('tab');
  shell.press('enter');
  await shell.shows(/at least one of/);
  shell.type('3').press('tab', 'tab', 'tab', 'tab', 'enter');
  await shell.said(/alice-container resized/);
});

test('Ctrl-T in a form shows the plan of the call and leaves the form as it is', async () => {
  const shell = await openShell(server, { columns: 120, rows: 40 });
  shell.type('resize alice').press('enter');
  await shell.shows(/Enter accepts, Esc cancels, Ctrl-T shows the plan/);
  shell.press('ctrl-t');
  await shell.shows(/at least one of/);
  shell.type('5').press('ctrl-t');
  const said = await shell.said(
    /Plan of "resize alice"\. Nothing was changed\.[^]*"limits\.cpu":"5"[^]*# undo: incus query/,
  );
  expect(said).not.toMatch(/resized/);
  await shell.shows(/› cpu: +5/);
  shell.press('tab', 'tab', 'tab', 'tab', 'enter');
  await shell.said(/alice-container resized/);
});

test('--plan in the shell opens the form of the verb, asks for no name, and changes nothing', async () => {
  const shell = await openShell(server, { columns: 120, rows: 40 });
  shell.type('resize alice --plan').press('enter');
  await shell.shows(/Plan: Change/);
  shell.type('6').press('tab', 'tab', 'tab', 'tab', 'enter');
  await shell.said(/Plan of "resize alice"\. Nothing was changed\.[^]*"limits\.cpu":"6"/);
  shell.type('delete alice --purge --plan').press('enter');
  await shell.said(/Plan of "delete alice"\. Nothing was changed\.[^]*cannot be undone/);
  expect((await server.ssh(['info', 'alice'])).stdout).not.toMatch(/CPUs?:\s+6/);
});

test('a form is cancelled with Escape', async () => {
  const shell = await openShell(server);
  shell.type('key add alice').press('enter');
  await shell.shows(/public key:/);
  shell.press('escape');
  await shell.said('Cancelled. Nothing was changed.');
  await shell.shows(/^› ?$/m);
});

test('clear clears the screen, and the shell continues', async () => {
  const shell = await openShell(server);
  shell.type('whoami').press('enter');
  await shell.said(/Name:/);
  shell.press('ctrl-l');
  await shell.showsNot(/Name:/);
  await shell.shows(/^› ?$/m);
  shell.type('version').press('enter');
  await shell.shows(/Node\.js/);
});

test('there is one composer after the window is resized', async () => {
  const shell = await openShell(server, { columns: 120, rows: 40 });
  shell.type('info alice').press('enter');
  await shell.said(/Container:/);
  for (const [columns, rows] of [
    [60, 20],
    [150, 45],
    [40, 12],
    [80, 24],
  ] as const) {
    shell.resize(columns, rows).type('x');
    await shell.shows(/^› x$/m);
    shell.press('backspace');
    const text = await shell.shows(/^› ?$/m);
    expect(text.match(/^› ?$/gm), `${columns} x ${rows}`).toHaveLength(1);
  }
});
