/** Recognises pastes: by the terminal's markers (bracketed paste, XTerm's ctlseqs), or by what the input looks like. */

/** Markers around a paste in bracketed paste mode. */
export const pasteBegins = '\x1b[200~';
export const pasteEnds = '\x1b[201~';

/** The longest paste with markers, in bytes: thousands of lines. A longer one is refused: half of it means nothing. */
export const maxPasteBytes = 256 * 1024;

/** Signs of a paste without markers: a public key, or more UTF-16 units in one packet than a person types. */
const keyType = /(^|\s)(ssh-(rsa|ed25519|dss)|ecdsa-sha2-|sk-(ssh|ecdsa)-)/;
const maxTypedLength = 200;

/** Reports whether unmarked input looks like a paste. The lines of a paste are text, not commands. */
export function looksLikePaste(input: string): boolean {
  return /[\r\n]./s.test(input) && (keyType.test(input) || input.length > maxTypedLength);
}
