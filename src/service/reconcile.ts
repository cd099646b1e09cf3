/**
 * Compares accounts and keys on the host with Incus, and containers with what keeps them apart. Incus is the truth;
 * accounts and keys are derived from it and can be rebuilt. All queries come before any change, and a failed query ends
 * the call: nothing is deleted on doubt.
 *
 * Each target is repaired in an operation of its own, which compares again while it holds the target: the container may
 * have been created or deleted in between.
 */
import { actorTitle } from '../domain/access/actor.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import type { Found } from '../domain/results/found.ts';
import type { Difference, Reconciliation } from '../domain/results/upkeep.ts';
import { plural } from '../domain/text.ts';
import type { Account } from '../host/accounts.ts';
import type { IncusInstance } from '../host/incus/documents.ts';
import type { ServiceContext } from './context.ts';
import type { Call, HostContext } from './instances/context.ts';
import { isOurAccount } from './instances/jumpAccount.ts';
import { isolationDifferences } from './isolation/differences.ts';
import { ownerOfInstance, provisioningOf } from './instances/metadata.ts';
import { withSettledAddress } from './images/addressDifference.ts';
import { accountDifferences } from './drift/accounts.ts';
import { insideDifferences } from './drift/inside.ts';
import type { Owned } from './drift/owned.ts';
import { powerDifferences } from './drift/power.ts';
import { trashDifferences } from './drift/trash.ts';
import { generationDifferences, scheduleDifferences } from './snapshots/differences.ts';

/** Incus and the host at the time of the query. */
interface Sides {
  readonly instances: readonly IncusInstance[];
  readonly owned: readonly Owned[];
  readonly accounts: readonly Account[];
  readonly groupId: number | undefined;
  readonly keyUsers: readonly string[];
  readonly hasAutorestart: boolean;
}

export async function reconcile(
  context: ServiceContext,
  { apply = false }: { readonly apply?: boolean | undefined },
  call: Call,
): Promise<Reconciliation> {
  const { operations } = context;
  if (apply) await operations.recover();
  const busy = new Set(operations.open().map(({ target }) => target));
  const sides = await look(context, call.signal);
  await refuseWithoutPool(context, sides, call.signal);
  const all = await findDifferences(context, sides, (target) => !busy.has(target), call.signal);
  // An operation that began meanwhile may have changed one side and not yet the other.
  for (const { target } of operations.open()) busy.add(target);
  const found = all.filter(({ target }) => !busy.has(target));
  const fixed = apply ? await repairAll(context, found, call) : new Set<string>();
  const differences = found.map((difference): Difference =>
    toDifference(difference, fixed.has(difference.target) && difference.repair !== undefined),
  );
  const { owned, accounts, groupId, keyUsers } = sides;
  return {
    applied: apply,
    differences: [...unfinished(context), ...differences],
    checked: {
      containers: owned.length,
      accounts: accounts.filter((account) => isOurAccount(account, groupId)).length,
      keyFiles: keyUsers.length,
    },
  };
}

/**
 * Refuses an Incus without containers and without a storage pool, where this host has jump accounts: its database is
 * lost, and the containers are not. To remove the accounts would be to delete on doubt.
 */
async function refuseWithoutPool(
  { incus }: HostContext,
  { owned, accounts, groupId }: Sides,
  signal?: AbortSignal,
): Promise<void> {
  const orphans = accounts.filter((account) => isOurAccount(account, groupId));
  if (owned.length > 0 || orphans.length === 0 || (await incus.pools(signal)).length > 0) return;
  throw new Failure('incus-unavailable', {
    what: 'Incus',
    why: `it has no storage pool and no containers, but this host has ${plural(orphans.length, 'jump account')}`,
    next: 'docs/recovery.md, "The database of Incus is lost", brings the containers back',
  });
}

function toDifference({ kind, target, detail, fix }: Found, fixed: boolean): Difference {
  return { kind, target, detail, fix, fixed };
}

function unfinished({ operations }: HostContext): Difference[] {
  return operations.unfinished().map(({ verb, target, actor, startedAt }) => ({
    kind: 'operation-unfinished',
    target,
    detail: `"${verb}" by ${actorTitle(actor)}, started ${startedAt}`,
    fix: null,
    fixed: false,
  }));
}

