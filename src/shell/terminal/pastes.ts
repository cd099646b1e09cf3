/**
 * What of the input is a paste: a terminal marks one where it was asked to (bracketed paste, XTerm's ctlseqs); else it
 * looks like one.
 */

/** Around a paste that the terminal marks. */
export const pasteBegins = '\x1b[200~';
export const pasteEnds = '\x1b[201~';

/** More of a paste is dropped, in UTF-16 units: no line of ours is longer. */
export const maxPasteLength = 16_384;

/** What of a packet without bracketed paste is taken for pasted: a key, or more than anybody types at once. */
const keyType = /(^|\s)(ssh-(rsa|ed25519|dss)|ecdsa-sha2-|sk-(ssh|ecdsa)-)/;
const fastestTyping = 200;

/**
 * Whether a piece of input that the terminal did not mark as a paste is one all the same: its lines are text then, not
 * commands.
 */
export function looksLikePaste(input: string): boolean {
  return /[\r\n]./s.test(input) && (keyType.test(input) || input.length > fastestTyping);
}
