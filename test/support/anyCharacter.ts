/** Any character of Unicode, for properties. */
import fc from 'fast-check';

const surrogates = 0x800;
const firstSurrogate = 0xd800;

/**
 * Any code point but a surrogate. The same as fast-check's own unit `binary`, which takes most of a second to build in
 * each process.
 */
export const anyCharacter = fc.nat({ max: 0x10ffff - surrogates }).map(
  (n) => String.fromCodePoint(n < firstSurrogate ? n : n + surrogates),
  (text) => {
    if (typeof text !== 'string' || [...text].length !== 1) throw new Error('not one character');
    const point = text.codePointAt(0) ?? 0;
    if (point >= firstSurrogate && point < firstSurrogate + surrogates) throw new Error('a surrogate');
    return point < firstSurrogate ? point : point - surrogates;
  },
);
