/**
 * The settings of the host's own sshd (sshd_config(5)). Jump accounts may forward to the container that their key
 * names, and do nothing else. A few settings are for every connection, because sshd has no other for jump accounts
 * alone. The drop-in is rendered from them, and `doctor` compares them with what is in force.
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
        ['AuthorizedKeysFile', `${authorizedKeysFolder.replace(/(?<!\/)\/+$/, '').replaceAll('%', '%%')}/%u`],
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

export interface ServerSettings {
  /** Number of pending logins that one source may have. */
  readonly pendingLoginsPerSource: number;
  /** `false` turns passwords off for every account; `true` leaves the host's own setting alone. */
  readonly passwordLogins: boolean;
}

/** Returns the settings for every connection. sshd does not allow the limits in a `Match` block. */
export function serverSettings({ pendingLoginsPerSource, passwordLogins }: ServerSettings): readonly JumpSettings[] {
  return [
    {
      why: 'One source cannot fill the pending logins: random rejection begins at five times its limit.',
      settings: [
        ['PerSourceMaxStartups', String(pendingLoginsPerSource)],
        // One customer usually has a whole /64 of IPv6 addresses.
        ['PerSourceNetBlockSize', '32:64'],
        ['MaxStartups', `${pendingLoginsPerSource * 5}:30:${pendingLoginsPerSource * 10}`],
      ],
    },
    ...(passwordLogins
      ? []
      : [
          {
            why: 'No passwords for any account: jump accounts have none, so an offer would show that a name has no container.',
            settings: [
              ['PasswordAuthentication', 'no'],
              ['KbdInteractiveAuthentication', 'no'],
            ],
          } as const,
        ]),
  ];
}

/** The keywords that offer a method of authentication, and its name (RFC 4252, 4256 and 4462). */
const methodNames = [
  ['pubkeyauthentication', 'publickey'],
  ['gssapiauthentication', 'gssapi-with-mic'],
  ['passwordauthentication', 'password'],
  ['kbdinteractiveauthentication', 'keyboard-interactive'],
  ['hostbasedauthentication', 'hostbased'],
] as const;

/** Returns the methods that sshd offers first, from settings in force (`Sshd.settingsFor`). */
export function offeredMethods(inForce: ReadonlyMap<string, string>): string[] {
  const enabled = methodNames.filter(([keyword]) => inForce.get(keyword) === 'yes').map(([, method]) => method);
  const lists = inForce.get('authenticationmethods') ?? 'any';
  if (lists === 'any') return enabled;
  const first = new Set(lists.split(/\s+/).map((list) => list.split(/[,:]/)[0]));
  return enabled.filter((method) => first.has(method));
}

/** Returns the settings in force (`Sshd.settingsFor`) that are not as they should be, as clauses. */
export function jumpSettingFaults(inForce: ReadonlyMap<string, string>, authorizedKeysFolder: string): string[] {
  return faultsOf(jumpSettings(authorizedKeysFolder), inForce);
}

/** Like {@link jumpSettingFaults}, for the settings of every connection. */
export function serverSettingFaults(inForce: ReadonlyMap<string, string>, wanted: ServerSettings): string[] {
  return faultsOf(serverSettings(wanted), inForce);
}

function faultsOf(wanted: readonly JumpSettings[], inForce: ReadonlyMap<string, string>): string[] {
  return wanted
    .flatMap(({ settings }) => settings)
    .filter(([keyword, value]) => inForce.get(keyword.toLowerCase()) !== value)
    .map(([keyword, value]) => {
      const found = inForce.get(keyword.toLowerCase());
      return `${keyword} is ${found === undefined ? 'not set' : `"${found}"`}, but must be "${value}"`;
    });
}
