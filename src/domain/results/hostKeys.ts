/** Results of the verbs about host keys. Times in RFC 3339 UTC. */

/** A host key of the SSH server, in the forms in which it is compared and published. */
export interface HostKeyInfo {
  readonly which: 'present' | 'next';
  readonly type: string;
  /** `SHA256:…`, as in ssh-keygen(1). */
  readonly fingerprint: string;
  readonly madeAt: string;
  /** Whether the running server presents this key (`present`) or announces it (`next`). */
  readonly inUse: boolean;
  /** A line of known_hosts (sshd(8)). */
  readonly knownHosts: string;
  /** A resource record (RFC 4255). */
  readonly sshfp: string;
}

export interface HostKeyList {
  readonly keys: readonly HostKeyInfo[];
  /** Whether the host name is configured; if not, the lines contain the placeholder JUMP-HOST. */
  readonly named: boolean;
}

export interface HostKeyChange extends HostKeyList {
  readonly did: 'rotated' | 'switched';
  readonly fingerprint: string;
}
