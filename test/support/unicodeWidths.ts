/**
 * Widths as terminals of today have them. xterm.js itself counts by Unicode 6, to which an emoji is one cell wide. From
 * Unicode's own properties, not from the package that the product measures with.
 */
import type { IUnicodeHandling } from '@xterm/headless';

const wide =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]$/u;
const none = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

function width(codePoint: number): 0 | 1 | 2 {
  const character = String.fromCodePoint(codePoint);
  return none.test(character) ? 0 : wide.test(character) ? 2 : 1;
}

/**
 * xterm.js keeps, of the character before, its width in bits 1 and 2, and whether it was joined to the one before it in
 * bit 0.
 */
function properties(codePoint: number, before: number): number {
  const own = width(codePoint);
  const widthBefore = (before >> 1) & 3;
  const joined = own === 0 && widthBefore > 0;
  return ((joined ? widthBefore : own) << 1) | Number(joined);
}

export function useModernWidths(unicode: IUnicodeHandling): void {
  unicode.register({ version: 'modern', wcwidth: width, charProperties: properties });
  unicode.activeVersion = 'modern';
}