/**
 * Repairs what can be repaired and returns the repaired targets. Skips a target that another operation holds. If a
 * program fails, continues with the other targets and rejects at the end: root in one container can make the changes
 * within it fail, but must not keep those of other containers from being made.
 */
async function repairAll(context: ServiceContext, found: readonly Found[], call: Call): Promise<Set<string>> {
  const fixed = new Set<string>();
  let failed: Failure | undefined;
  const { operations, steps } = context;
  for (const target of new Set(
    found.filter(({ repair }) => repair !== undefined).map((difference) => difference.target),
  )) {
    try {
      await operations.run(
        { verb: 'reconcile', target, actor: call.actor, input: {} },
        async () => findDifferences(context, await look(context), (candidate) => candidate === target),
        async (operation, differences) => {
          await context.accounts.ensureGroup(context.settings.jump.group);
          for (const { kind, fix, repair } of differences) {
            if (repair === undefined) continue;
            call.progress.note(`${target}: ${fix ?? ''}`);
            const warning = await operation.step(steps.repair, { difference: kind }, repair);
            if (typeof warning === 'string') call.progress.note(warning);
          }
        },
      );
      fixed.add(target);
    } catch (error) {
      if (!isFailure(error, 'busy', 'program-failed', 'timeout', 'unexpected-output')) throw error;
      if (error.code !== 'busy') failed ??= error;
      call.progress.note(`${target}: skipped: ${error.why}`);
    }
  }
  if (failed !== undefined) throw failed;
  return fixed;
}

async function look({ incus, accounts, jumpKeys, settings }: HostContext, signal?: AbortSignal): Promise<Sides> {
  const [instances, all, groupId, keyUsers, hasAutorestart] = await Promise.all([
    incus.instances(signal),
    accounts.all(signal),
    accounts.groupId(settings.jump.group, signal),
    jumpKeys.users(),
    incus.hasAutorestart(signal),
  ]);
  const owned = instances.flatMap((instance) => {
    const user = ownerOfInstance(instance);
    return user === undefined ? [] : [{ user, instance }];
  });
  return { instances, owned, accounts: all, groupId, keyUsers, hasAutorestart };
}

/** Returns every difference of the targets that `wanted` accepts. Changes nothing. */
async function findDifferences(
  context: ServiceContext,
  { instances, owned, accounts, groupId, keyUsers, hasAutorestart }: Sides,
  wanted: (target: string) => boolean,
  signal?: AbortSignal,
): Promise<Found[]> {
  const found: Found[] = [];
  const owners = new Set<string>(owned.map(({ user }) => user));
  const concerned = owned.filter(({ user }) => wanted(user));
  for (const owned of concerned) {
    const { user } = owned;
    const account = accounts.find(({ name }) => name === user);
    const instance = await withSettledAddress(context, owned);
    const container = { user, instance };
    found.push(...(await accountDifferences(context, container, account, groupId)));
    if (provisioningOf(instance) === 'ready')
      found.push(
        ...isolationDifferences(context, user, instance, hasAutorestart),
        ...scheduleDifferences(context, user, instance),
        ...powerDifferences(context, container),
      );
  }
  for (const account of accounts) {
    if (!isOurAccount(account, groupId) || owners.has(account.name) || !wanted(account.name)) continue;
    found.push({
      kind: 'account-orphan',
      target: account.name,
      detail: 'a jump account without a container',
      fix: 'remove the account',
      repair: () => context.accounts.remove(account.name),
    });
  }
  for (const user of keyUsers) {
    if (owners.has(user) || !wanted(user)) continue;
    found.push({
      kind: 'jump-keys-orphan',
      target: user,
      detail: 'jump account keys without a container',
      fix: 'remove the file',
      repair: () => context.jumpKeys.remove(user),
    });
  }
  return [
    ...found,
    // While the clock cannot be trusted, nothing is overdue.
    ...trashDifferences(context, instances, wanted, context.schedule.list().heldUntil === null),
    ...(await generationDifferences(context, instances, wanted, signal)),
    ...(await insideDifferences(context, concerned, signal)),
  ];
}
