/** A terminal on which nothing is drawn: keys, echo, and what waits for the end of a line. */
import { describe, expect, test } from 'vitest';
import { Desk, type LineOptions, type Reading } from '../../../../src/shell/plain/desk.ts';
import { EchoedLine } from '../../../../src/shell/plain/echoedLine.ts';
import { TypedKeys } from '../../../../src/shell/plain/typed.ts';

/** Lets everything that is due in this turn of the event loop happen. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHw0 user@laptop';

class Paper {
  written = '';
  interrupts = 0;
  nowMs = 1000;
  readonly desk: Desk;

  constructor(columns = 80, ends = false) {
    this.desk = new Desk({
      write: (text) => (this.written += text),
      columns: () => columns,
      interrupted: () => {
        this.interrupts++;
        return ends;
      },
      now: () => this.nowMs,
    });
  }

  /** Opens a line, and types into it. */
  typed(text: string, options?: LineOptions): Promise<Reading> {
    this.desk.open('> ', options);
    const reading = this.desk.next();
    this.desk.feed(text);
    return reading;
  }
}

describe('a line', () => {
  test('is echoed and sent', async () => {
    const paper = new Paper();
    expect(await paper.typed('list\r')).toEqual({ kind: 'line', text: 'list' });
    expect(paper.written).toBe('> list\n');
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
    ['a\x1b[Cb\x1b[Hc', '> abc', 'abc'],
    ['a\u202eb', '> a\\u{202e}b', 'a\u202eb'],
  ])('%j', (typed, written, text) => {
    const paper = new Paper();
    void paper.typed(typed);
    expect(paper.written).toBe(written);
    expect(paper.desk.typed).toBe(text);
  });

  test('that has wrapped is written anew when it is shortened over the margin', () => {
    const line = new EchoedLine('> ', () => 10);
    line.insert('x'.repeat(8));
    expect(line.eraseCharacter()).toBeUndefined();
    expect(line.eraseCharacter()).toBe('\b \b');
    line.insert('y'.repeat(6));
    expect(line.eraseCharacter()).toBe('\b \b');
    expect(line.eraseAll()).toBeUndefined();
    expect(line.shown).toBe('> ');
  });

  test('keys that are no editing are for whoever reads', async () => {
    const paper = new Paper();
    expect(await paper.typed('\x1b[A')).toEqual({ kind: 'key', name: 'up' });
    const next = paper.desk.next();
    paper.desk.feed('\t');
    expect(await next).toEqual({ kind: 'key', name: 'tab' });
  });

  test('may be typed ahead', async () => {
    const paper = new Paper();
    paper.desk.feed('one\rtwo\r');
    paper.desk.open('> ');
    expect(await paper.desk.next()).toEqual({ kind: 'line', text: 'one' });
    paper.desk.open('> ');
    expect(await paper.desk.next()).toEqual({ kind: 'line', text: 'two' });
  });
});

describe('a paste', () => {
  test('of several keys sends nothing, also in several pieces', () => {
    const paper = new Paper();
    void paper.typed(`${key}\n${key.slice(0, 20)}`);
    paper.nowMs += 5;
    paper.desk.feed(`${key.slice(20)}\nlist\n`);
    expect(paper.written).not.toContain('\n');
    expect(paper.desk.typed.trimEnd()).toBe(`${key} ${key} list`);
  });

  test('keeps its lines where that is asked for', async () => {
    const paper = new Paper();
    const reading = paper.typed(`${key}\r${key}\r`, { keepLines: true });
    paper.desk.feed('\r');
    expect(await reading).toEqual({ kind: 'line', text: `${key}\n${key}\n` });
  });

  test('is over after a moment: Enter sends, and a command is one', async () => {
    const paper = new Paper();
    const reading = paper.typed(`${key}\n${key}`);
    paper.nowMs += 1000;
    paper.desk.feed(' x\r');
    expect(await reading).toMatchObject({ kind: 'line' });
  });

  test('that a terminal marks although nobody asked is one', () => {
    const keys = new TypedKeys();
    expect(keys.push('\x1b[200~a\nb')).toEqual([]);
    expect(keys.push('\x1b[201~')).toEqual([{ paste: 'a\nb' }]);
  });
});

describe('sequences', () => {
  test('in pieces', () => {
    const keys = new TypedKeys();
    expect(keys.push('\x1b')).toEqual([]);
    expect(keys.push('[')).toEqual([]);
    expect(keys.push('A')).toEqual([{ name: 'up', text: '' }]);
    expect(keys.push('\x1bOB')).toEqual([{ name: 'down', text: '' }]);
  });

  test('Escape alone is nothing', () => {
    const keys = new TypedKeys();
    expect(keys.push('\x1b')).toEqual([]);
    expect(keys.push('x')).toEqual([{ name: 'text', text: 'x' }]);
    expect(keys.push('\x1b[1;5C')).toEqual([]);
    expect(keys.push('\x1bx')).toEqual([]);
  });

  test('one that never ends is given up', () => {
    const keys = new TypedKeys();
    expect(keys.push(`\x1b[${'1;'.repeat(100)}`)).toEqual([]);
    expect(keys.push('a')).toEqual([{ name: 'text', text: 'a' }]);
  });
});

describe('what happens meanwhile', () => {
  test('is said at once where no line is open, and on a line of its own where it is empty', async () => {
    const paper = new Paper();
    paper.desk.say('one');
    expect(paper.written).toBe('one\n');
    void paper.typed('');
    paper.desk.say('two');
    paper.desk.say('three');
    await turn();
    expect(paper.written).toBe('one\n> \ntwo\nthree\n> ');
  });

  test('waits while something is typed, until it is sent', async () => {
    const paper = new Paper();
    const reading = paper.typed('lis');
    paper.desk.say('carol is here');
    await turn();
    paper.desk.feed('t');
    expect(paper.written).toBe('> list');
    paper.desk.feed('\r');
    await reading;
    expect(paper.written).toBe('> list\ncarol is here\n');
  });

  test('waits until it is cleared', async () => {
    const paper = new Paper();
    void paper.typed('x');
    paper.desk.say('carol is here');
    await turn();
    paper.desk.feed('\x7f');
    expect(paper.written).toBe('> x\b \b\ncarol is here\n> ');
  });

  test('is left out, the oldest first, where it is too much', () => {
    const paper = new Paper();
    void paper.typed('x');
    for (let i = 0; i < 250; i++) paper.desk.say(`notice ${i}`);
    paper.desk.closeLine();
    expect(paper.written).toContain('\n50 older lines are left out.\nnotice 50\n');
    expect(paper.written).toContain('notice 249\n');
  });

  test('waits while something else has the terminal', () => {
    const paper = new Paper();
    paper.desk.hold();
    paper.desk.say('late');
    expect(paper.written).toBe('');
    paper.desk.release();
    expect(paper.written).toBe('late\n');
  });
});

describe('Ctrl-C', () => {
  test('while nobody reads forgets what was typed ahead, and ends what can be ended', async () => {
    const paper = new Paper(80, true);
    paper.desk.feed('delete\r\x03');
    expect(paper.interrupts).toBe(1);
    paper.desk.open('> ');
    const reading = paper.desk.next();
    paper.desk.feed('x\r');
    expect(await reading).toEqual({ kind: 'line', text: 'x' });
  });

  test('is read in its turn where there is nothing to end', async () => {
    const paper = new Paper();
    paper.desk.feed('\x03');
    paper.desk.open('> ');
    expect(await paper.desk.next()).toEqual({ kind: 'key', name: 'ctrl-c' });
  });
});
