/**
 * A shell at the end of a bad line: a round trip of 200 ms, one segment in a hundred lost, and as slow as a modem of
 * 9600 baud.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeKey } from '../support/keys.ts';
import { eventually, startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { slowNetwork, type SlowNetwork } from '../support/slowNetwork.ts';
import { openTerminal, telling, type Terminal } from '../support/terminal.ts';

let server: TestServer;
let line: SlowNetwork;
let terminal: Terminal;

const roundTripMs = 200;
/** What one key may cost, in bytes. */
const mostBytesPerKey = 2048;

beforeAll(async () => {
  server = await startServer();
  const owner = await makeKey(await temporaryFolder(), 'owner');
  for (const name of ['alice', 'bob', 'carol'])
    expect((await server.ssh(['create', name], { stdin: owner.line })).code).toBe(0);
  line = await slowNetwork({ to: server.port, roundTripMs, bytesPerSecond: 960, loseOneOf: 100 });
});
afterAll(() => line.close());

/** ssh(1) for the other end of the line; the host key is known by the server's own port. */
function command(): string[] {
  const own = String(server.port);
  const args = server.sshArguments({ tty: true, options: ['-o', `HostKeyAlias=[127.0.0.1]:${own}`] });
  return ['ssh', ...args.map((word) => (word === own ? String(line.port) : word))];
}

/** What comes from the server until nothing more comes for a while. */
async function bytesOf(act: () => Promise<void>): Promise<number> {
  const before = line.received;
  await act();
  let last = -1;
  await eventually(async () => {
    if (line.received === last && line.received > before) return true;
    last = line.received;
    await new Promise((resolve) => setTimeout(resolve, 4 * roundTripMs));
    return undefined;
  }, 'an answer that has come to its end');
  return line.received - before;
}

test('opens, and is used: keys cost little, a list comes whole (69)', async () => {
  terminal = await openTerminal(['env', 'TERM=xterm-256color', ...telling, ...command()]);
  await terminal.shows(/^› ?$/m);
  // Until everything that belongs to the beginning is there.
  await bytesOf(() => terminal.type('x', 'BSpace'));
  const costs: number[] = [];
  for (const key of 'list') costs.push(await bytesOf(() => terminal.type(key)));
  for (const key of ['BSpace', 'Left', 'Home', 'End', 't', 'Tab'])
    costs.push(await bytesOf(() => terminal.type('', key)));
  for (const cost of costs) expect(cost).toBeLessThanOrEqual(mostBytesPerKey);

  await terminal.type('', 'C-u');
  await terminal.type('list', 'Enter');
  const shown = await terminal.shows(/Total: 3 containers[^]*^› ?$/m);
  for (const name of ['alice', 'bob', 'carol']) expect(shown).toMatch(new RegExp(`^.*${name}\\b.*running`, 'mi'));
  // A whole sentence at once, as people type who know what they want, and correct.
  await terminal.type('inof alice');
  for (let i = 0; i < 8; i++) await terminal.type('', 'BSpace');
  await terminal.type('fo alice', 'Enter');
  await terminal.shows(/^› info alice$[^]*alice-container[^]*^› ?$/m);
  await terminal.type('exit', 'Enter');
  await terminal.shows(/^ended with 0$/m);
}, 180_000);
