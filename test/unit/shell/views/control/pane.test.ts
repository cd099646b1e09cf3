/** The pane above the live list: a container chooses what its log holds, so a pane lays out only what is visible. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Pane } from '../../../../../src/shell/views/control/pane.ts';
import { wrapped } from '../../../../../src/shell/views/layout/cells.ts';

vi.mock('../../../../../src/shell/views/layout/cells.ts', { spy: true });

function paneOf(text: string, width = 80, fromEnd = true): Pane {
  return new Pane({ kind: 'text', title: 'alice: logs', width, blocks: [{ kind: 'verbatim', text }], fromEnd });
}

/** How many UTF-16 units were broken into rows. */
function laidOut(): number {
  return vi.mocked(wrapped).mock.calls.reduce((sum, [text]) => sum + text.length, 0);
}

beforeEach(() => {
  vi.mocked(wrapped).mockClear();
});

describe('the pane of a text', () => {
  test.each([
    ['emoji in one line', '🚀'.repeat(128 * 1024)],
    ['combining characters in one line', 'e\u0301'.repeat(128 * 1024)],
    ['long lines', `${'🚀'.repeat(2000)}\n`.repeat(60)],
    ['short lines', '🚀\n'.repeat(80_000)],
  ])('lays out only the lines that are visible, of %s', (_, text) => {
    const pane = paneOf(text);
    pane.window(20);
    pane.resize(79);
    pane.window(20);
    expect(laidOut()).toBeLessThan(100 * 1024);
  });

  test('shows its last 500 lines, each up to 1024 characters, and says so', () => {
    const pane = paneOf(Array.from({ length: 600 }, (_, i) => `line ${i} ${'x'.repeat(2000)}`).join('\n'), 2000);
    expect(pane.window(1)).toMatchObject({ first: 500, count: 501, isWhole: false });
    expect(pane.window(1).lines.at(-1)).toMatch(/^line 599 x+…$/);
    pane.scrollTo(0);
    const [says, first] = pane.window(5).lines;
    expect(says).toMatch(/^Not the whole text: its last 500 lines at most/);
    expect(first).toMatch(/^line 100 x+…$/);
    expect(first).toHaveLength(1025);
  });

  test('scrolls by rows of lines that are broken, and stops at its ends', () => {
    const pane = paneOf('aabbcc\ndd\neeff', 2, false);
    expect(pane.window(3)).toEqual({ lines: ['aa', 'bb', 'cc'], first: 0, last: 0, count: 3, isWhole: false });
    pane.scroll(2);
    expect(pane.window(3)).toMatchObject({ lines: ['cc', 'dd', 'ee'], first: 0, last: 2 });
    pane.scroll(100);
    expect(pane.window(3).lines).toEqual(['dd', 'ee', 'ff']);
    pane.scroll(-1);
    expect(pane.window(3).lines).toEqual(['cc', 'dd', 'ee']);
    pane.scroll(-100);
    expect(pane.window(3).lines).toEqual(['aa', 'bb', 'cc']);
    pane.resize(80);
    expect(pane.window(3)).toEqual({ lines: ['aabbcc', 'dd', 'eeff'], first: 0, last: 2, count: 3, isWhole: true });
    expect(paneOf('', 80).window(3)).toMatchObject({ lines: [''], isWhole: true });
  });
});
