import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { StreamTerminal } from '../../../../src/commandLine/otherEnd/streamTerminal.ts';

function make() {
  const stream = new PassThrough({ objectMode: true });
  const sent: unknown[] = [];
  const terminal = new StreamTerminal(
    Object.assign(stream, {
      write: (message: object) => {
        sent.push(message);
        return true;
      },
    }),
  );
  const type = (text: string | Buffer): unknown => stream.push({ typed: Buffer.from(text) });
  const attach = () => {
    const typed: Buffer[] = [];
    const end = vi.fn();
    terminal.attach({ input: (data) => typed.push(data), resize: () => undefined, end });
    return { typed: () => Buffer.concat(typed), end };
  };
  return { stream, sent, type, attach };
}

describe('the terminal of a client of the remote interface', () => {
  it('holds input back beyond 64 KiB until a program has it, and loses nothing', async () => {
    const { stream, sent, type, attach } = make();
    for (let i = 0; i < 10; i++) type(Buffer.alloc(32 * 1024, 'x'));
    await vi.waitFor(() => expect(sent).toEqual([{ hold: true }]));
    expect(stream.isPaused()).toBe(true);
    const program = attach();
    await vi.waitFor(() => expect(program.typed().length).toBe(10 * 32 * 1024));
    expect(sent).toEqual([{ hold: true }, { hold: false }]);
  });

  it('types Ctrl-D when the client sends no more, also before a program has the terminal', async () => {
    for (const isAttachedFirst of [true, false]) {
      const { stream, type, attach } = make();
      const first = isAttachedFirst ? attach() : undefined;
      type('cat\n');
      stream.push(null);
      await new Promise((resolve) => stream.once('end', () => resolve(undefined)));
      const program = first ?? attach();
      expect(program.typed().toString()).toBe('cat\n\x04');
      expect(program.end).not.toHaveBeenCalled();
    }
  });

  it('ends when the client is gone', () => {
    const { stream, attach } = make();
    const program = attach();
    stream.emit('cancelled');
    stream.emit('end');
    expect(program.end).toHaveBeenCalledOnce();
    expect(program.typed().length).toBe(0);
  });
});
