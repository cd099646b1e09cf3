import { describe, expect, it } from 'vitest';
import { columnsText } from '../../../src/catalogue/output/columns.ts';

describe('a table of columns', () => {
  it('aligns cells by their width on a terminal, and has no blanks at the end of a line', () => {
    expect(
      columnsText(
        [{ title: 'USER' }, { title: 'MEMORY', align: 'right' }, { title: 'LABELS' }],
        [
          ['alice', '1 GiB', ''],
          ['日本', '512 MiB', 'team=blue'],
        ],
      ),
    ).toBe(['USER    MEMORY  LABELS', 'alice    1 GiB', '日本   512 MiB  team=blue'].join('\n'));
  });

  it('is its titles alone without rows, and leaves missing cells empty', () => {
    expect(columnsText([{ title: 'A' }, { title: 'B' }], [])).toBe('A  B');
    expect(columnsText([{ title: 'A' }, { title: 'B' }], [['long']])).toBe('A     B\nlong');
  });
});
