/** Whether a user name is free on this host: for a new container, and for one that comes back. */
import { Failure } from '../domain/failure.ts';
import { containerName, type Username } from '../domain/values/username.ts';
import type { IncusInstance } from '../host/incus/documents.ts';
import type { HostContext } from './instances/context.ts';
import { foreignAccount, isOurAccount } from './instances/jumpAccount.ts';
import { ownerOfInstance } from './instances/metadata.ts';
import { replacedOf } from './snapshots/generations.ts';

const anotherName = 'choose another user name';

interface NameUse {
  /** Set for a container that comes back, whose user has this name and no other. */
  readonly isReturn?: boolean;
  /** An instance that is to become the user's container. */
  readonly except?: string;
}

/** Throws `exists` or `not-ours` if an instance or an account has the name. Returns all instances. */
export async function ensureFreeName(
  context: HostContext,
  user: Username,
  { isReturn = false, except }: NameUse = {},
): Promise<readonly IncusInstance[]> {
  const { incus, accounts, settings } = context;
  const [instances, account, groupId] = await Promise.all([
    incus.instances(),
    accounts.account(user),
    accounts.groupId(settings.jump.group),
  ]);
  refuseInstances(
    instances.filter(({ name }) => name !== except),
    user,
    isReturn,
  );
  if (account !== undefined) {
    throw isOurAccount(account, groupId)
      ? new Failure('exists', {
          what: `jump account "${user}"`,
          why: 'it is left over from a deleted container',
          next: '"reconcile --apply" removes it',
        })
      : new Failure('not-ours', {
          what: `account "${user}"`,
          why: foreignAccount,
          next: isReturn ? 'on the host, "usermod --login" gives it another name' : anotherName,
        });
  }
  return instances;
}

function refuseInstances(instances: readonly IncusInstance[], user: Username, isReturn: boolean): void {
  const name = containerName(user);
  const existing = instances.find((instance) => instance.name === name);
  if (existing !== undefined) {
    throw ownerOfInstance(existing) === user
      ? new Failure('exists', {
          what: `container "${name}"`,
          why: 'it already exists',
          next: `"info ${user}" shows it, "key add ${user}" adds another key`,
        })
      : new Failure('not-ours', {
          what: `instance "${name}"`,
          why: 'it exists but was not created by containarium',
          next: isReturn ? 'on the host, "incus rename" gives it another name' : anotherName,
        });
  }
  const earlier = instances.find((instance) => replacedOf(instance) === user);
  if (earlier === undefined) return;
  // Its snapshots would be those of the new container, and perhaps of another person.
  throw new Failure('exists', {
    what: `instance "${earlier.name}"`,
    why: 'it is an earlier state of a deleted container of this user',
    next: `on the host, "incus delete ${earlier.name}" deletes it${isReturn ? '' : `; or ${anotherName}`}`,
  });
}
