/** LineTerminal: keys, echo, and messages that wait while a line is typed. */
import { describe, expect, test } from 'vitest';
import { LineTerminal, type LineOptions, type Reading } from '../../../../src/shell/plain/lineTerminal.ts';
import { EchoedLine } from '../../../../src/shell/plain/echoedLine.ts';
import { TypedKeys } from '../../../../src/shell/plain/typedKeys.ts';

/** Waits for the next turn of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHw0 user@laptop';

class FakeTerminal {
  written = '';
  interrupts = 0;
  nowMs = 1000;
  readonly terminal: LineTerminal;

  constructor(columns = 80, ends = false) {
    this.terminal = new LineTerminal({
      write: (text) => (this.written += text),
      columns: () => columns,
      interrupted: () => {
        this.interrupts++;
        return ends;
      },
      now: () => this.nowMs,
    });
  }

  /** Opens a line and types into it. */
  typed(text: string, options?: LineOptions): Promise<Reading> {
    this.terminal.open('> ', options);
    const reading = this.terminal.next();
    this.terminal.feed(text);
    return reading;
  }
}

describe('LineTerminal', () => {
  test('echoes a typed line and returns it', async () => {
    const fake = new FakeTerminal();
    expect(await fake.typed('list\r')).toEqual({ kind: 'line', text: 'list' });
    expect(fake.written).toBe('> list\n');
  });

  test.each([
    ['ab\x7f', '> ab\b \b', 'a'],
    ['one two\x17', `> one two${'\b \b'.repeat(3)}`, 'one '],
    ['one \x17', `> one ${'\b \b'.repeat(4)}`, ''],
    ['abc\x15', `> abc${'\b \b'.repeat(3)}`, ''],
    ['\x7f\x15\x17', '> ', ''],
    ['容\x7f', '> 容\b \b\b \b', ''],
    ['👍a\x7f\x7f', '> 👍a\b \b\b \b\b \b', ''],
    ['e\u0301x\x7f', '> e\u0301x\b \b', 'e\u0301'],
    ['\x1b[31mred', '> red', 'red'],
    ['ab\x1b[Dc', '> ab\bcb\b', 'acb'],
    ['ab\x1b[D\x1b[C', '> ab\bb', 'ab'],
    ['ab\x1b[H\x1b[3~', '> ab\b\bb \b\b', 'b'],
    ['ab\x1b[3~', '> ab', 'ab'],
    ['ab cd\x1bb\x0b\x19\x19', `> ab cd\b\b  \b\bcdcd`, 'ab cdcd'],
    ['a\u202eb', '> a\\u{202e}b', 'a\u202eb'],
  ])('writes the echo and the erasures of %j', (typed, written, text) => {
    const fake = new FakeTerminal();
    void fake.typed('');
    for (const [key] of typed.matchAll(/\x1b\[[\d;]*.|\x1b.|\P{M}\p{M}*/gsu)) fake.terminal.feed(key);
    expect(fake.written).toBe(written);
    expect(fake.terminal.typed).toBe(text);
  });

  test('writes a wrapped line again when an erasure crosses the right margin', () => {
    const line = new EchoedLine('> ', () => 10);
    const pressed = (name: string): string => {
      line.press(name);
      return line.update();
    };
    line.insert('x'.repeat(8));
    expect(line.update()).toBe('x'.repeat(8));
    expect(pressed('backspace')).toBe(`\n> ${'x'.repeat(7)}`);
    expect(pressed('backspace')).toBe('\b \b');
    line.insert('y'.repeat(6));
    expect(line.update()).toBe('y'.repeat(6));
    expect(pressed('backspace')).toBe('\b \b');
    expect(pressed('ctrl-u')).toBe('\n> ');
  });

  test('returns keys that do not edit the line to the reader', async () => {
    const fake = new FakeTerminal();
    expect(await fake.typed('\x1b[A')).toEqual({ kind: 'key', name: 'up' });
    const next = fake.terminal.next();
    fake.terminal.feed('\t');
    expect(await next).toEqual({ kind: 'key', name: 'tab' });
  });

  test('keeps lines that are typed ahead', async () => {
    const fake = new FakeTerminal();
    fake.terminal.feed('one\rtwo\r');
    fake.terminal.open('> ');
    expect(await fake.terminal.next()).toEqual({ kind: 'line', text: 'one' });
    fake.terminal.open('> ');
    expect(await fake.terminal.next()).toEqual({ kind: 'line', text: 'two' });
  });
});

describe('a paste into a LineTerminal', () => {
  test('sends nothing, even if it has several public keys and arrives in several pieces', () => {
    const fake = new FakeTerminal();
    void fake.typed(`${key}\n${key.slice(0, 20)}`);
    fake.nowMs += 5;
    fake.terminal.feed(`${key.slice(20)}\nlist\n`);
    expect(fake.written).not.toContain('\n');
    expect(fake.terminal.typed.trimEnd()).toBe(`${key} ${key} list`);
  });

  test('keeps its line breaks with keepLines', async () => {
    const fake = new FakeTerminal();
    const reading = fake.typed(`${key}\r${key}\r`, { keepLines: true });
    fake.terminal.feed('\r');
    expect(await reading).toEqual({ kind: 'line', text: `${key}\n${key}\n` });
  });

  test('ends after a pause, so that Enter sends the line', async () => {
    const fake = new FakeTerminal();
    const reading = fake.typed(`${key}\n${key}`);
    fake.nowMs += 1000;
    fake.terminal.feed(' x\r');
    expect(await reading).toMatchObject({ kind: 'line' });
  });

  test('is recognised by markers that the terminal sends unasked', () => {
    const keys = new TypedKeys();
    expect(keys.push('\x1b[200~a\nb')).toEqual([]);
    expect(keys.push('\x1b[201~')).toEqual([{ paste: 'a\nb' }]);
  });
});

describe('TypedKeys', () => {
  test('names a key whose sequence arrives in pieces', () => {
    const keys = new TypedKeys();
    expect(keys.push('\x1b')).toEqual([]);
    expect(keys.push('[')).toEqual([]);
    expect(keys.push('A')).toEqual([{ name: 'up', text: '' }]);
    expect(keys.push('\x1bOB')).toEqual([{ name: 'down', text: '' }]);
    expect(keys.push('\x1b[1;5C')).toEqual([{ name: 'ctrl-right', text: '' }]);
  });

  test('ignores Escape alone and unknown sequences', () => {
    const keys = new TypedKeys();
    expect(keys.push('\x1b')).toEqual([]);
    expect(keys.push('x')).toEqual([{ name: 'text', text: 'x' }]);
    expect(keys.push('\x1b[1;2P')).toEqual([]);
    expect(keys.push('\x1bx')).toEqual([]);
  });

  test('drops a sequence that never ends', () => {
    const keys = new TypedKeys();
    expect(keys.push(`\x1b[${'1;'.repeat(100)}`)).toEqual([]);
    expect(keys.push('a')).toEqual([{ name: 'text', text: 'a' }]);
  });
});

describe('a message on a LineTerminal', () => {
  test('is printed at once if no line is open or the open line is empty', async () => {
    const fake = new FakeTerminal();
    fake.terminal.say('one');
    expect(fake.written).toBe('one\n');
    void fake.typed('');
    fake.terminal.say('two');
    fake.terminal.say('three');
    await turn();
    expect(fake.written).toBe('one\n> \ntwo\nthree\n> ');
  });

  test('waits until the typed line is sent', async () => {
    const fake = new FakeTerminal();
    const reading = fake.typed('lis');
    fake.terminal.say('carol joined');
    await turn();
    fake.terminal.feed('t');
    expect(fake.written).toBe('> list');
    fake.terminal.feed('\r');
    await reading;
    expect(fake.written).toBe('> list\ncarol joined\n');
  });

  test('waits until the typed line is cleared', async () => {
    const fake = new FakeTerminal();
    void fake.typed('x');
    fake.terminal.say('carol joined');
    await turn();
    fake.terminal.feed('\x7f');
    expect(fake.written).toBe('> x\b \b\ncarol joined\n> ');
  });

  test('is dropped, oldest first, if too many wait', () => {
    const fake = new FakeTerminal();
    void fake.typed('x');
    for (let i = 0; i < 250; i++) fake.terminal.say(`notice ${i}`);
    fake.terminal.closeLine();
    expect(fake.written).toContain('\n50 older messages were dropped.\nnotice 50\n');
    expect(fake.written).toContain('notice 249\n');
  });

  test('waits while the terminal is held', () => {
    const fake = new FakeTerminal();
    fake.terminal.hold();
    fake.terminal.say('late');
    expect(fake.written).toBe('');
    fake.terminal.release();
    expect(fake.written).toBe('late\n');
  });
});

describe('Ctrl-C on a LineTerminal', () => {
  test('discards the keys typed ahead if it stops a call', async () => {
    const fake = new FakeTerminal(80, true);
    fake.terminal.feed('delete\r\x03');
    expect(fake.interrupts).toBe(1);
    fake.terminal.open('> ');
    const reading = fake.terminal.next();
    fake.terminal.feed('x\r');
    expect(await reading).toEqual({ kind: 'line', text: 'x' });
  });

  test('is queued if there is no call to stop', async () => {
    const fake = new FakeTerminal();
    fake.terminal.feed('\x03');
    fake.terminal.open('> ');
    expect(await fake.terminal.next()).toEqual({ kind: 'key', name: 'ctrl-c' });
  });
});
