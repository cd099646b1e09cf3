/** Logins: the proof that a client presents, and the facts about an open login. */
import type { ShownActor } from './actor.ts';

/** The proof that a client presents to log in with a key (RFC 4252, section 7). Bytes are base64. */
export interface LoginProof {
  /** The login name, which selects the entry point. */
  readonly username: string;
  /**
   * The algorithm as the client named it: `rsa-sha2-512` for an RSA key, `ssh-ed25519-cert-v01@openssh.com` for a
   * certificate.
   */
  readonly algorithm: string;
  /** The public key's wire blob, or a whole certificate's. */
  readonly blob: string;
  /**
   * The exchange hash of the connection's first key exchange (RFC 4253, section 7.2), which ties the signature to one
   * connection.
   */
  readonly sessionId: string;
  /** In the wire format: the name of its algorithm, then the signature (RFC 4253, section 6.6). */
  readonly signature: string;
}

/** The login of a client of the remote interface, as the remote process reports it. */
export interface RemoteLogin {
  /** The client's certificate, DER in base64. */
  readonly certificate: string;
  readonly address: string;
  /** The version of TLS, `TLSv1.3`. */
  readonly tls: string;
}

/** The negotiated algorithms of a connection (RFC 4253, section 7.1), by their registered names. */
export interface Transport {
  readonly keyExchange: string;
  readonly hostKey: string;
  readonly cipher: string;
}

/** The authentication of a login, as recorded in the journal. */
export interface LoginMeans {
  /** `certificate`: a client certificate of the remote interface. `none`: the remote interface without TLS. */
  readonly method: 'publickey' | 'certificate' | 'none';
  /** The signature's algorithm, the version of TLS, or `none`. */
  readonly algorithm: string;
  /** As reported by the front; core cannot verify it. */
  readonly transport?: Transport | undefined;
}

/** An open login, as shown by `session list`. */
export interface LoginInfo extends ShownActor {
  /** The id assigned by core, which journal records contain. */
  readonly login: string;
  /** RFC 3339 UTC. */
  readonly since: string;
  /** Number of open shells. */
  readonly shells: number;
  /** For owners: the users whose containers the login may access. */
  readonly containers: readonly string[];
}
