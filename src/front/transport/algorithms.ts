/**
 * What this server offers. Authenticated encryption only, so that no MAC is ever negotiated; no compression (ssh2
 * inflates before authentication without a useful bound); no finite-field groups (their arithmetic runs synchronously
 * before authentication), no NIST curves, nothing with SHA-1.
 */
import type { Algorithms, ServerConfig } from 'ssh2';
import { certificateAlgorithms } from '../../domain/keys/certificate.ts';
import type { FrontStart } from '../../protocol/messages.ts';

type KeyExchange = FrontStart['transport']['keyExchange'];

/**
 * The key exchange that no quantum computer will open later (draft-ietf-sshm-mlkem-hybrid-kex; in OpenSSH since 9.9).
 */
const postQuantum = 'mlkem768x25519-sha256';

/** For clients without it, under its own name (RFC 8731) and under that of the clients from before the RFC. */
const classical = ['curve25519-sha256', 'curve25519-sha256@libssh.org'];

/**
 * What a login may be signed with, told in EXT_INFO (`server-sig-algs`, RFC 8308); certificates of these types have
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
    // ssh2's types do not know what patches/ adds.
    kex: (keyExchange === 'post-quantum' ? [postQuantum] : [postQuantum, ...classical]) as never,
    serverHostKey: ['ssh-ed25519'],
    cipher: ['chacha20-poly1305@openssh.com', 'aes256-gcm@openssh.com', 'aes128-gcm@openssh.com'],
    // Used with none of these ciphers; named because some clients want to agree on one all the same.
    hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com'],
    compress: ['none'],
  };
}

/** The part of ssh2's configuration that says what is offered. */
export function offer(keyExchange: KeyExchange): Pick<ServerConfig, 'algorithms'> {
  const config = { algorithms: algorithms(keyExchange), serverSigAlgs: signatures };
  return config;
}
