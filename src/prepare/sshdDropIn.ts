/**
 * What the host's own sshd is told about the jump accounts: they may forward to the container that their key names, and
 * nothing else.
 */
import { Failure } from '../domain/failure.ts';

export interface SshdDropIn {
  /** The jump accounts' group. */
  readonly group: string;
  /** Folder with one authorized_keys file per account, named like the account. */
  readonly authorizedKeysFolder: string;
}

/** A path as one argument of sshd_config(5): quoted, with `%` doubled because the value takes tokens. */
function pathArgument(folder: string): string {
  if (!folder.startsWith('/') || /["\\\p{Cc}]/u.test(folder)) {
    throw new Failure('settings', {
      what: `the authorized keys folder "${folder}"`,
      why: 'it must be an absolute path without quotes, backslashes and control characters',
      next: 'choose another folder in the configuration file',
    });
  }
  const path = `${folder.replace(/\/+$/, '').replaceAll('%', '%%')}/%u`;
  return /\s/.test(path) ? `"${path}"` : path;
}

/**
 * The drop-in's text. Every keyword in it is one that sshd_config(5) allows inside a `Match` block (OpenSSH 9.2 and
 * later); the block ends with `Match all`, so that nothing after it, in whichever file, belongs to it by accident.
 */
export function renderSshdDropIn({ group, authorizedKeysFolder }: SshdDropIn): string {
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(group)) {
    throw new Failure('settings', {
      what: `the group "${group}"`,
      why: 'it is not a group name of group(5)',
      next: 'correct it in the configuration file',
    });
  }
  return `# Written by containarium; changes are overwritten. See sshd_config(5).
# The accounts of this group exist for "ssh -J": they reach port 22 of their own container and nothing else. Which container that
# is stands in front of each of their keys (restrict, permitopen).
Match Group ${group}
    # Keys come from this folder only: not from a home folder, a command, or a certificate of some authority.
    AuthorizedKeysFile ${pathArgument(authorizedKeysFolder)}
    AuthorizedKeysCommand none
    TrustedUserCAKeys none
    PubkeyAuthentication yes
    AuthenticationMethods publickey
    PasswordAuthentication no
    KbdInteractiveAuthentication no
    # ProxyJump is local forwarding. Everything else is closed here too, should a key ever lack its "restrict".
    AllowTcpForwarding local
    AllowStreamLocalForwarding no
    AllowAgentForwarding no
    X11Forwarding no
    PermitTunnel no
    GatewayPorts no
    PermitListen none
    # No shell, no command, no sftp, whatever is asked for: nologin says that the account is not available, and ends.
    ForceCommand /usr/sbin/nologin
    MaxSessions 2
    PermitTTY no
    PermitUserRC no
    Banner none
    # A client that has gone is noticed after a minute.
    ClientAliveInterval 20
    ClientAliveCountMax 3
Match all
`;
}
