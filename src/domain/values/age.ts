/** Keys of age (age-encryption.org/v1): recipients, which are public, and identities, which are secret. */
import { Failure } from '../failure.ts';

/** The letters are those of Bech32 (BIP 173). The checksum is checked where the key is used. */
const recipientRule = /^age1(?:pq1)?[02-9ac-hj-np-z]{20,4000}$/;
const identityRule = /^AGE-SECRET-KEY-(?:PQ-)?1[02-9AC-HJ-NP-Z]{20,4000}$/;

export function isRecipient(text: string): boolean {
  return recipientRule.test(text);
}

const maxIdentities = 100;

/** The identities of a file. Nothing that prints or records an object shows them. */
export class AgeIdentity {
  readonly #keys: readonly string[];

  private constructor(keys: readonly string[]) {
    this.#keys = keys;
  }

  /** Parses an identity file: a key a line, and comments that begin with "#" (age(1)). Throws `usage`. */
  static parse(text: string): AgeIdentity {
    const lines = text.split(/\r?\n/).map((line) => line.trim());
    const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
    const why =
      keys.length === 0
        ? 'it has no key'
        : keys.length > maxIdentities
          ? `it has more than ${maxIdentities} keys`
          : keys.every((key) => identityRule.test(key))
            ? undefined
            : 'a line of it is not a key that begins with AGE-SECRET-KEY-';
    if (why === undefined) return new AgeIdentity(keys);
    // The text is not quoted, because it may be a secret.
    throw new Failure('usage', { what: 'the identity', why, next: 'give the file that age-keygen has made' });
  }

  /** Returns the secret keys. */
  reveal(): readonly string[] {
    return this.#keys;
  }
}
