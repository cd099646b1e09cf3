/** Each shell has its own colour setting, whatever other clients ask for. Tested byte by byte. */
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';
import { connectShell, openShell, type TestShell } from '../support/shell.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});

/** Returns the received SGR codes of colours (ECMA-48, 8.3.117), which excludes bold, dim and inverse. */
function colours(shell: TestShell): number[] {
  const codes = [...shell.received.matchAll(/\x1b\[([0-9;:]*)m/g)].flatMap((match) =>
    (match[1] ?? '').split(/[;:]/).map(Number),
  );
  return codes.filter(
    (code) => (code >= 30 && code <= 49) || (code >= 58 && code <= 59) || (code >= 90 && code <= 107),
  );
}

/** Shows text in every tone, a list of suggestions and a form. */
async function showEverything(shell: TestShell): Promise<void> {
  shell.type('lsit').press('enter');
  await shell.said(/unknown-command/);
  shell.type('audit verify').press('enter');
  await shell.said(/› audit verify\n.+\n/);
  shell.type('doctor').press('enter');
  await shell.said(/› doctor\n[^]*CHECK/);
  shell.press('tab');
  await shell.shows(/Tab and arrows select/);
  shell.press('escape', 'ctrl-c').type('create').press('enter');
  await shell.shows(/Esc cancels/);
  shell.press('escape');
  await shell.said(/Cancelled\./);
}

test('NO_COLOR removes the colours but not bold, in that shell only', async () => {
  const [without, full] = await Promise.all([openShell(server, { env: { NO_COLOR: '1' } }), openShell(server)]);
  await Promise.all([showEverything(without), showEverything(full)]);
  expect(colours(without)).toEqual([]);
  expect(without.received).toContain('\x1b[1m');
  expect(colours(full).length).toBeGreaterThan(0);
  // Only the terminal's own palette, which is readable on light and dark backgrounds; no yellow, no white.
  for (const code of colours(full)) expect([31, 32, 35, 39]).toContain(code);
});

test('an empty NO_COLOR has no effect', async () => {
  const shell = await openShell(server, { env: { NO_COLOR: '' } });
  shell.type('lsit').press('enter');
  await shell.said(/unknown-command/);
  expect(colours(shell).length).toBeGreaterThan(0);
});

test('a dumb terminal, one without colour and a full one are served at the same time', async () => {
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
