/**
 * Character widths of modern terminals for xterm.js, which otherwise uses those of Unicode 6, where an emoji is one
 * cell wide. They are derived from Unicode properties, independently of the package that the product uses.
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
 * Returns the properties of a character as xterm.js encodes them: the width in bits 1 and 2, and in bit 0 whether it
 * joins the previous character. `before` are the properties of that character.
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
