import { alone } from '../../support/alone.ts';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import xterm from '@xterm/headless';
import { TerminalModes } from '../../../src/shell/terminal/terminalModes.ts';
import type { TerminalReceiver } from '../../../src/domain/terminal.ts';
import { Terminal } from '../../../src/shell/terminal/terminal.ts';
import { TerminalOutput, withoutColour } from '../../../src/shell/terminal/streams.ts';

describe('TerminalModes', () => {
  const restored = (...written: string[]): string => {
    const modes = new TerminalModes();
    for (const text of written) modes.read(text);
    return modes.restore();
  };

  it.each([
    ['nothing', ['plain text'], ''],
    ['a hidden cursor', ['\x1b[?25l'], '\x1b[?25h'],
    ['a mode that was reset', ['\x1b[?25l', 'x', '\x1b[?25h'], ''],
    ['bracketed paste', ['\x1b[?2004h'], '\x1b[?2004l'],
    ['the alternate screen, before the cursor on it', ['\x1b[?25l\x1b[?1049h'], '\x1b[?1049l\x1b[?25h'],
    ['several modes in one sequence', ['\x1b[?1000;1006h'], '\x1b[?1000l\x1b[?1006l'],
    ['a sequence in pieces', ['\x1b[?10', '49h'], '\x1b[?1049l'],
    ['a sequence cut after its escape character', ['\x1b', '[?25l'], '\x1b[?25h'],
    ['the keypad', ['\x1b='], '\x1b>'],
    ['a full reset', ['\x1b[?1049h\x1bc'], ''],
    ['an unknown mode', ['\x1b[?9999h'], ''],
    ['a pushed kitty keyboard mode', ['\x1b[>1u\x1b[>31u'], '\x1b[<2u'],
    ['a kitty keyboard mode that was popped', ['\x1b[>1u', '\x1b[<u'], ''],
    ['more kitty keyboard modes popped than pushed', ['\x1b[<5u\x1b[>1u'], '\x1b[<1u'],
    ['a kitty keyboard mode that was set', ['\x1b[=5;1u'], '\x1b[=0u'],
    ['a kitty keyboard mode on the alternate screen', ['\x1b[?1049h\x1b[>1u'], '\x1b[<1u\x1b[?1049l'],
    ['modifyOtherKeys', ['\x1b[>4;2m'], '\x1b[>4m'],
    ['modifyOtherKeys that was reset', ['\x1b[>4;2m\x1b[>4m'], ''],
    ['a form of modifyOtherKeys', ['\x1b[>4;1f\x1b[>2n'], '\x1b[>4f\x1b[>2m'],
    ['the mouse of X10, the wheel and pixels', ['\x1b[?9;1007h\x1b[?1016h'], '\x1b[?9l\x1b[?1007l\x1b[?1016l'],
    ['insert mode', ['\x1b[4h'], '\x1b[4l'],
    ['local echo and a locked keyboard', ['\x1b[12l\x1b[2h'], '\x1b[12h\x1b[2l'],
    ['a cursor shape', ['\x1b[5 q'], '\x1b[0 q'],
    ['a cursor shape that was reset', ['\x1b[5 q\x1b[ q'], ''],
    ['the charset of line drawing', ['\x1b(0'], '\x0f\x1b(B\x1b)B\x1b*B\x1b+B'],
    ['a charset cut in pieces', ['\x1b', '(', '0'], '\x0f\x1b(B\x1b)B\x1b*B\x1b+B'],
    ['a shift to the other charset, in plain text', ['garbage \x0e'], '\x0f\x1b(B\x1b)B\x1b*B\x1b+B'],
    ['origin mode, at the end of the screen', ['\x1b[2;9r\x1b[?6h'], '\x1b[?6l\x1b[r\x1b[999;1H\r\n'],
  ])('restore the modes after %s', (_, written, expected) => {
    expect(restored(...written)).toBe(expected);
  });

  it('restore the same modes however the output is cut', () => {
    const text = 'a\x1b[?25lb\x1b[?1049h\x1b[?2004hc\x1b[?1002;1006h\x1b[31md';
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), (cuts) => {
        const pieces: string[] = [];
        for (let at = 0, i = 0; at < text.length; i++) {
          const length = cuts[i % cuts.length] ?? 1;
          pieces.push(text.slice(at, at + length));
          at += length;
        }
        expect(restored(...pieces)).toBe(restored(text));
      }),
    );
  });
});

