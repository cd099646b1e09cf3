import { describe, expect, it } from 'vitest';
import stringWidth from 'string-width';
import fc from 'fast-check';
import { keysOf } from '../../../src/shell/composer/keys.ts';
import { History } from '../../../src/shell/composer/history.ts';
import { windowOf } from '../../../src/shell/composer/window.ts';
import { fit } from '../../../src/shell/items/fit.ts';
import { bar, curve } from '../../../src/shell/items/drawing.ts';

type InkKey = Parameters<typeof keysOf>[1];
const none = {} as InkKey;

describe('keysOf', () => {
  it.each([
    ['abc', none, [{ name: 'text', text: 'abc' }]],
    [
      'list\r',
      none,
      [
        { name: 'text', text: 'list' },
        { name: 'enter', text: '' },
      ],
    ],
    [
      'a\rb\r',
      none,
      [
        { name: 'text', text: 'a' },
        { name: 'enter', text: '' },
        { name: 'text', text: 'b' },
        { name: 'enter', text: '' },
      ],
    ],
    [
      '\x01\x0b',
      none,
      [
        { name: 'ctrl-a', text: '' },
        { name: 'ctrl-k', text: '' },
      ],
    ],
    ['', { upArrow: true } as InkKey, [{ name: 'up', text: '' }]],
    ['', { tab: true, shift: true } as InkKey, [{ name: 'shift-tab', text: '' }]],
    ['r', { ctrl: true } as InkKey, [{ name: 'ctrl-r', text: '' }]],
    ['b', { meta: true } as InkKey, [{ name: 'alt-b', text: '' }]],
    ['\u0085\u009b', none, []],
  ])('names the keys in %j', (input, key, expected) => {
    expect(keysOf(input, key)).toEqual(expected);
  });

  it('recognises a paste by several public keys, or by more text than a person types at once', () => {
    expect(keysOf('ssh-ed25519 AAAA a@b\rssh-ed25519 AAAA c@d\r', none)).toHaveProperty('paste');
    expect(keysOf(`${'x'.repeat(300)}\ry`, none)).toHaveProperty('paste');
    expect(keysOf('list\rinfo alice\r', none)).not.toHaveProperty('paste');
  });
});

describe('History', () => {
  it('steps through the lines with the same prefix, and back to the draft', () => {
    const history = new History(['info alice', 'list', 'info bob']);
    expect(history.older('inf', 'inf')).toBe('info bob');
    expect(history.older('info bob', 'inf')).toBe('info alice');
    expect(history.older('info alice', 'inf')).toBeUndefined();
    expect(history.newer('info alice', 'inf')).toBe('info bob');
    expect(history.newer('info bob', 'inf')).toBe('inf');
    expect(history.newer('inf', 'inf')).toBeUndefined();
  });

  it('keeps a repeated line once, as the newest', () => {
    const history = new History(['a', 'b']);
    history.add('a');
    expect(history.older('', '')).toBe('a');
    expect(history.older('a', '')).toBe('b');
    expect(history.older('b', '')).toBeUndefined();
  });

  it('finds the nth newest line that contains a text', () => {
    const history = new History(['stop alice', 'start alice', 'list']);
    expect(history.find('alice', 0)).toBe('start alice');
    expect(history.find('ALICE', 1)).toBe('stop alice');
    expect(history.find('alice', 2)).toBeUndefined();
    expect(history.find('', 0)).toBeUndefined();
  });
});

it('windowOf returns a window that contains the cursor and is no wider than allowed', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.nat(),
      fc.integer({ min: 8, max: 120 }),
      (text, at, width) => {
        const boundaries = [
          0,
          ...[...new Intl.Segmenter('en').segment(text)].map(({ index, segment }) => index + segment.length),
        ];
        const cursor = boundaries[at % boundaries.length] ?? 0;
        const window = windowOf({ text, cursor }, width);
        expect(stringWidth(window.text)).toBeLessThanOrEqual(width);
        expect(window.column).toBeGreaterThanOrEqual(0);
        expect(window.column).toBeLessThanOrEqual(width);
      },
    ),
  );
});

describe('fit', () => {
  const columns = [
    { title: 'NAME', priority: 1 },
    { title: 'LESS', priority: 3 },
    { title: 'MORE', priority: 2 },
  ];
  const rows = [['alice', 'x'.repeat(10), 'y'.repeat(10)]];

  it('drops the least important columns first, and keeps the order of the rest', () => {
    expect(fit(columns, rows, 80)?.shown).toEqual([0, 1, 2]);
    expect(fit(columns, rows, 25)?.shown).toEqual([0, 2]);
    expect(fit(columns, rows, 15)).toBeUndefined();
  });

  it('measures cells, not characters', () => {
    expect(fit([{ title: 'A' }, { title: 'B' }], [['日本語', 'x']], 80)?.widths).toEqual([6, 1]);
  });
});

describe('drawing', () => {
  it.each([
    [0, 10, ''],
    [1, 10, '██████████'],
    [0.5, 10, '█████'],
    [0.0125, 10, '▏'],
    [2, 4, '████'],
    [-1, 4, ''],
  ])('draws a bar of %d in %i cells', (ratio, width, full) => {
    const drawn = bar(ratio, width);
    expect(drawn.full).toBe(full);
    expect(stringWidth(drawn.full + drawn.rest)).toBe(width);
  });

  it('draws a curve of at least two values', () => {
    expect(curve([1], 10)).toBe('');
    expect(stringWidth(curve([1, 5, 3, 9], 10))).toBe(4);
    // Ten of a hundred is drawn low, even if it is constant.
    expect(curve([10, 10, 10], 10, 100)).toBe('▁▁▁');
    expect(curve([10, 90, 10], 10, 100)).toMatch(/^▁[▇█]▁$/);
    expect(
      stringWidth(
        curve(
          Array.from({ length: 50 }, (_, i) => i),
          10,
        ),
      ),
    ).toBe(10);
  });
});
