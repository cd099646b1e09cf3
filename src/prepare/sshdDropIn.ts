/** The drop-in of the host's own sshd for the jump accounts. */
import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/text.ts';
import { jumpSettings } from '../host/jumpSettings.ts';
import { groupPattern } from '../settings/types.ts';

export interface SshdDropIn {
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

/**
 * Renders the drop-in. sshd_config(5) allows every keyword in it inside a `Match` block (OpenSSH 9.2 and later). The
 * block ends with `Match all`, so that no later line, in whichever file, belongs to it by accident.
 */
export function renderSshdDropIn({ group, authorizedKeysFolder }: SshdDropIn): string {
  if (!groupPattern.test(group)) {
    throw new Failure('settings', {
      what: `the group ${quoted(group)}`,
      why: 'it is not a valid group name (group(5))',
      next: 'correct it in the configuration file',
    });
  }
  requireFolder(authorizedKeysFolder);
  const blocks = jumpSettings(authorizedKeysFolder).map(({ why, settings }) =>
    [
      `    # ${why}`,
      ...settings.map(([keyword, value]) => `    ${keyword} ${/\s/.test(value) ? `"${value}"` : value}`),
    ].join('\n'),
  );
  return `# Written by containarium; changes are overwritten. See sshd_config(5).
# The accounts of this group exist for "ssh -J": they can reach port 22 of their own container and nothing else. The
# options of each key name that container (restrict, permitopen).
Match Group ${group}
${blocks.join('\n')}
Match all
`;
}
