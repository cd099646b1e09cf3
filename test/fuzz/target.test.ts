/** Shows that the fuzzer blames a front that blocks its event loop, and none that shares long work out among turns. */
import { beforeAll, expect, test } from 'vitest';
import { Inspector } from '../soak/inspector.ts';
import { adminOf, anySource, frontOf } from '../support/front.ts';
import { boolean, message, RawClient, string, uint32 } from '../support/rawClient.ts';
import { startServer } from '../support/server.ts';
import { maxTurnMs } from './eventLoop.ts';
import { pause } from './packets.ts';
import { Target } from './target.ts';
import { TurnMeter } from './turnMeter.ts';

let target: Target;
let inspector: Inspector;

beforeAll(async () => {
  const server = await startServer();
  const admin = await adminOf(server);
  const pid = await frontOf(server);
  inspector = await Inspector.of(pid);
  target = new Target(pid, new TurnMeter(inspector), () => RawClient.login(server.port, admin, 'manage', anySource()));
  return () => target.end();
});

function packet(type: number, ...fields: readonly Buffer[]): string {
  return Buffer.concat([Buffer.from([type]), ...fields]).toString('hex');
}

const request = (type: string, ...fields: readonly Buffer[]): string =>
  packet(message.channelRequest, uint32(0), string(type), boolean(true), ...fields);

/** Opens a shell, types ten thousand letters with a mark each, and waits until they are shown. */
const longText = [
  packet(message.channelOpen, string('session'), uint32(0), uint32(65_536), uint32(32_768)),
  request('pty-req', string('xterm'), ...[80, 24, 0, 0].map(uint32), string('')),
  request('shell'),
  ...Array<string>(10).fill(pause),
  packet(message.channelData, uint32(0), string('e\u0301'.repeat(10_000))),
  ...Array<string>(10).fill(pause),
];

test('no packet is blamed for work that is shared out among turns', async () => {
  expect((await target.take(longText)).batchMs).toBeGreaterThan(maxTurnMs);
});

test('a packet is blamed if the event loop blocks each time', async () => {
  await inspector.evaluate(`{
    const block = () => { const end = performance.now() + 300; while (performance.now() < end); };
    setInterval(block, 400).unref();
    0;
  }`);
  await expect(target.take(longText)).rejects.toThrow(/^packet \d+ blocks the event loop for \d+ ms each time: /);
});
