/** Names of algorithms that a connection may negotiate. */
import type { Transport } from './login.ts';

/**
 * Names that the front may report. It offers fewer (src/front/transport/algorithms.ts); a name that is not listed here
 * is shown as `unknown`.
 */
const known: ReadonlySet<string> = new Set([
  ...[
    'mlkem768x25519-sha256',
    'sntrup761x25519-sha512',
    'sntrup761x25519-sha512@openssh.com',
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
  ],
  ...['ecdh-sha2-nistp256', 'ecdh-sha2-nistp384', 'ecdh-sha2-nistp521'],
  ...['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-256', 'rsa-sha2-512'],
  ...[
    'chacha20-poly1305@openssh.com',
    'aes128-gcm',
    'aes256-gcm',
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
  ],
]);

/** Key exchanges that withstand a future quantum computer. */
export const postQuantum: ReadonlySet<string> = new Set([
  'mlkem768x25519-sha256',
  'sntrup761x25519-sha512',
  'sntrup761x25519-sha512@openssh.com',
]);

/** Returns the algorithms reported by the front, with every unknown name replaced by `unknown`. */
export function knownTransport({ keyExchange, hostKey, cipher }: Transport): Transport {
  const checked = (name: string): string => (known.has(name) ? name : 'unknown');
  return { keyExchange: checked(keyExchange), hostKey: checked(hostKey), cipher: checked(cipher) };
}
