/** The jump account of a container: how it is marked as ours, and what its authorized_keys file says. */
import { jumpShell, type Account } from '../../host/accounts.ts';
import { publicKeyOf, type StoredKey } from './metadata.ts';

/**
 * The comment field begins with this; together with the group it is the ownership mark. No commas or colons: passwd(5),
 * finger.
 */
const mark = 'containarium jump account';

/** Names the operation, so that its undo can tell the account it made from one that was there. */
export function accountComment(user: string, operation: string): string {
  return `${mark} of ${user} - ${operation}`;
}

/** An account is ours when both the primary group and the comment say so; anything else is never touched. */
export function isOurAccount(account: Account, groupId: number | undefined): boolean {
  return (
    groupId !== undefined && account.gid === groupId && account.comment.startsWith(`${mark} of ${account.name} - `)
  );
}

export function isMadeBy(account: Account, operation: string): boolean {
  return account.comment === accountComment(account.name, operation);
}

export function hasRightShape(account: Account): boolean {
  return account.shell === jumpShell;
}

/**
 * The authorized_keys file of a jump account: each key may forward to the user's own container and do nothing else
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

/** The file inside the container that its sshd reads in addition to the user's own ~/.ssh/authorized_keys. */
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
