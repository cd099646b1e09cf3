/** Standard input of one command: how much, for how long, and how it ends. */
import { EventEmitter } from 'node:events';
import type { Connection, ServerChannel } from 'ssh2';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChannelIo } from '../../../../src/front/sessions/channelIo.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A channel whose client this is. */
function open({ terminal = false, stdinMs = 60_000 } = {}) {
  let said = '';
  let interrupts = 0;
  const write = (bytes: Buffer, done: () => void): void => {
    said += bytes.toString();
    done();
  };
  const channel = Object.assign(new EventEmitter(), { writable: true, write, stderr: { writable: true, write } });
  const connection = { _sock: { writableNeedDrain: false }, _protocol: {} };
  const io = new ChannelIo(connection as unknown as Connection, channel as unknown as ServerChannel, {
    terminal,
    stdinMs,
    interrupt: () => interrupts++,
  });
  return {
    io,
    send: (text: string | Buffer) => channel.emit('data', Buffer.from(text as string)),
    end: () => channel.emit('end'),
    close: () => channel.emit('close'),
    said: () => said,
    interrupts: () => interrupts,
  };
}

/** The code of what it is refused with. */
const refusal = (read: Promise<string>): Promise<string> =>
  read.then(
    () => 'read',
    (error: unknown) => (error as { code: string }).code,
  );

describe('standard input', () => {
  it('is what came up to its end, also what came before anybody read', async () => {
    const { io, send, end } = open();
    send('ssh-ed25519 ');
    const read = io.readStdin(100);
    send('AAAA');
    end();
    expect(await read).toBe('ssh-ed25519 AAAA');
  });

  it('that is longer than wanted is refused at once, and not when it ends', async () => {
    const { io, send } = open();
    const read = refusal(io.readStdin(100));
    send('x'.repeat(100));
    send('x');
    expect(await read).toBe('input-too-large');
  });

  it('that was longer than wanted and has ended is refused too', async () => {
    const { io, send, end } = open();
    send('x'.repeat(101));
    end();
    expect(await refusal(io.readStdin(100))).toBe('input-too-large');
  });

  it('is kept up to 256 KiB, whoever wants more, and nothing of it when it is longer', async () => {
    const whole = open();
    whole.send(Buffer.alloc(256 * 1024, 0x61));
    whole.end();
    expect(await whole.io.readStdin(2 ** 30)).toHaveLength(256 * 1024);
    const { io, send, end } = open();
    for (let i = 0; i < 1000; i++) send(Buffer.alloc(32 * 1024, 0x61));
    send('short');
    end();
    expect(await refusal(io.readStdin(2 ** 30))).toBe('input-too-large');
  });

  it('that does not end is given up after its time, however often something comes', async () => {
    const { io, send } = open({ stdinMs: 60_000 });
    const read = refusal(io.readStdin(10_000));
    for (let i = 0; i < 59; i++) {
      await vi.advanceTimersByTimeAsync(1000);
      send('x');
    }
    expect(await Promise.race([read, Promise.resolve('waits')])).toBe('waits');
    await vi.advanceTimersByTimeAsync(1000);
    expect(await read).toBe('missing-key');
  });

  it('of a client that is gone has ended; a signal interrupts it', async () => {
    const gone = open();
    gone.close();
    expect(await gone.io.readStdin(100)).toBe('');
    const { io } = open();
    const read = refusal(io.readStdin(100));
    io.interrupted();
    expect(await read).toBe('cancelled');
  });
});

describe('on a terminal', () => {
  it('what is typed is shown without anything that could move the cursor, and ends with Ctrl-D', async () => {
    const { io, send, said } = open({ terminal: true });
    const read = io.readStdin(100);
    send('ke\u001b[2Jy\u202e\r');
    send('\u0004');
    expect(await read).toBe('ke\u001b[2Jy\u202e\r');
    await io.flushed();
    expect(said()).toBe('ke[2Jy\r\n');
  });

  it('Ctrl-C gives up', async () => {
    const { io, send, interrupts } = open({ terminal: true });
    const read = refusal(io.readStdin(100));
    send('key\u0003');
    expect(await read).toBe('cancelled');
    expect(interrupts()).toBe(1);
  });
});
