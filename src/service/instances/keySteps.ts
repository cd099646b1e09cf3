/**
 * The step that takes keys away. It goes forward only: root in the container can make a change inside it fail, and must
 * not thereby bring back a key that was removed.
 */
import { Failure } from '../../domain/failure.ts';
import type { Accounts } from '../../host/accounts.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import type { Incus } from '../../host/incus/incus.ts';
import type { JumpKeys } from '../../host/jumpKeys.ts';
import type { Operations } from '../../journal/operations.ts';
import type { StepKind } from '../../journal/undo/stepKind.ts';
import { containerKeysPath, containerKeysText, isOurAccount, jumpKeysText } from './jumpAccount.ts';
import { decodeKeys, field, type StoredKey } from './metadata.ts';

/** A type and not an interface, so that it is a JSON object. */
export type Revocation = {
  readonly user: string;
  readonly instance: string;
  readonly address: string;
  /** The keys that stay, as Incus has them. */
  readonly keys: string;
  /** What `undo` gives back: the change of the instance with the keys of before. */
  readonly previous: string;
};

const revokeName = 'revoke-keys';

export interface KeyStepTools {
  readonly incus: Pick<Incus, 'storedInstance' | 'patch' | 'pushFile'>;
  readonly accounts: Pick<Accounts, 'account' | 'groupId' | 'endSessions'>;
  readonly jumpKeys: Pick<JumpKeys, 'write'>;
  readonly jumpGroup: string;
}

export function makeKeySteps({ incus, accounts, jumpKeys, jumpGroup }: KeyStepTools) {
  async function endSessions(user: string): Promise<void> {
    const [account, groupId] = await Promise.all([accounts.account(user), accounts.groupId(jumpGroup)]);
    if (account !== undefined && isOurAccount(account, groupId)) await accounts.endSessions(user);
  }

  const revokeKeys: StepKind<Revocation> = {
    name: revokeName,
    undo: () => Promise.resolve(),
    async settled(facts) {
      // Connections that stay are no reason to keep the key.
      await closeTo({ incus, jumpKeys }, facts, () => endSessions(facts.user).catch(() => undefined));
      await writeInside({ incus }, facts);
      return true;
    },
  };
  return { revokeKeys };
}

/** Returns the keys that open a container: those of Incus, or what a removal leaves that Incus does not know yet. */
export function keysInForce(
  { config }: IncusInstance,
  user: string,
  operations: Pick<Operations, 'holder'>,
): StoredKey[] {
  const step = operations.holder(user)?.steps.find(({ kind }) => kind === revokeName);
  const staying = step?.facts['keys'];
  return decodeKeys(typeof staying === 'string' ? staying : config[field.keys]);
}

/** Takes keys away where the container's root cannot prevent it: from the jump account, and then from Incus. */
export async function closeTo(
  { incus, jumpKeys }: Pick<KeyStepTools, 'incus' | 'jumpKeys'>,
  { user, instance, address, keys }: Revocation,
  endConnections: () => Promise<void>,
): Promise<void> {
  // The jump account first: a removed key must lose the only way in before anything else changes.
  await jumpKeys.write(user, jumpKeysText(user, address, decodeKeys(keys)));
  // Only now, so that a connection with a removed key cannot come back.
  await endConnections();
  const found = await incus.storedInstance(instance);
  if (found !== undefined && found.config[field.keys] !== keys)
    await incus.patch(instance, { config: { [field.keys]: keys } });
}

/** Writes the keys into the container, if its root lets that happen. Returns the failure otherwise. */
export async function writeInside(
  { incus }: Pick<KeyStepTools, 'incus'>,
  { user, instance, keys }: Pick<Revocation, 'user' | 'instance' | 'keys'>,
): Promise<Failure | undefined> {
  const content = containerKeysText(decodeKeys(keys));
  try {
    await incus.pushFile({ instance, path: containerKeysPath(user), content, mode: '0644' });
    return undefined;
  } catch (error) {
    return Failure.from(error);
  }
}
