/** What a verb can read from standard input, for tests of command lines. */
const block = (kind: string): string => `-----BEGIN ${kind}-----\nAAAA\n-----END ${kind}-----\n`;

/** Returns a public key, or a CA for the verb that takes one. */
export function stdinFor(verb: string, publicKey: string): string {
  return verb === 'cert generate-with-ca' ? block('CERTIFICATE') + block('PRIVATE KEY') : publicKey;
}
