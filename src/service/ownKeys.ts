/**
 * An owner's own keys, at self@. A new key has to sign before it is added: `keys add` makes an invitation that only
 * this key can use. So no owner can add the key of another person, and the answer does not depend on its owner.
 */
import type { Actor } from '../domain/access/actor.ts';
import { matchKeys, type PublicKey } from '../domain/keys/publicKey.ts';
import type { InvitationMade } from '../domain/results/invitations.ts';
import type { KeysInvited, OwnKeyChange, OwnKeyList } from '../domain/results/keys.ts';
import type { Username } from '../domain/values/username.ts';
import { infoOf, type InvitingContainer, type InvitingOwner } from './access/invitationStore.ts';
import type { ServiceContext } from './context.ts';
import { changeableInstanceOf } from './instances/containers.ts';
import type { Call } from './instances/context.ts';
import { decodeKeys, field, keyInfo } from './instances/metadata.ts';
import { ownContainer } from './instances/target.ts';
import { invitationCommand } from './invitations.ts';
import { listKeys, removeKey } from './keys.ts';

interface OwnRequest {
  /** Optional if the owner has one container. */
  readonly user?: Username | undefined;
}

/** Lists the keys of a container, and the invitations that its owners have open. */
export async function listOwnKeys(context: ServiceContext, request: OwnRequest, call: Call): Promise<OwnKeyList> {
  const list = await listKeys(context, request, call);
  return { ...list, invitations: context.invitations.ofOwner(list.user).map(infoOf) };
}

/** Invites keys to the owner's container. Adds none: each is added when it signs. */
export async function addOwnKeys(
  context: ServiceContext,
  { user: named, keys }: OwnRequest & { readonly keys: readonly PublicKey[] },
  call: Call,
): Promise<KeysInvited> {
  const user = ownContainer(named, call.actor);
  const instance = await changeableInstanceOf(context, user);
  const present = decodeKeys(instance.config[field.keys]).map(keyInfo);
  const invited = keys.filter((key) => !present.some(({ fingerprint }) => fingerprint === key.fingerprint));
  return {
    user,
    unchanged: present.filter(({ fingerprint }) => keys.some((key) => key.fingerprint === fingerprint)),
    invitations:
      invited.length === 0 ? [] : await invite(context, { user, createdAt: instance.created_at }, invited, call),
  };
}

/** Makes an invitation to the owner's container that any key can use. */
export async function inviteOwnKey(
  context: ServiceContext,
  { user: named }: OwnRequest,
  call: Call,
): Promise<InvitationMade> {
  const user = ownContainer(named, call.actor);
  const instance = await changeableInstanceOf(context, user);
  const [made] = await invite(context, { user, createdAt: instance.created_at }, [undefined], call);
  if (made === undefined) throw new Error('no invitation was made');
  return made;
}

/**
 * Removes keys, and cancels open invitations of the container's owners. `key` is a fingerprint, a prefix of one, a
 * comment, or the id of an invitation.
 */
export async function removeOwnKey(
  context: ServiceContext,
  request: OwnRequest & { readonly key: string; readonly yes?: boolean | undefined },
  call: Call,
): Promise<OwnKeyChange> {
  const user = ownContainer(request.user, call.actor);
  const { keys, invitations } = await listOwnKeys(context, { user }, call);
  const invited = invitations.map(({ id, fingerprint, comment }) => ({
    id,
    fingerprint: fingerprint ?? '',
    comment: comment ?? '',
  }));
  const ids = new Set(invited.filter(({ id }) => id === request.key).map(({ id }) => id));
  const named = ids.size > 0 ? [] : matchKeys([...keys, ...invited], request.key);
  const wanted = new Set(named.map(({ fingerprint }) => fingerprint));
  for (const { id, fingerprint } of invited) if (wanted.has(fingerprint)) ids.add(id);
  const has = keys.some(({ fingerprint }) => wanted.has(fingerprint));
  const changed =
    has || ids.size === 0
      ? await removeKey(context, { ...request, user }, call)
      : { user, added: [], removed: [], keys, operation: null, connectionsEnded: false, warnings: [] };
  const open = context.invitations.ofOwner(user).filter((entry) => ids.has(infoOf(entry).id));
  return { ...changed, cancelled: await context.invitations.cancelThese(open) };
}

async function invite(
  context: ServiceContext,
  container: InvitingContainer,
  keys: readonly (PublicKey | undefined)[],
  call: Call,
): Promise<InvitationMade[]> {
  const by = { name: call.actor.name, owner: invitingOwner(call.actor) };
  const made = await context.invitations.makeOwn(container, by, keys);
  return made.map((one) => ({ ...one, command: invitationCommand(context, call, one.token) }));
}

function invitingOwner({ fingerprint = '', certificate }: Actor): InvitingOwner {
  return { fingerprint, ...(certificate === undefined ? {} : { certificate }) };
}
