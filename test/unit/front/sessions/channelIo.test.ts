/** Standard input of a command: its limits of size and time, and its end. */
import { EventEmitter } from 'node:events';
import type { Connection, ServerChannel } from 'ssh2';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChannelIo } from '../../../../src/front/sessions/channelIo.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Opens a channel; the returned functions are its client. */
function open({ terminal = false, stdinMs = 60_000 } = {}) {
  let output = '';
  let interrupts = 0;
  const write = (bytes: Buffer, done: () => void): void => {
    output += bytes.toString();
    done();
  };
  const channel = Object.assign(new EventEmitter(), { writable: true, write, stderr: { writable: true, write } });
  const connection = { _sock: { writableNeedDrain: false }, _protocol: {} };
  const io = new ChannelIo(connection as unknown as Connection, channel as unknown as ServerChannel, {
    columns: terminal ? 80 : undefined,
    stdinMs,
    onInterrupt: () => interrupts++,
  });
  return {
    io,
    send: (text: string | Buffer) => channel.emit('data', Buffer.from(text as string)),
    end: () => channel.emit('end'),
    close: () => channel.emit('close'),
    output: () => output,
    interrupts: () => interrupts,
  };
}

/** Returns the code of the failure, or `read`. */
const refusal = (read: Promise<string>): Promise<string> =>
  read.then(
    () => 'read',
    (error: unknown) => (error as { code: string }).code,
  );

describe('standard input', () => {
  it('is everything up to its end, including input from before it is read', async () => {
    const { io, send, end } = open();
    send('ssh-ed25519 ');
    const read = io.readStdin(100);
    send('AAAA');
    end();
    expect(await read).toBe('ssh-ed25519 AAAA');
  });

  it('above the limit is refused at once, without waiting for its end', async () => {
    const { io, send } = open();
    const read = refusal(io.readStdin(100));
    send('x'.repeat(100));
    send('x');
    expect(await read).toBe('input-too-large');
  });

  it('above the limit is refused also when it has ended before it is read', async () => {
    const { io, send, end } = open();
    send('x'.repeat(101));
    end();
    expect(await refusal(io.readStdin(100))).toBe('input-too-large');
  });

  it('is kept up to 256 KiB, even when the reader allows more, and is discarded beyond that', async () => {
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

  it('that does not end in time is refused, even when data keeps arriving', async () => {
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

  it('ends when the client is gone, and is cancelled by a signal', async () => {
    const gone = open();
    gone.close();
    expect(await gone.io.readStdin(100)).toBe('');
    const { io } = open();
    const read = refusal(io.readStdin(100));
    io.interrupt();
    expect(await read).toBe('cancelled');
  });
});

describe('standard input on a terminal', () => {
  it('is echoed without control characters and ends with Ctrl-D', async () => {
    const { io, send, output } = open({ terminal: true });
    const read = io.readStdin(100);
    send('ke\u001b[2Jy\u202e\r');
    send('\u0004');
    expect(await read).toBe('key\u202e\n');
    await io.flushed();
    expect(output()).toBe('key\\u{202e}\r\n');
  });

  it.each([
    ['Backspace', 'keyx\u007f\r', 'key\n', 'key\r\n', 'keyx\b \b\r\n'],
    ['Ctrl-U', 'wrong\u0015key\r', 'key\n', 'key\r\n', `wrong${'\b \b'.repeat(5)}key\r\n`],
    ['Ctrl-W', 'a wrong\u0017key\r', 'a key\n', 'a key\r\n', `a wrong${'\b \b'.repeat(5)}key\r\n`],
    ['the markers of a paste', '\u001b[200~ke\r\ny\u001b[201~\r', 'ke\ny\n', 'ke\r\ny\r\n', 'ke\r\ny\r\n'],
    ['arrow keys', 'e\u001b[Dk\u001bOCy\r', 'key\n', 'key\r\n', 'e\bke\bey\r\n'],
    ['letters beyond ASCII', 'ké🚀\r', 'ké🚀\n', 'ké🚀\r\n', 'ké🚀\r\n'],
  ])('is edited and echoed with %s, in one packet and byte by byte', async (_, typed, expected, atOnce, byteByByte) => {
    for (const [pieces, echoed] of [
      [[Buffer.from(typed)], atOnce],
      [Array.from(Buffer.from(typed), (byte) => Buffer.from([byte])), byteByByte],
    ] as const) {
      const { io, send, output } = open({ terminal: true });
      const read = io.readStdin(100);
      for (const piece of pieces) send(piece);
      send('\u0004');
      expect(await read).toBe(expected);
      await io.flushed();
      expect(output()).toBe(echoed);
    }
  });

  it('that comes from a pipe may end without a line feed', async () => {
    const { io, send, end } = open({ terminal: true });
    send('key');
    end();
    expect(await io.readStdin(100)).toBe('key');
  });

  it('typed ahead answers a question, which is edited too', async () => {
    const { io, send, output } = open({ terminal: true });
    send('alx');
    const answer = io.ask('Type "alice": ');
    send('\u007f');
    send('ice\r');
    expect(await answer).toBe('alice');
    await io.flushed();
    expect(output()).toBe('alxType "alice": alx\b \bice\r\n');
  });

  it('that ends with Ctrl-D leaves a question after it to be answered', async () => {
    const { io, send } = open({ terminal: true });
    const read = io.readStdin(100);
    send('AGE-SECRET-KEY\r\u0004');
    expect(await read).toBe('AGE-SECRET-KEY\n');
    const answer = io.ask('Type "alice" to continue: ');
    send('alice\r');
    expect(await answer).toBe('alice');
  });

  it('and the answer to a question after it may be typed ahead', async () => {
    const { io, send } = open({ terminal: true });
    send('AGE-SECRET-KEY\r\u0004alice\r');
    expect(await io.readStdin(100)).toBe('AGE-SECRET-KEY\n');
    expect(await io.ask('Type "alice" to continue: ')).toBe('alice');
  });

  it('that ended before a question which nothing was read for cancels the question', async () => {
    const { io, send } = open({ terminal: true });
    send('\u0004');
    expect(await refusal(io.ask('Type "alice" to continue: '))).toBe('cancelled');
  });

  it('is cancelled by Ctrl-C', async () => {
    const { io, send, interrupts } = open({ terminal: true });
    const read = refusal(io.readStdin(100));
    send('key\u0003');
    expect(await read).toBe('cancelled');
    expect(interrupts()).toBe(1);
  });
});
