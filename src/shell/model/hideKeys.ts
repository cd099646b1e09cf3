/** A type of key at the end of a word, which may begin with a quote or an option. RFC 4251 allows 64 characters. */
const keyType = /(?:ssh-|ecdsa-|sk-)[a-z0-9@.-]{1,64}$/;

/** Shortens public keys in a command line: they take hundreds of characters. */
export function hideKeys(line: string): string {
  // Words and the blanks between them.
  const parts = line.split(/(\s+)/);
  return parts
    .map((part, at) => {
      if (at < 2 || !keyType.test(parts[at - 2] ?? '')) return part;
      return part.replace(/^[A-Za-z0-9+/=]{40,}/, (blob) => `${blob.slice(0, 12)}…${blob.slice(-8)}`);
    })
    .join('');
}
