/** Colour belongs to a session: what one client asks for says nothing about another. Looked at byte by byte. */
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';
import { connectShell, openShell, type TestShell } from '../support/shell.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});

/** The SGR codes of colours in what was received (ECMA-48, 8.3.117); bold, dim, inverse and their ends are none. */
function colours(shell: TestShell): number[] {
  const codes = [...shell.received.matchAll(/\x1b\[([0-9;:]*)m/g)].flatMap((match) =>
    (match[1] ?? '').split(/[;:]/).map(Number),
  );
  return codes.filter(
    (code) => (code >= 30 && code <= 49) || (code >= 58 && code <= 59) || (code >= 90 && code <= 107),
  );
}

/** Good, bad and quiet things, a list of suggestions, a question. */
async function showEverything(shell: TestShell): Promise<void> {
  shell.type('lsit').press('enter');
  await shell.said(/unknown-command/);
  shell.type('audit verify').press('enter');
  await shell.said(/› audit verify\n.+\n/);
  shell.type('doctor').press('enter');
  await shell.said(/› doctor\n[^]*CHECK/);
  shell.press('tab');
  await shell.shows(/Tab and arrows choose/);
  shell.press('escape', 'ctrl-c').type('create').press('enter');
  await shell.shows(/Esc gives up/);
  shell.press('escape');
  await shell.said(/Given up/);
}

test('NO_COLOR takes the colours and leaves the weight, in that session alone', async () => {
  const [without, full] = await Promise.all([openShell(server, { env: { NO_COLOR: '1' } }), openShell(server)]);
  await Promise.all([showEverything(without), showEverything(full)]);
  expect(colours(without)).toEqual([]);
  expect(without.received).toContain('\x1b[1m');
  expect(colours(full).length).toBeGreaterThan(0);
  // Only what the palette of the terminal itself has, so that light and dark ones are readable; not yellow, not white.
  for (const code of colours(full)) expect([31, 32, 35, 39]).toContain(code);
});

test('an empty NO_COLOR is none', async () => {
  const shell = await openShell(server, { env: { NO_COLOR: '' } });
  shell.type('lsit').press('enter');
  await shell.said(/unknown-command/);
  expect(colours(shell).length).toBeGreaterThan(0);
});

test('a terminal that can do nothing, one without colour and a full one are served side by side', async () => {
  const dumb = await connectShell(server, { term: 'dumb' });
  onTestFinished(() => dumb.close());
  await dumb.shows(/^>$/m);
  const [without, full] = await Promise.all([
    openShell(server, { term: 'vt100', env: { NO_COLOR: 'yes' } }),
    openShell(server, { term: 'xterm-256color' }),
  ]);
  for (const shell of [dumb, without, full, dumb]) {
    shell.type('lsit').press('enter');
    await shell.said(/unknown-command/);
  }
  expect(dumb.received).not.toContain('\x1b');
  expect(colours(without)).toEqual([]);
  expect(without.received).toContain('\x1b[1m');
  expect(colours(full)).toContain(31);
});
