/**
 * Compares accounts and keys on the host with Incus, and containers with what keeps them apart. Incus is the truth;
 * accounts and keys are derived from it and can be rebuilt. All queries come before any change, and a failed query ends
 * the call: nothing is deleted on doubt.
 *
 * Each target is repaired in an operation of its own, which compares again while it holds the target: the container may
 * have been created or deleted in between.
 */
import { Failure, isFailure } from '../domain/failure.ts';
import type { Difference, DifferenceKind, Reconciliation } from '../domain/results/upkeep.ts';
import type { Username } from '../domain/values/username.ts';
import { jumpShell, type Account } from '../host/accounts.ts';
import type { IncusInstance } from '../host/incus/documents.ts';
import { endConnections } from './instances/connections.ts';
import { addressDifference } from './images/addressDifference.ts';
import { addressOf } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import {
  accountComment,
  containerKeysPath,
  containerKeysText,
  isOurAccount,
  jumpKeysText,
} from './instances/jumpAccount.ts';
import { isolationDifferences } from './isolation/differences.ts';
import { decodeKeys, field, ownerOfInstance, provisioningOf } from './instances/metadata.ts';
import { generationDifferences, scheduleDifferences } from './snapshots/differences.ts';

interface Found {
  readonly kind: DifferenceKind;
  readonly target: string;
  readonly detail: string;
  readonly fix: string | null;
  /** May resolve to a warning. */
  readonly repair?: () => Promise<unknown>;
}

interface Owned {
  readonly user: Username;
  readonly instance: IncusInstance;
}

/** Incus and the host at the time of the query. */
interface Sides {
  readonly instances: readonly IncusInstance[];
  readonly owned: readonly Owned[];
  readonly accounts: readonly Account[];
  readonly groupId: number | undefined;
  readonly keyUsers: readonly string[];
  readonly hasAutorestart: boolean;
}

/** Maximum number of containers whose files are read at the same time. */
const parallel = 4;

export async function reconcile(
  context: HostContext,
  { apply = false }: { readonly apply?: boolean | undefined },
  call: Call,
): Promise<Reconciliation> {
  const { operations } = context;
  if (apply) await operations.recover();
  const busy = new Set(operations.open().map(({ target }) => target));
  const sides = await look(context, call.signal);
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

function toDifference({ kind, target, detail, fix }: Found, fixed: boolean): Difference {
  return { kind, target, detail, fix, fixed };
}

function unfinished({ operations }: HostContext): Difference[] {
  return operations.unfinished().map(({ verb, target, actor, startedAt }) => ({
    kind: 'operation-unfinished',
    target,
    detail: `"${verb}" by ${actor.name}, started ${startedAt}`,
    fix: null,
    fixed: false,
  }));
}

/**
 * Repairs what can be repaired and returns the repaired targets. Skips a target that another operation holds. If a
 * program fails, continues with the other targets and rejects at the end: root in one container can make the changes
 * within it fail, but must not keep those of other containers from being made.
 */
async function repairAll(context: HostContext, found: readonly Found[], call: Call): Promise<Set<string>> {
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
      if (!isFailure(error, 'busy', 'program-failed', 'timeout')) throw error;
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
  context: HostContext,
  { instances, owned, accounts, groupId, keyUsers, hasAutorestart }: Sides,
  wanted: (target: string) => boolean,
  signal?: AbortSignal,
): Promise<Found[]> {
  const found: Found[] = [];
  const owners = new Set<string>(owned.map(({ user }) => user));
  const concerned = owned.filter(({ user }) => wanted(user));
  for (const container of concerned) {
    const account = accounts.find(({ name }) => name === container.user);
    found.push(...(await accountDifferences(context, container, account, groupId)));
    const { user, instance } = container;
    if (provisioningOf(instance) === 'ready')
      found.push(
        ...isolationDifferences(context, user, instance, hasAutorestart),
        ...scheduleDifferences(context, user, instance),
      );
  }
  for (const account of accounts) {
    if (!isOurAccount(account, groupId) || owners.has(account.name) || !wanted(account.name)) continue;
    found.push({
      kind: 'account-orphan',
      target: account.name,
      detail: 'a jump account without a container',
      fix: 'remove the account',
      repair: async () => {
        await context.accounts.endSessions(account.name);
        await context.accounts.remove(account.name);
      },
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
    ...(await generationDifferences(context, instances, wanted, signal)),
    ...(await insideDifferences(context, concerned, signal)),
  ];
}

async function accountDifferences(
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
      detail: 'the host has an account of this name that containarium did not create',
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
        await accounts.endSessions(user);
        await accounts.remove(user);
        await create();
      },
    });
  }
  const address = addressOf(instance);
  if (address === null) {
    throw new Failure('unexpected-output', {
      what: `container "${instance.name}"`,
      why: 'it has no fixed address',
      next: `incus config show ${instance.name}`,
    });
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

/** Returns what differs inside the containers: their keys and their address. */
async function insideDifferences(
  context: HostContext,
  owned: readonly Owned[],
  signal: AbortSignal | undefined,
): Promise<Found[]> {
  const found: Found[] = [];
  const queue = owned.filter(({ instance }) => provisioningOf(instance) === 'ready');
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        found.push(...(await insideDifferencesOf(context, next, signal)));
      }
    }),
  );
  return found.sort((a, b) => a.target.localeCompare(b.target));
}

/**
 * Returns what differs inside one container. Its root can make a file unreadable, as by a folder in its place: that is
 * a difference of this container, and does not end the call.
 */
async function insideDifferencesOf(
  context: HostContext,
  { user, instance }: Owned,
  signal: AbortSignal | undefined,
): Promise<Found[]> {
  const { name, config } = instance;
  const found: Found[] = [];
  try {
    const address = await addressDifference(context, instance, signal);
    if (address !== undefined) {
      const fix = address.repair === undefined ? null : 'write the address into it, for its next start';
      found.push({ kind: 'container-address', target: user, fix, ...address });
    }
    const path = containerKeysPath(user);
    const content = containerKeysText(decodeKeys(config[field.keys]));
    if ((await context.incus.pullFile(name, path, signal === undefined ? {} : { signal })) !== content)
      found.push({
        kind: 'container-keys-differ',
        target: user,
        detail: `${path} in the container differs`,
        fix: 'write the keys from Incus',
        repair: () => context.incus.pushFile({ instance: name, path, content, mode: '0644' }),
      });
  } catch (error) {
    if (!isFailure(error, 'program-failed', 'unexpected-output', 'timeout')) throw error;
    found.push({
      kind: 'container-keys-differ',
      target: user,
      detail: `files in the container cannot be read: ${error.what}: ${error.why}`,
      fix: null,
    });
  }
  return found;
}
