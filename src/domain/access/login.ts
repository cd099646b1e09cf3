/** A login: what a client showed to come in, and what is known of it while it lasts. */
import type { ShownActor } from './actor.ts';

/** What a client showed to log in with a key (RFC 4252, section 7). Bytes are base64. */
export interface LoginProof {
  /** The login name: which door. */
  readonly username: string;
  /**
   * The algorithm as the client named it: `rsa-sha2-512` for an RSA key, `ssh-ed25519-cert-v01@openssh.com` for a
   * certificate.
   */
  readonly algorithm: string;
  /** The public key's wire blob, or a whole certificate's. */
  readonly blob: string;
  /**
   * The exchange hash of the connection's first key exchange (RFC 4253, section 7.2), which makes the signature good
   * for one connection only.
   */
  readonly sessionId: string;
  /** In the wire format: the name of its algorithm, then the signature (RFC 4253, section 6.6). */
  readonly signature: string;
}

/** What a connection has agreed on (RFC 4253, section 7.1), in the names of the registry. */
export interface Transport {
  readonly keyExchange: string;
  readonly hostKey: string;
  readonly cipher: string;
}

/** How somebody came in, as the journal keeps it. */
export interface LoginMeans {
  readonly method: 'publickey';
  /** The signature's algorithm. */
  readonly algorithm: string;
  /** As the front says: core has not seen it. */
  readonly transport?: Transport | undefined;
}

/** A login that lasts, as `session list` shows it. */
export interface LoginInfo extends ShownActor {
  /** Chosen by core; records of the journal carry it. */
  readonly login: string;
  /** RFC 3339 UTC. */
  readonly since: string;
  /** Shells that it has open. */
  readonly shells: number;
}
