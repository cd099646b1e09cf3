/**
 * A shell over a slow network: a round trip of 200 ms, one of 100 segments lost, and the rate of a modem of 9600 baud.
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
/** Maximum answer to one key, in bytes. */
const mostBytesPerKey = 2048;

beforeAll(async () => {
  server = await startServer();
  const owner = await makeKey(await temporaryFolder(), 'owner');
  for (const name of ['alice', 'bob', 'carol'])
    expect((await server.ssh(['create', name], { stdin: owner.line })).code).toBe(0);
  line = await slowNetwork({ to: server.port, roundTripMs, bytesPerSecond: 960, loseOneOf: 100 });
});
afterAll(() => line.close());

/** Returns an ssh(1) command through the slow network. The known host key is listed under the server's own port. */
function command(): string[] {
  const own = String(server.port);
  const args = server.sshArguments({ tty: true, options: ['-o', `HostKeyAlias=[127.0.0.1]:${own}`] });
  return ['ssh', ...args.map((word) => (word === own ? String(line.port) : word))];
}

/** Returns the number of bytes from the server until it is quiet. */
async function bytesOf(act: () => Promise<void>): Promise<number> {
  const before = line.received;
  await act();
  let last = -1;
  await eventually(async () => {
    if (line.received === last && line.received > before) return true;
    last = line.received;
    await new Promise((resolve) => setTimeout(resolve, 4 * roundTripMs));
    return undefined;
  }, 'the end of an answer');
  return line.received - before;
}

test('a shell over a slow network answers each key with at most 2 KiB, and shows complete lists (69)', async () => {
  terminal = await openTerminal(['env', 'TERM=xterm-256color', ...telling, ...command()]);
  await terminal.shows(/^› ?$/m);
  // Waits until the shell is drawn completely.
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
  // A line that is typed quickly, with corrections, before any echo arrives.
  await terminal.type('inof alice');
  for (let i = 0; i < 8; i++) await terminal.type('', 'BSpace');
  await terminal.type('fo alice', 'Enter');
  await terminal.shows(/^› info alice$[^]*alice-container[^]*^› ?$/m);
  await terminal.type('exit', 'Enter');
  await terminal.shows(/^ended with 0$/m);
}, 180_000);
