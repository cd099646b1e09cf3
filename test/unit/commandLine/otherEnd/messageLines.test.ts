import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MessageLines } from '../../../../src/commandLine/otherEnd/messageLines.ts';
import { socketPair, type SocketPair } from '../../../support/socketPair.ts';

let pair: SocketPair;
let mine: Socket;
let theirs: Socket;

beforeEach(async () => {
  pair = await socketPair();
  mine = pair.accepted;
  theirs = pair.connected;
});
afterEach(() => pair.close());

/** Returns the first messages of a stream. */
async function firstOf(stream: MessageLines, count: number): Promise<unknown[]> {
  const messages: unknown[] = [];
  for await (const message of stream) if (messages.push(message) === count) break;
  return messages;
}

describe('messages as lines of JSON', () => {
  it('arrive as they were sent, with their bytes, however long they are', async () => {
    const [sender, receiver] = [new MessageLines(mine), new MessageLines(theirs)];
    const sent = [
      { stdout: 'a line\nand another\u2028é\ud83d\ude00' },
      { terminal: Buffer.from([0, 10, 255]) },
      { stdout: 'x'.repeat(3_000_000) },
      { exit: 0 },
    ];
    for (const message of sent) sender.write(message);
    expect(await firstOf(receiver, sent.length)).toEqual(sent);
  });

  it('arrive whole when they come in pieces, and several at once', async () => {
    const receiver = new MessageLines(mine);
    const line = Buffer.from('{"stdout":"é"}\n{"exit":0}\n');
    for (const byte of line.subarray(0, 14)) {
      theirs.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    theirs.write(line.subarray(14));
    expect(await firstOf(receiver, 2)).toEqual([{ stdout: 'é' }, { exit: 0 }]);
  });

  it.each(['Content-Length: 40', '[', '1', 'null', ''])('end at a line that is none: %j', async (line) => {
    const receiver = new MessageLines(mine);
    theirs.write(`${line}\n`);
    await expect(firstOf(receiver, 1)).rejects.toMatchObject({ code: 'usage' });
    await once(theirs, 'close');
  });

  it('end at a line that is too long, before its end arrives', async () => {
    const receiver = new MessageLines(mine, 1000);
    theirs.write('x'.repeat(1001));
    await expect(firstOf(receiver, 1)).rejects.toMatchObject({ code: 'input-too-large' });
  });

  it('wait in the sender while nobody reads them', async () => {
    const sender = new MessageLines(mine);
    const receiver = new MessageLines(theirs);
    let taken = 0;
    for (let i = 0; i < 200; i++) sender.write({ stdout: 'x'.repeat(65_536) }, () => taken++);
    await vi.waitFor(() => expect([taken > 0, theirs.isPaused()]).toEqual([true, true]));
    expect(taken).toBeLessThan(150);
    expect(await firstOf(receiver, 200)).toHaveLength(200);
  });

  it('say that the peer is gone', async () => {
    const receiver = new MessageLines(mine);
    const cancelled = once(receiver, 'cancelled');
    theirs.destroy();
    await cancelled;
  });
});
