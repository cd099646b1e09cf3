/**
 * Accounts and keys on the host against Incus. Incus is the truth; everything here is derived from it and can be rebuilt. Every question
 * is asked before anything is changed, and one that fails ends it: nothing is deleted on doubt.
 */
import { Failure } from '../domain/failure.ts';
import type { Difference, DifferenceKind, Reconciliation } from '../domain/results.ts';
import { jumpShell, type Account } from '../host/accounts.ts';
import type { IncusInstance } from '../host/incus.ts';
import { addressOf } from './containers.ts';
import type { Call, ServiceContext } from './context.ts';
import { accountComment, containerKeysPath, containerKeysText, isOurAccount, jumpKeysText } from './jumpAccount.ts';
import { decodeKeys, field, ownerOfInstance, provisioningOf } from './metadata.ts';

interface Found {
  readonly kind: DifferenceKind;
  readonly target: string;
  readonly detail: string;
  readonly fix: string | null;
  readonly repair?: () => Promise<void>;
}

/** How many containers are asked for their keys file at the same time. */
const parallel = 4;

export async function reconcile(context: ServiceContext, apply: boolean, call: Call): Promise<Reconciliation> {
  if (apply) await context.operations.recover();
  const { incus, accounts, jumpKeys } = context;
  const [instances, all, groupId, keyUsers] = await Promise.all([
    incus.instances(call.signal),
    accounts.all(call.signal),
    accounts.groupId(context.settings.jump.group, call.signal),
    jumpKeys.users(),
  ]);
  const busy = new Set(context.operations.open().map((operation) => operation.target));
  const ours = instances.filter((instance) => ownerOfInstance(instance) !== undefined);
  const owners = new Set(ours.map((instance) => ownerOfInstance(instance)));
  const byName = new Map(all.map((account) => [account.name, account]));
  const jumpAccounts = all.filter((account) => isOurAccount(account, groupId));

  const found: Found[] = context.operations.open().map((operation) => ({
    kind: 'operation-unfinished',
    target: operation.target,
    detail: `"${operation.verb}" by ${operation.actor.name}, begun ${operation.startedAt}`,
    fix: null,
  }));
  for (const instance of ours) {
    const user = ownerOfInstance(instance) ?? '';
    if (busy.has(user)) continue;
    found.push(...(await accountDifferences(context, instance, user, byName.get(user), groupId)));
  }
  for (const account of jumpAccounts) {
    if (owners.has(account.name) || busy.has(account.name)) continue;
    found.push({
      kind: 'account-orphan',
      target: account.name,
      detail: 'a jump account without a container',
      fix: 'remove the account',
      repair: async () => {
        await accounts.endSessions(account.name);
        await accounts.remove(account.name);
      },
    });
  }
  for (const user of keyUsers) {
    if (owners.has(user) || busy.has(user)) continue;
    found.push({
      kind: 'jump-keys-orphan',
      target: user,
      detail: 'keys of a jump account without a container',
      fix: 'remove the file',
      repair: () => jumpKeys.remove(user),
    });
  }
  found.push(...(await containerKeyDifferences(context, ours.filter((instance) => !busy.has(ownerOfInstance(instance) ?? '')), call)));

  const differences: Difference[] = [];
  for (const { repair, ...difference } of found) {
    const fixed = apply && repair !== undefined;
    if (fixed) {
      call.progress.note(`${difference.target}: ${difference.fix ?? ''}`);
      await context.accounts.ensureGroup(context.settings.jump.group);
      await repair();
    }
    differences.push({ ...difference, fixed });
  }
  return { applied: apply, differences, checked: { containers: ours.length, accounts: jumpAccounts.length, keyFiles: keyUsers.length } };
}

async function accountDifferences(
  context: ServiceContext,
  instance: IncusInstance,
  user: string,
  account: Account | undefined,
  groupId: number | undefined,
): Promise<Found[]> {
  const { accounts, jumpKeys } = context;
  const provisioning = provisioningOf(instance);
  if (provisioning !== 'ready') {
    // Its operation is not known any more (the journal was lost): whether it holds anything worth keeping is not for us to say.
    return [{ kind: 'container-unfinished', target: user, detail: `${instance.name} was left ${provisioning}`, fix: null }];
  }
  const found: Found[] = [];
  const create = () => accounts.create({ name: user, comment: accountComment(user, instance.config[field.operation] ?? 'reconcile'), group: context.settings.jump.group });
  if (account === undefined) {
    found.push({ kind: 'account-missing', target: user, detail: `${instance.name} has no jump account`, fix: 'create the account', repair: create });
  } else if (!isOurAccount(account, groupId)) {
    found.push({ kind: 'account-foreign', target: user, detail: 'the host has an account of this name that containarium did not make', fix: null });
    return found;
  } else if (account.shell !== jumpShell) {
    found.push({
      kind: 'account-wrong',
      target: user,
      detail: `its shell is ${account.shell}`,
      fix: 'make the account anew',
      repair: async () => {
        await accounts.endSessions(user);
        await accounts.remove(user);
        await create();
      },
    });
  }
  const address = addressOf(instance);
  if (address === null) {
    throw new Failure('unexpected-output', { what: `container "${instance.name}"`, why: 'it has no fixed address', next: `incus config show ${instance.name}` });
  }
  const text = jumpKeysText(user, address, decodeKeys(instance.config[field.keys]));
  const current = await jumpKeys.read(user);
  if (current !== text) {
    found.push({
      kind: current === undefined ? 'jump-keys-missing' : 'jump-keys-differ',
      target: user,
      detail: current === undefined ? 'the jump account has no keys' : 'the jump account has other keys than the container',
      fix: 'write the keys from Incus',
      repair: () => jumpKeys.write(user, text),
    });
  }
  return found;
}

async function containerKeyDifferences(context: ServiceContext, instances: readonly IncusInstance[], call: Call): Promise<Found[]> {
  const found: Found[] = [];
  const queue = instances.filter((instance) => provisioningOf(instance) === 'ready');
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      for (let instance = queue.shift(); instance !== undefined; instance = queue.shift()) {
        const { name, config } = instance;
        const user = ownerOfInstance(instance) ?? '';
        const path = containerKeysPath(user);
        const content = containerKeysText(decodeKeys(config[field.keys]));
        if ((await context.incus.pullFile(name, path, { signal: call.signal })) === content) continue;
        found.push({
          kind: 'container-keys-differ',
          target: user,
          detail: `${path} in the container differs`,
          fix: 'write the keys from Incus',
          repair: () => context.incus.pushFile({ instance: name, path, content, mode: '0644' }),
        });
      }
    }),
  );
  return found.sort((a, b) => a.target.localeCompare(b.target));
}
