/** Results of the verbs about certificates of the remote interface. Times in RFC 3339 UTC. */

export interface CertificateInfo {
  /** The admin whose name and role count. */
  readonly admin: string;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  readonly issuedAt: string;
  readonly issuedBy: string;
  readonly expiresAt: string;
  readonly revokedAt: string | null;
  readonly state: 'valid' | 'expired' | 'revoked' | 'no such admin';
}

export interface CertificateList {
  readonly server: {
    /** Names and addresses under which clients reach the server. */
    readonly names: readonly string[];
    readonly expiresAt: string;
    readonly authorityExpiresAt: string;
    readonly folder: string;
    /** `0.0.0.0:50051`; null while the settings turn the remote interface off. */
    readonly listen: string | null;
  } | null;
  readonly certificates: readonly CertificateInfo[];
}

/** A file for the person who gets a certificate. */
export interface CertificateFile {
  readonly name: string;
  /** Absent where `--output-dir` has written the file: keys are then in no output. */
  readonly content?: string;
}

export interface CertificateIssued {
  readonly admin: string;
  readonly serial: string;
  readonly expiresAt: string;
  /** `ca.crt`, `client.crt` and `client.key`, which is in no other place; on the host also those of the server. */
  readonly files: readonly CertificateFile[];
  /** What the holder types, without the verb. */
  readonly command: string;
  readonly warnings: readonly string[];
}

export interface CertificateChange extends CertificateList {
  /** The change, as a clause. */
  readonly did: string;
}
