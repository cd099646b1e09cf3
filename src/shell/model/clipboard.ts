/** Hands text to the client's own machine: to its clipboard, or to its camera as a QR code. */
import { renderUnicodeCompact } from 'uqr';

/** The longest text that terminals accept, in bytes of base64; xterm's limit is close to it. */
const maxBase64Bytes = 100_000;

/** Returns the OSC 52 sequence that sets the clipboard (xterm, "Manipulate Selection Data"). */
export function clipboardSequence(text: string): string | undefined {
  const base64 = Buffer.from(text, 'utf8').toString('base64');
  return base64.length > maxBase64Bytes ? undefined : `\x1b]52;c;${base64}\x07`;
}

/** Returns a QR code drawn in half blocks, or nothing if it does not fit into `width` cells. */
export function qrCode(text: string, width: number): string | undefined {
  try {
    const code = renderUnicodeCompact(text, { ecc: 'L', border: 2 });
    const columns = Math.max(...code.split('\n').map((line) => [...line].length));
    return columns > width ? undefined : code;
  } catch {
    // The text exceeds the capacity of a QR code (ISO/IEC 18004: 2,953 bytes).
    return undefined;
  }
}
