/**
 * The algorithms that this server offers. Ciphers are authenticated, so that no MAC is ever negotiated. Not offered are
 * compression (ssh2 inflates before authentication without a useful bound), finite-field groups (their arithmetic runs
 * synchronously before authentication), NIST curves, and anything with SHA-1. What core accepts as a name in a report
 * is in src/domain/access/transport.ts.
 */
import type { Algorithms, ServerConfig } from 'ssh2';
import { certificateAlgorithms } from '../../domain/keys/certificate.ts';
import type { FrontStart } from '../../protocol/messages.ts';

type KeyExchange = FrontStart['transport']['keyExchange'];

/** Post-quantum key exchange (draft-ietf-sshm-mlkem-hybrid-kex; in OpenSSH since 9.9). */
const postQuantum = 'mlkem768x25519-sha256';

/** For clients without the above. The second name is the one from before RFC 8731. */
const classical = ['curve25519-sha256', 'curve25519-sha256@libssh.org'];

/**
 * Signature algorithms for logins, sent in EXT_INFO (`server-sig-algs`, RFC 8308). Certificates of these types have
 * names of their own. Without the list a client may not use rsa-sha2-512.
 */
const signatures = [
  'ssh-ed25519',
  'sk-ssh-ed25519@openssh.com',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ecdsa-sha2-nistp256@openssh.com',
  'rsa-sha2-512',
  'rsa-sha2-256',
  ...certificateAlgorithms.keys(),
];

function algorithms(keyExchange: KeyExchange): Algorithms {
  return {
    // ssh2's types do not list the algorithm that patches/ adds.
    kex: (keyExchange === 'post-quantum' ? [postQuantum] : [postQuantum, ...classical]) as never,
    serverHostKey: ['ssh-ed25519'],
    cipher: ['chacha20-poly1305@openssh.com', 'aes256-gcm@openssh.com', 'aes128-gcm@openssh.com'],
    // Not used with these ciphers; listed because some clients insist on agreeing on a MAC anyway.
    hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com'],
    compress: ['none'],
  };
}

/** Returns the part of ssh2's configuration that lists the offered algorithms. */
export function algorithmOptions(keyExchange: KeyExchange): Pick<ServerConfig, 'algorithms'> {
  const config = { algorithms: algorithms(keyExchange), serverSigAlgs: signatures };
  return config;
}
