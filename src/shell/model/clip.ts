/** Text for the client's own machine: its clipboard, its camera. */
import { renderUnicodeCompact } from 'uqr';

/** Terminals refuse longer ones; xterm's own limit is near this, in bytes of base64. */
const longestBase64 = 100_000;

/** OSC 52 (xterm, "Manipulate Selection Data"). Whether the terminal honours it cannot be known. */
export function clipboardSequence(text: string): string | undefined {
  const base64 = Buffer.from(text, 'utf8').toString('base64');
  return base64.length > longestBase64 ? undefined : `\x1b]52;c;${base64}\x07`;
}

/** A QR code of half blocks, where it fits into `width` cells. */
export function qrCode(text: string, width: number): string | undefined {
  try {
    const code = renderUnicodeCompact(text, { ecc: 'L', border: 2 });
    const columns = Math.max(...code.split('\n').map((line) => [...line].length));
    return columns > width ? undefined : code;
  } catch {
    // More than a code can hold (ISO/IEC 18004: 2,953 bytes).
    return undefined;
  }
}
