/**
 * The drop-in of the host's own sshd for the jump accounts: they may forward to the container that their key names, and
 * do nothing else.
 */
import { Failure } from '../domain/failure.ts';

export interface SshdDropIn {
  /** The jump accounts' group. */
  readonly group: string;
  /** Folder with one authorized_keys file per account, named after the account. */
  readonly authorizedKeysFolder: string;
}

/** Renders a path as one argument of sshd_config(5): quoted if necessary, with `%` doubled because it takes tokens. */
function pathArgument(folder: string): string {
  if (!folder.startsWith('/') || /["\\\p{Cc}]/u.test(folder)) {
    throw new Failure('settings', {
      what: `the authorized keys folder "${folder}"`,
      why: 'it must be an absolute path without quotes, backslashes or control characters',
      next: 'choose another folder in the configuration file',
    });
  }
  const path = `${folder.replace(/\/+$/, '').replaceAll('%', '%%')}/%u`;
  return /\s/.test(path) ? `"${path}"` : path;
}

/**
 * Renders the drop-in. sshd_config(5) allows every keyword in it inside a `Match` block (OpenSSH 9.2 and later). The
 * block ends with `Match all`, so that no later line, in whichever file, belongs to it by accident.
 */
export function renderSshdDropIn({ group, authorizedKeysFolder }: SshdDropIn): string {
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(group)) {
    throw new Failure('settings', {
      what: `the group "${group}"`,
      why: 'it is not a valid group name (group(5))',
      next: 'correct it in the configuration file',
    });
  }
  return `# Written by containarium; changes are overwritten. See sshd_config(5).
# The accounts of this group exist for "ssh -J": they can reach port 22 of their own container and nothing else. The
# options of each key name that container (restrict, permitopen).
Match Group ${group}
    # Keys come from this folder only: not from a home folder, a command, or a certificate.
    AuthorizedKeysFile ${pathArgument(authorizedKeysFolder)}
    AuthorizedKeysCommand none
    TrustedUserCAKeys none
    PubkeyAuthentication yes
    AuthenticationMethods publickey
    PasswordAuthentication no
    KbdInteractiveAuthentication no
    # ProxyJump is local forwarding. Everything else is disabled here too, in case a key lacks its "restrict".
    AllowTcpForwarding local
    AllowStreamLocalForwarding no
    AllowAgentForwarding no
    X11Forwarding no
    PermitTunnel no
    GatewayPorts no
    PermitListen none
    # No shell, command or sftp: nologin reports that the account is not available, and exits.
    ForceCommand /usr/sbin/nologin
    MaxSessions 2
    PermitTTY no
    PermitUserRC no
    Banner none
    # Disconnect an unresponsive client after a minute.
    ClientAliveInterval 20
    ClientAliveCountMax 3
Match all
`;
}