describe('a terminal on which a program crashed', () => {
  /** Every mode that the emulator knows, and the charset. */
  const crash =
    '\x1b[?1049h\x1b[?1h\x1b[?6h\x1b[?7l\x1b[?45h\x1b[?9h\x1b[?1003h\x1b[?1004h\x1b[?1006h\x1b[?2004h\x1b[4h\x1b=\x1b(0\x0e';

  it('has the modes that it had before', async () => {
    const emulator = new xterm.Terminal({ cols: 20, rows: 5, allowProposedApi: true });
    const write = (text: string): Promise<void> => new Promise((resolve) => emulator.write(text, resolve));
    const before = { ...emulator.modes };
    const modes = new TerminalModes();
    modes.read(crash);
    await write(`before\r\n${crash}`);
    expect({ ...emulator.modes }).not.toEqual(before);
    await write(`${modes.restore()}after lqk`);
    expect({ ...emulator.modes }).toEqual(before);
    const lines = Array.from({ length: emulator.buffer.active.length }, (_, i) =>
      emulator.buffer.active.getLine(i)?.translateToString(true),
    );
    expect(emulator.buffer.active.type).toBe('normal');
    expect(lines.filter((line) => line !== '')).toEqual(['before', 'after lqk']);
  });
});

describe('TerminalOutput', () => {
  it('sends once per turn, with carriage returns', async () => {
    const sent: string[] = [];
    const output = new TerminalOutput({ columns: 80, rows: 24 }, 'full', (text) => sent.push(text));
    output.write('one\n');
    output.write('two\r\nthree');
    expect(sent).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toEqual(['one\r\ntwo\r\nthree']);
  });

  it.each([
    ['\x1b[31mred\x1b[39m', 'red'],
    ['\x1b[1;31mbold red\x1b[0m', '\x1b[1mbold red\x1b[0m'],
    ['\x1b[38;5;200mx\x1b[48;2;1;2;3my', 'xy'],
    ['\x1b[7mselected\x1b[27m', '\x1b[7mselected\x1b[27m'],
    ['\x1b[2J\x1b[3A', '\x1b[2J\x1b[3A'],
    ['\x1b[m', '\x1b[m'],
  ])('removes the colours from %j', (text, expected) => {
    expect(withoutColour(text)).toBe(expected);
  });
});

