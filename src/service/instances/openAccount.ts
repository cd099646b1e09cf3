/** Opens the way in: the jump account and its keys, as steps of an operation. */
import type { Username } from '../../domain/values/username.ts';
import type { Running } from '../../journal/operations.ts';
import type { HostContext } from './context.ts';
import { accountComment, jumpKeysText } from './jumpAccount.ts';
import type { StoredKey } from './metadata.ts';

export async function openAccount(
  { accounts, jumpKeys, settings, steps }: HostContext,
  operation: Running,
  { user, address, keys }: { readonly user: Username; readonly address: string; readonly keys: readonly StoredKey[] },
): Promise<void> {
  const { group } = settings.jump;
  await accounts.ensureGroup(group);
  await operation.step(steps.createAccount, { user, operation: operation.id }, () =>
    accounts.create({ name: user, comment: accountComment(user, operation.id), group }),
  );
  const previous = (await jumpKeys.read(user)) ?? null;
  await operation.step(steps.writeJumpKeys, { user, previous }, () =>
    jumpKeys.write(user, jumpKeysText(user, address, keys)),
  );
}
