/** What a verb can read from standard input, for tests of command lines. */
const block = (kind: string): string => `-----BEGIN ${kind}-----\nAAAA\n-----END ${kind}-----\n`;

/** No key: its checksum is wrong. */
const identity = `AGE-SECRET-KEY-1${'Q'.repeat(58)}\n`;

/** Returns a public key, or a CA or an identity for the verbs that take one. */
export function stdinFor(verb: string, publicKey: string): string {
  if (verb.startsWith('backup ')) return identity;
  return verb === 'cert generate-with-ca' ? block('CERTIFICATE') + block('PRIVATE KEY') : publicKey;
}