describe('Terminal', () => {
  function open(used?: () => void) {
    let listener: TerminalReceiver | undefined;
    let written = '';
    const holds: boolean[] = [];
    const terminal = new Terminal(
      {
        type: 'xterm',
        hasInputEnded: false,
        environment: new Map(),
        columns: 80,
        rows: 24,
        write: (text) => (written += text.toString()),
        ...alone,
        flushed: () => Promise.resolve(),
        hold: (held) => holds.push(held),
        attach: (given) => (listener = given),
      },
      used,
    );
    return { terminal, type: (data: Buffer) => listener?.input(data), written: () => written, holds };
  }

  it('reports the output of a program as use, and not the output of the shell', async () => {
    let used = 0;
    const { terminal } = open(() => used++);
    terminal.write('hello');
    terminal.warnProgram('soon');
    expect(used).toBe(0);
    const program = terminal.handOver(() => undefined);
    terminal.warnProgram('soon');
    expect(used).toBe(0);
    await program.output(Buffer.from('x'));
    await program.output(Buffer.from('y'));
    expect(used).toBe(2);
  });

  it('shows nothing of a program that no longer has the terminal', async () => {
    const { terminal, written } = open();
    const program = terminal.handOver(() => undefined);
    await program.output(Buffer.from('\x1b[?1049hfull screen'));
    terminal.takeBack();
    const restored = written();
    await program.output(Buffer.from('\x1b[?1000hlate'));
    expect(written()).toBe(restored);
  });

  it('reports many sizes in one packet once to Ink, and each of them to a program', async () => {
    let listener: TerminalReceiver | undefined;
    const port = {
      type: 'xterm',
      hasInputEnded: false,
      environment: new Map<string, string>(),
      columns: 80,
      rows: 24,
      write: () => undefined,
      ...alone,
      flushed: () => Promise.resolve(),
      hold: () => undefined,
      attach: (given: TerminalReceiver) => (listener = given),
    };
    const terminal = new Terminal(port);
    const sizes: string[] = [];
    const { stdout } = terminal.open();
    stdout.on('resize', () => sizes.push(`drawn ${stdout.columns}`));
    const program = terminal.handOver(() => undefined);
    program.attach({
      input: () => undefined,
      resize: (columns) => sizes.push(`program ${columns}`),
      end: () => undefined,
    });
    for (const columns of [90, 91, 92]) {
      port.columns = columns;
      listener?.resize(port.columns, 24);
    }
    expect(sizes).toEqual(['program 90', 'program 91', 'program 92']);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sizes.slice(3)).toEqual(['drawn 92']);
    program.giveBack();
  });

  it('draws for a new size when the client has its share, counts that, and draws no more once it is closed', () => {
    let listener: TerminalReceiver | undefined;
    let counted = 0;
    const turns = new Set<() => void>();
    const port = {
      type: 'xterm',
      hasInputEnded: false,
      environment: new Map<string, string>(),
      columns: 80,
      rows: 24,
      write: () => undefined,
      spend: () => counted++,
      later: (act: () => void) => {
        turns.add(act);
        return () => turns.delete(act);
      },
      flushed: () => Promise.resolve(),
      hold: () => undefined,
      attach: (given: TerminalReceiver) => (listener = given),
    };
    const sizes: number[] = [];
    const { stdout, close } = new Terminal(port).open();
    stdout.on('resize', () => sizes.push(stdout.columns));
    const resize = (columns: number): void => {
      port.columns = columns;
      listener?.resize(columns, 24);
    };
    resize(90);
    resize(91);
    expect(sizes).toEqual([]);
    expect(turns.size).toBe(1);
    for (const act of turns) act();
    turns.clear();
    expect(sizes).toEqual([91]);
    expect(counted).toBe(1);
    resize(92);
    close();
    expect(turns.size).toBe(0);
  });

  it.each([
    ['in the middle of a line', ['$ ls -l'], '$ ls -l\r\n'],
    ['at the start of a line', ['exit\r\n'], 'exit\r\n'],
    [
      'at the start of a line, with a mode after it',
      ['exit\r\n', '\x1b[?2004l'],
      'exit\r\n\x1b[?2004l\x1b[0m\x1b7\x1b[r\x1b8',
    ],
    ['on the alternate screen', ['\x1b[?1049hvim'], '\x1b[?1049hvim\x1b[?1049l\x1b[0m\x1b7\x1b[r\x1b8\r\n'],
  ])('is left at the start of a line by a program that ends %s', async (_, output, expected) => {
    const { terminal, written } = open();
    const program = terminal.handOver(() => undefined);
    for (const text of output) await program.output(Buffer.from(text));
    terminal.takeBack();
    program.giveBack();
    expect(written()).toBe(expected);
  });

  it('swallows the rest of a reply whose beginning a program got before it ended', async () => {
    const { terminal, type } = open();
    const { stdin } = terminal.open();
    let typed = '';
    stdin.on('data', (data: Buffer) => (typed += data.toString()));
    const program = terminal.handOver(() => undefined);
    const got: string[] = [];
    program.attach({ input: (data) => got.push(data.toString()), resize: () => undefined, end: () => undefined });
    type(Buffer.from('\x1b]11;rgb:ff'));
    program.giveBack();
    type(Buffer.from('ff/0000/0000\x1b\\list'));
    await vi.waitFor(() => expect(typed).toBe('list'));
    expect(got).toEqual(['\x1b]11;rgb:ff']);
  });

  it('takes no Escape key from a program that ends', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { terminal, type } = open();
      const { stdin } = terminal.open();
      let typed = '';
      stdin.on('data', (data: Buffer) => (typed += data.toString()));
      const program = terminal.handOver(() => undefined);
      program.attach({ input: () => undefined, resize: () => undefined, end: () => undefined });
      type(Buffer.from('\x1b'));
      program.giveBack();
      await vi.advanceTimersByTimeAsync(10_000);
      type(Buffer.from('b'));
      await new Promise((resolve) => setImmediate(resolve));
      expect(typed).toBe('b');
    } finally {
      vi.useRealTimers();
    }
  });

  it('holds back the client beyond 64 KiB that are typed before it has an owner, and loses nothing', async () => {
    const { terminal, type, holds } = open();
    for (let i = 0; i < 100; i++) type(Buffer.alloc(1024, 0x61));
    expect(holds).toEqual([true]);
    const { stdin } = terminal.open();
    let typed = 0;
    stdin.on('data', (data: Buffer) => (typed += data.length));
    await vi.waitFor(() => expect(typed).toBe(100 * 1024));
    expect(holds.at(-1)).toBe(false);
  });

  it('passes all that was typed before a program has it to the program', () => {
    const { terminal, type, holds } = open();
    terminal.keepForProgram();
    terminal.open();
    for (let i = 0; i < 100; i++) type(Buffer.alloc(1024, 0x61));
    const program = terminal.handOver(() => undefined);
    type(Buffer.alloc(1024, 0x61));
    expect(holds).toEqual([true]);
    let bytes = 0;
    program.attach({ input: (data) => (bytes += data.length), resize: () => undefined, end: () => undefined });
    expect(bytes).toBe(101 * 1024);
    expect(holds).toEqual([true, false]);
  });
});
