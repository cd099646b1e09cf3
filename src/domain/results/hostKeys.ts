/** Results of the verbs about host keys. Times in RFC 3339 UTC. */

/** A host key of port 2222, ready to be compared and published. */
export interface HostKeyInfo {
  readonly which: 'present' | 'next';
  readonly type: string;
  /** `SHA256:…`, as ssh-keygen(1) shows it. */
  readonly fingerprint: string;
  readonly madeAt: string;
  /** Whether the running server presents it (the present one) or announces it (the next one). */
  readonly inUse: boolean;
  /** A line of known_hosts (sshd(8)). */
  readonly knownHosts: string;
  /** A resource record (RFC 4255). */
  readonly sshfp: string;
}

export interface HostKeyList {
  readonly keys: readonly HostKeyInfo[];
  /** Whether it is known how clients reach this host; otherwise JUMP-HOST stands for it. */
  readonly named: boolean;
}

export interface HostKeyChange extends HostKeyList {
  readonly did: 'rotated' | 'switched';
  readonly fingerprint: string;
}
