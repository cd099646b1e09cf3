/** Result of `export` and `config`, and what other texts for users share with it. */

/** A user's access to their container, with text for ssh_config(5) and known_hosts (sshd(8)). */
export interface SshAccess {
  readonly user: string;
  /** The alias to type: `alice-dev`. */
  readonly alias: string;
  readonly jumpAlias: string;
  readonly jumpHost: string;
  readonly jumpPort: number;
  readonly address: string;
  readonly config: string;
  readonly knownHosts: readonly string[];
}

/** Stands for the name of the jump host in texts for users if it is not known. */
export const unknownHost = 'JUMP-HOST';
