import { describe, expect, it } from 'vitest';
import { isJournal, logLine } from '../../../src/domain/logLine.ts';
import { printable } from '../../../src/domain/text.ts';

describe('a log line', () => {
  it('has only printable characters and parses to the original text', () => {
    const text = '\u001b]0;x\u0007\u009b31m\u202e\u2066\u200b\u0000\u007f\ufeff\r\n\ud800\u{e0041}end';
    const line = logLine(`${JSON.stringify({ level: 'warn', text })}\n`, 40, false);
    expect(line.endsWith('\n')).toBe(true);
    expect(printable(line.slice(0, -1))).toBe(line.slice(0, -1));
    expect(JSON.parse(line)).toEqual({ level: 'warn', text });
  });

  it.each([
    [60, '<2>'],
    [50, '<3>'],
    [40, '<4>'],
    [30, '<6>'],
    [20, '<7>'],
    [10, '<7>'],
  ])('of level %i has the priority %s for journald, and no priority elsewhere', (level, priority) => {
    expect(logLine('{"a":1}\n', level, true)).toBe(`${priority}{"a":1}\n`);
    expect(logLine('{"a":1}\n', level, false)).toBe('{"a":1}\n');
  });

  it('goes to the journal only if JOURNAL_STREAM names the descriptor', () => {
    expect(isJournal('8:1234', { dev: 8n, ino: 1234n })).toBe(true);
    expect(isJournal('8:1235', { dev: 8n, ino: 1234n })).toBe(false);
    expect(isJournal(undefined, { dev: 8n, ino: 1234n })).toBe(false);
  });
});
