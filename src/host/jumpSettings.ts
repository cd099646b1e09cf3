/**
 * The settings of the host's own sshd for jump accounts (sshd_config(5)): they may forward to the container that their
 * key names, and do nothing else. The drop-in is rendered from them, and `doctor` compares them with what is in force.
 */

/** Settings with the reason for them, in the order of the drop-in. */
export interface JumpSettings {
  readonly why: string;
  /** Keywords and values, the values as `sshd -T` prints them. */
  readonly settings: readonly (readonly [keyword: string, value: string])[];
}

/** Returns the settings. The folder has one authorized_keys file per account, named after the account. */
export function jumpSettings(authorizedKeysFolder: string): readonly JumpSettings[] {
  return [
    {
      why: 'Keys come from this folder only: not from a home folder, a command, or a certificate.',
      settings: [
        // The value takes tokens, so a percent sign of the folder is doubled.
        ['AuthorizedKeysFile', `${authorizedKeysFolder.replace(/\/+$/, '').replaceAll('%', '%%')}/%u`],
        ['AuthorizedKeysCommand', 'none'],
        ['TrustedUserCAKeys', 'none'],
        ['PubkeyAuthentication', 'yes'],
        ['AuthenticationMethods', 'publickey'],
        ['PasswordAuthentication', 'no'],
        ['KbdInteractiveAuthentication', 'no'],
      ],
    },
    {
      why: 'ProxyJump is local forwarding. Everything else is disabled here too, in case a key lacks its "restrict".',
      settings: [
        ['AllowTcpForwarding', 'local'],
        ['AllowStreamLocalForwarding', 'no'],
        ['AllowAgentForwarding', 'no'],
        ['X11Forwarding', 'no'],
        ['PermitTunnel', 'no'],
        ['GatewayPorts', 'no'],
        ['PermitListen', 'none'],
      ],
    },
    {
      why: 'No shell, command or sftp: nologin reports that the account is not available, and exits.',
      settings: [
        ['ForceCommand', '/usr/sbin/nologin'],
        ['MaxSessions', '2'],
        ['PermitTTY', 'no'],
        ['PermitUserRC', 'no'],
        ['Banner', 'none'],
      ],
    },
    {
      why: 'Disconnect an unresponsive client after a minute.',
      settings: [
        ['ClientAliveInterval', '20'],
        ['ClientAliveCountMax', '3'],
      ],
    },
  ];
}

/** Returns the settings in force (`Sshd.settingsFor`) that are not as they should be, as clauses. */
export function jumpSettingFaults(inForce: ReadonlyMap<string, string>, authorizedKeysFolder: string): string[] {
  return jumpSettings(authorizedKeysFolder)
    .flatMap(({ settings }) => settings)
    .filter(([keyword, value]) => inForce.get(keyword.toLowerCase()) !== value)
    .map(([keyword, value]) => {
      const found = inForce.get(keyword.toLowerCase());
      return `${keyword} is ${found === undefined ? 'not set' : `"${found}"`}, but must be "${value}"`;
    });
}
