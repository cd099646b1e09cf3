/** The jump account of a container: its ownership mark, and the text of its authorized_keys file. */
import type { Account } from '../../host/accounts.ts';
import { publicKeyOf, type StoredKey } from './metadata.ts';

/**
 * The beginning of the comment field. Together with the group it is the ownership mark. It has no comma or colon, which
 * finger(1) and passwd(5) use as separators.
 */
const mark = 'containarium jump account';

/** Returns the comment. It names the operation, so that undo can tell its own account from an older one. */
export function accountComment(user: string, operation: string): string {
  return `${mark} of ${user} - ${operation}`;
}

/** Reports whether an account is ours: its primary group and its comment must both say so. No other is ever touched. */
export function isOurAccount(account: Account, groupId: number | undefined): boolean {
  return (
    groupId !== undefined && account.gid === groupId && account.comment.startsWith(`${mark} of ${account.name} - `)
  );
}

/** Why an account that is not ours is in the way. */
export const foreignAccount = 'the host has an account of this name that containarium did not create';

export function isMadeBy(account: Account, operation: string): boolean {
  return account.comment === accountComment(account.name, operation);
}

/**
 * Returns the authorized_keys file of a jump account: each key may forward to the user's own container and nothing else
 * (sshd(8), AUTHORIZED_KEYS FILE FORMAT).
 */
export function jumpKeysText(user: string, address: string, keys: readonly StoredKey[]): string {
  const lines = keys.flatMap((stored) => {
    const key = publicKeyOf(stored);
    return key === undefined ? [] : [`restrict,port-forwarding,permitopen="${address}:22" ${key.line}`];
  });
  return [
    `# Jump account of ${user}. Written by containarium from Incus; changes made here are lost.`,
    ...lines,
    '',
  ].join('\n');
}

/** Returns the keys file that the container's sshd reads in addition to the user's own ~/.ssh/authorized_keys. */
export function containerKeysText(keys: readonly StoredKey[]): string {
  const lines = keys.flatMap((stored) => publicKeyOf(stored)?.line ?? []);
  return [
    '# Managed keys. Written by containarium; put keys of your own into ~/.ssh/authorized_keys.',
    ...lines,
    '',
  ].join('\n');
}

export function containerKeysPath(user: string): string {
  return `/etc/ssh/authorized_keys.d/${user}`;
}
