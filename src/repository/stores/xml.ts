/** Reads the few documents of S3's API. They are flat lists of elements with text, without attributes that matter. */

/** Returns the texts between the tags of this name, in order. */
export function texts(document: string, tag: string): string[] {
  const found: string[] = [];
  const [begin, end] = [`<${tag}>`, `</${tag}>`];
  for (let at = document.indexOf(begin); at >= 0; at = document.indexOf(begin, at)) {
    const from = at + begin.length;
    const to = document.indexOf(end, from);
    if (to < 0) break;
    found.push(document.slice(from, to));
    at = to + end.length;
  }
  return found;
}

/** Returns the text of the first element of this name, with its references replaced; undefined if there is none. */
export function text(document: string, tag: string): string | undefined {
  const [first] = texts(document, tag);
  return first === undefined ? undefined : unescaped(first);
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(written: string): string {
  return written.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|([a-z]{2,4}));/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return named[name as string] ?? whole;
    const point = decimal === undefined ? Number.parseInt(hex as string, 16) : Number(decimal);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}

export function escaped(plain: string): string {
  return plain.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
