/** What differs between a container and its jump account: the account, its shell, its keys. */
import type { Found } from '../../domain/results/found.ts';
import { jumpShell, type Account } from '../../host/accounts.ts';
import { endConnections } from '../instances/connections.ts';
import { addressOf } from '../instances/containers.ts';
import type { HostContext } from '../instances/context.ts';
import { accountComment, foreignAccount, isOurAccount, jumpKeysText } from '../instances/jumpAccount.ts';
import { decodeKeys, field, provisioningOf } from '../instances/metadata.ts';
import type { Owned } from './owned.ts';

export async function accountDifferences(
  context: HostContext,
  { user, instance }: Owned,
  account: Account | undefined,
  groupId: number | undefined,
): Promise<Found[]> {
  const { accounts, jumpKeys } = context;
  const provisioning = provisioningOf(instance);
  if (provisioning !== 'ready') {
    // Its operation is unknown (the journal was lost), so an admin must decide whether the container is worth keeping.
    return [
      { kind: 'container-unfinished', target: user, detail: `${instance.name} was left ${provisioning}`, fix: null },
    ];
  }
  const found: Found[] = [];
  const made = instance.config[field.operation] ?? '';
  const comment = accountComment(user, /^[0-9A-Z]{26}$/.test(made) ? made : 'reconcile');
  const create = (): Promise<void> => accounts.create({ name: user, comment, group: context.settings.jump.group });
  if (account === undefined) {
    found.push({
      kind: 'account-missing',
      target: user,
      detail: `${instance.name} has no jump account`,
      fix: 'create the account',
      repair: create,
    });
  } else if (!isOurAccount(account, groupId)) {
    found.push({
      kind: 'account-foreign',
      target: user,
      detail: foreignAccount,
      fix: null,
    });
    return found;
  } else if (account.shell !== jumpShell) {
    found.push({
      kind: 'account-wrong',
      target: user,
      detail: `its shell is ${account.shell}`,
      fix: 're-create the account',
      repair: async () => {
        await accounts.remove(user);
        await create();
      },
    });
  }
  const address = addressOf(instance);
  if (address === null) {
    found.push({
      kind: 'container-address',
      target: user,
      detail: `${instance.name} has no fixed address: "incus config show ${instance.name}"`,
      fix: null,
    });
    return found;
  }
  const text = jumpKeysText(user, address, decodeKeys(instance.config[field.keys]));
  const current = await jumpKeys.read(user);
  if (current !== text) {
    found.push({
      kind: current === undefined ? 'jump-keys-missing' : 'jump-keys-differ',
      target: user,
      detail:
        current === undefined ? 'the jump account has no keys' : "the jump account's keys differ from the container's",
      fix: 'write the keys from Incus',
      repair: async () => {
        await jumpKeys.write(user, text);
        return loses(current ?? '', text) ? (await endConnections(context, user)).warning : undefined;
      },
    });
  }
  return found;
}

/** Reports whether an authorized_keys file has a line that the next one lacks: a key, or what it was allowed. */
function loses(text: string, next: string): boolean {
  const staying = new Set(next.split('\n'));
  return text.split('\n').some((line) => line.trim() !== '' && !line.startsWith('#') && !staying.has(line));
}
