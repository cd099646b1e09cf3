/**
 * Characters of two cells and of none, at many widths of the window: the cursor and the borders are in the right place.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey } from '../support/keys.ts';
import { startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { openShell, type TestShell } from '../support/shell.ts';

let server: TestServer;

beforeAll(async () => {
  const folder = await temporaryFolder();
  const comments = ['容器の鍵', '📦 laptop', 'plain', 'cafe\u0301 한국어'];
  const keys = await Promise.all(comments.map((comment, i) => makeKey(folder, `key${i}`, { comment })));
  server = await startServer();
  expect(await server.ssh(['create', 'alice'], { stdin: keys.map(({ line }) => line).join('') })).toMatchObject({
    code: 0,
  });
});

/** Returns the row of the composer, the only one that begins with the prompt and has the cursor. */
function composer(shell: TestShell): string[] {
  return shell.cells(shell.cursor.row);
}

const widths = [40, 41, 80, 81, 120, 200, 299, 300];

describe.each(widths)('at %i columns', (columns) => {
  test.each(['容器', '📦📦', 'a容', '한 글', 'e\u0301容'])('the cursor is after %s', async (piece) => {
    const shell = await openShell(server, { columns });
    const text = piece.repeat(3);
    shell.type(text);
    await shell.shows(text);
    const cells = composer(shell);
    expect(cells.slice(0, shell.cursor.column).join('')).toBe(`› ${text}`);
    expect(cells.slice(shell.cursor.column).join('').trim()).toBe('');
    // After Left, the next character is inserted where the cursor is shown.
    shell.press('left').type('X');
    const last = [...new Intl.Segmenter('en').segment(text)].at(-1)?.segment ?? '';
    const changed = `${text.slice(0, text.length - last.length)}X${last}`;
    await shell.shows(changed);
    expect(composer(shell).slice(0, shell.cursor.column).join('')).toBe(
      `› ${changed.slice(0, changed.length - last.length)}`,
    );
  });

  test('a line longer than the window scrolls', async () => {
    const shell = await openShell(server, { columns });
    shell.type(`${'容'.repeat(columns)}end`);
    await shell.shows(/^› ….*容end$/m);
    const cells = composer(shell);
    expect(cells.slice(0, shell.cursor.column).join('')).toMatch(/^› …[ 容]*end$/);
    expect(shell.cursor.column).toBeLessThan(columns);
  });

  test('the borders of a table are aligned', async () => {
    const shell = await openShell(server, { columns, rows: 50 });
    shell.type('key list alice').press('enter');
    await shell.shows(/key list alice\n([^]*SHA256:){4}[^]*^› ?$/m);
    const rows = shell.screen().map((_, row) => shell.cells(row));
    const bordered = rows.filter((cells) => /^[│┌├└]/.test(cells.join('')));
    const borders = bordered.map((cells) => cells.flatMap((c, column) => (/^[│┌┬┐├┼┤└┴┘]$/.test(c) ? [column] : [])));
    for (const each of borders) expect(each).toEqual(borders[0]);
    if (columns >= 120) {
      expect(borders.length).toBeGreaterThan(7);
    }
    if (columns >= 200) expect(shell.text()).toContain('容器の鍵');
  });
});

test('invisible characters in a paste are escaped, and measured as shown', async () => {
  const shell = await openShell(server, { columns: 100 });
  shell.paste('info a\u202eb\u200dc');
  await shell.shows('info a\\u{202e}b\\u{200d}c');
  expect(shell.cursor.column).toBe('› info a\\u{202e}b\\u{200d}c'.length);
});
