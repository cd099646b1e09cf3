/**
 * What this server offers. Only authenticated encryption or encrypt-then-MAC, no compression (ssh2 inflates before authentication
 * without a useful bound), no finite-field groups (their arithmetic runs synchronously before authentication), nothing with SHA-1.
 */
import type { Algorithms } from 'ssh2';

export const algorithms: Algorithms = {
  // The name with the suffix comes first: ssh2 compares the first names of both lists wrongly, and with the other one first a
  // client that guesses the same key exchange (Dropbear) would wait for ever.
  kex: ['curve25519-sha256@libssh.org', 'curve25519-sha256', 'ecdh-sha2-nistp256'],
  serverHostKey: ['ssh-ed25519'],
  cipher: ['chacha20-poly1305@openssh.com', 'aes256-gcm@openssh.com', 'aes128-gcm@openssh.com', 'aes256-ctr', 'aes128-ctr'] as never,
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com'],
  compress: ['none'],
};
