import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { StreamIo } from '../../../../src/commandLine/otherEnd/streamIo.ts';

/** The stream of a client: what it was sent, and whether it has taken it. */
class ClientStream extends EventEmitter {
  readonly sent: any[] = [];
  takes = true;

  constructor() {
    super();
    this.on('error', () => undefined);
  }

  write(message: object, taken?: () => void): boolean {
    this.sent.push(message);
    if (this.takes) taken?.();
    return this.takes;
  }

  pause(): void {}
  resume(): void {}
}

function make() {
  const stream = new ClientStream();
  const stuck: string[] = [];
  const io = new StreamIo(stream, {
    interrupted: () => undefined,
    stuck: ({ code }) => stuck.push(code),
    maxWaitingBytes: 16 * 1024 * 1024,
  });
  return { stream, io, stuck };
}

describe('the caller of a command line at the other end of a stream', () => {
  it('is asked, and answers', async () => {
    const { stream, io } = make();
    const read = io.readStdin(100);
    expect(stream.sent).toEqual([{ question: { read_stdin: 100 } }]);
    stream.emit('data', { reply: { text: 'a key' } });
    expect(await read).toBe('a key');
    const written = io.files.write('a/b', 'text');
    expect(stream.sent.at(-1)).toEqual({ question: { write_file: { path: 'a/b', text: 'text' } } });
    stream.emit('data', { reply: { text: '' } });
    await written;
  });

  it('may refuse, with a reason of its own', async () => {
    const { stream, io } = make();
    const read = io.files.read('x.pub');
    stream.emit('data', {
      reply: { refusal: { code: 'missing-key', what: 'file "x.pub"', why: 'it does not exist' } },
    });
    await expect(read).rejects.toMatchObject({ code: 'missing-key', why: 'it does not exist' });
    const other = io.files.read('y.pub');
    stream.emit('data', { reply: { refusal: { code: 'constructor', what: 'x', why: 'y' } } });
    await expect(other).rejects.toMatchObject({ code: 'usage' });
  });

  it('cannot answer what nobody asked', async () => {
    const { stream, io } = make();
    stream.emit('data', { reply: { text: 'early' } });
    const read = io.readStdin(1);
    stream.emit('data', { reply: { text: 'asked' } });
    expect(await read).toBe('asked');
  });

  it.each(['end', 'cancelled', 'error'])('leaves no question open when the stream has %s', async (event) => {
    const { stream, io } = make();
    const read = io.readStdin(1);
    stream.emit(event, new Error('gone'));
    await expect(read).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('has a terminal only if it says so', () => {
    const { stream, io } = make();
    io.begin(undefined);
    expect([io.terminal, io.handOver]).toEqual([false, undefined]);
    io.begin({ size: { columns: 120, rows: 40 }, type: 'xterm' });
    const terminal = io.handOver?.();
    expect(terminal).toMatchObject({ columns: 120, rows: 40, type: 'xterm' });
    const typed: string[] = [];
    terminal?.attach({ input: (data) => typed.push(data.toString()), resize: () => undefined, end: () => undefined });
    stream.emit('data', { typed: Buffer.from('ls') });
    terminal?.giveBack();
    expect(typed).toEqual(['ls']);
    expect(stream.sent).toEqual([{ attached: true }, { attached: false }]);
  });

  it('that takes no output is cut off, before it fills the memory', () => {
    const { stream, io, stuck } = make();
    stream.takes = false;
    const mebibyte = 'x'.repeat(1024 * 1024);
    for (let i = 0; i < 40; i++) io.stdout(mebibyte);
    expect(stream.sent).toHaveLength(16);
    expect(stuck).toEqual(['timeout']);
  });
});
