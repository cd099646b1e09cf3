/** The drop-in of the host's own sshd for the jump accounts. */
import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/text.ts';
import { jumpSettings, serverSettings, type JumpSettings, type ServerSettings } from '../host/jumpSettings.ts';
import { defaultPendingLoginsPerSource, groupPattern } from '../settings/types.ts';

export interface SshdDropIn extends Partial<ServerSettings> {
  /** The jump accounts' group. */
  readonly group: string;
  /** Folder with one authorized_keys file per account, named after the account. */
  readonly authorizedKeysFolder: string;
}

/** Throws `settings` for a folder that sshd_config(5) cannot name. */
function requireFolder(folder: string): void {
  if (folder.startsWith('/') && !/["\\\p{Cc}]/u.test(folder)) return;
  throw new Failure('settings', {
    what: `the authorized keys folder ${quoted(folder)}`,
    why: 'it must be an absolute path without quotes, backslashes or control characters',
    next: 'choose another folder in the configuration file',
  });
}

function lines(blocks: readonly JumpSettings[], indent: string): string {
  return blocks
    .map(({ why, settings }) =>
      [
        `${indent}# ${why}`,
        ...settings.map(([keyword, value]) => `${indent}${keyword} ${/\s/.test(value) ? `"${value}"` : value}`),
      ].join('\n'),
    )
    .join('\n');
}

/**
 * Renders the drop-in. sshd_config(5) allows every keyword in its `Match` block there (OpenSSH 9.2 and later). The
 * block ends with `Match all`, so that no later line, in whichever file, belongs to it by accident.
 */
export function renderSshdDropIn({
  group,
  authorizedKeysFolder,
  pendingLoginsPerSource = defaultPendingLoginsPerSource,
  passwordLogins = true,
}: SshdDropIn): string {
  if (!groupPattern.test(group)) {
    throw new Failure('settings', {
      what: `the group ${quoted(group)}`,
      why: 'it is not a valid group name (group(5))',
      next: 'correct it in the configuration file',
    });
  }
  requireFolder(authorizedKeysFolder);
  return `# Written by containarium; changes are overwritten. See sshd_config(5).
${lines(serverSettings({ pendingLoginsPerSource, passwordLogins }), '')}

# The accounts of this group exist for "ssh -J": they can reach port 22 of their own container and nothing else. The
# options of each key name that container (restrict, permitopen).
Match Group ${group}
${lines(jumpSettings(authorizedKeysFolder), '    ')}
Match all
`;
}
