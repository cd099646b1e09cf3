/**
 * A user's keys. Incus holds the truth; the file in the container and the file of the jump account follow it. Keys are
 * added in all three or in none. They are taken away first where the container's root has no say, and for good.
 */
import type { KeyInfo } from '../domain/results/keys.ts';
import { actorTitle } from '../domain/access/actor.ts';
import { Failure } from '../domain/failure.ts';
import { matchKeys, type PublicKey } from '../domain/keys/publicKey.ts';
import type { KeyChange, KeyList } from '../domain/results/keys.ts';
import { quoted } from '../domain/text.ts';
import type { Username } from '../domain/values/username.ts';
import type { IncusInstance } from '../host/incus/documents.ts';
import type { Running } from '../journal/operations.ts';
import { addressOf, changeableInstanceOf, instanceOf } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { endConnections, type EndedConnections } from './instances/connections.ts';
import { containerKeysPath, containerKeysText, jumpKeysText } from './instances/jumpAccount.ts';
import { closeTo, writeInside, type Revocation } from './instances/keySteps.ts';
import { targetContainer } from './instances/target.ts';
import {
  decodeKeys,
  encodeKeys,
  field,
  keyInfo,
  ownerOfInstance,
  publicKeyOf,
  store,
  type StoredKey,
} from './instances/metadata.ts';

interface KeysRequest {
  /** Optional at self@. */
  readonly user?: Username | undefined;
}

export async function listKeys(
  context: HostContext,
  request: KeysRequest,
  { actor, signal }: Pick<Call, 'actor' | 'signal'>,
): Promise<KeyList> {
  const user = targetContainer('key list', request.user, actor);
  const instance = await instanceOf(context, user, signal);
  return { user, keys: decodeKeys(instance.config[field.keys]).map(keyInfo) };
}

function fingerprint(stored: StoredKey): string {
  return publicKeyOf(stored)?.fingerprint ?? '';
}

/** What an invitation to a container depends on. */
export interface Invited {
  /** When Incus made the container. */
  readonly container: string;
  /** The fingerprint of the owner's key that invited; undefined if an admin or a certificate did. */
  readonly by: string | undefined;
}

/** Adds keys. Rejects with `denied` if what their invitation depends on is gone. */
export async function addKeys(
  context: HostContext,
  request: KeysRequest & { readonly keys: readonly PublicKey[]; readonly invited?: Invited | undefined },
  call: Call,
): Promise<KeyChange> {
  const { keys, invited } = request;
  const user = targetContainer('key add', request.user, call.actor);
  const input = { added: keys.map((key) => key.fingerprint) };
  return changeKeys(context, 'key add', user, call, input, keys, (before, { created_at: createdAt }) => {
    const known = new Set(before.map(fingerprint));
    const { container = createdAt, by } = invited ?? {};
    if (container !== createdAt || (by !== undefined && !known.has(by)))
      throw new Failure('denied', { what: 'this login', why: 'it may not be used here' });
    return [
      ...before,
      ...store(keys, context.now(), actorTitle(call.actor)).filter((key) => !known.has(fingerprint(key))),
    ];
  });
}

export function replaceKeys(
  context: HostContext,
  { user, keys }: { readonly user: Username; readonly keys: readonly PublicKey[] },
  call: Call,
): Promise<KeyChange> {
  return changeKeys(
    context,
    'key replace',
    user,
    call,
    { added: keys.map((key) => key.fingerprint) },
    keys,
    (before) => {
      const known = new Map(before.map((key) => [fingerprint(key), key]));
      return store(keys, context.now(), actorTitle(call.actor)).map((key) => known.get(fingerprint(key)) ?? key);
    },
  );
}

/** Removes keys. `key` is a fingerprint, a prefix of one, or a comment; `yes` allows removing the last key. */
export async function removeKey(
  context: HostContext,
  request: KeysRequest & { readonly key: string; readonly yes?: boolean | undefined },
  call: Call,
): Promise<KeyChange> {
  const { key: selector, yes: evenLast = false } = request;
  const user = targetContainer('key remove', request.user, call.actor);
  return changeKeys(context, 'key remove', user, call, { key: selector }, [], (before) => {
    const parsed = before.flatMap((stored) => publicKeyOf(stored) ?? []);
    const gone = new Set(matchKeys(parsed, selector).map((key) => key.fingerprint));
    if (gone.size === 0) {
      throw new Failure('not-found', {
        what: `key ${quoted(selector)} of "${user}"`,
        why: 'no key has this fingerprint or comment',
        next: `see "key list ${user}"`,
      });
    }
    const after = before.filter((key) => !gone.has(fingerprint(key)));
    if (after.length === 0 && !evenLast) {
      throw new Failure('last-key', {
        what: `key ${quoted(selector)} of "${user}"`,
        why: 'it is the last key; without it nobody can log in to the container',
        next: 'add another key first, or add --yes',
      });
    }
    return after;
  });
}

/** Gives the user the keys of an earlier time again, with when and by whom they were added. */
export function restoreKeys(
  context: HostContext,
  user: Username,
  keys: readonly StoredKey[],
  call: Call,
): Promise<KeyChange> {
  const added = keys.map(fingerprint);
  return changeKeys(context, 'key replace', user, call, { added }, [], () => [...keys]);
}

async function changeKeys(
  context: HostContext,
  verb: string,
  user: Username,
  call: Call,
  input: { [key: string]: string | string[] },
  incoming: readonly PublicKey[],
  change: (before: StoredKey[], instance: IncusInstance) => StoredKey[],
): Promise<KeyChange> {
  const { incus, jumpKeys } = context;
  const takesOver = verb !== 'key add' && call.actor.entryPoint !== 'self';
  const first = await changeableInstanceOf(context, user, { takesOver });
  const result = (
    instance: IncusInstance,
    before: StoredKey[],
    after: StoredKey[],
    operation: string | null,
    more: Pick<KeyChange, 'connectionsEnded' | 'warnings'>,
  ): KeyChange => {
    const missing = (a: StoredKey[], b: StoredKey[]): KeyInfo[] => {
      const there = new Set(b.map(fingerprint));
      return a.filter((key) => !there.has(fingerprint(key))).map(keyInfo);
    };
    return {
      user,
      added: missing(after, before),
      removed: missing(before, after),
      keys: after.map(keyInfo),
      operation,
      ...more,
    };
  };
  const unchanged = decodeKeys(first.config[field.keys]);
  if (encodeKeys(change(unchanged, first)) === encodeKeys(unchanged))
    return result(first, unchanged, unchanged, null, { connectionsEnded: false, warnings: [] });

  return context.operations.run(
    { verb, target: user, actor: call.actor, input, takesOver },
    async () => {
      const instance = await changeableInstanceOf(context, user, { own: true });
      const before = decodeKeys(instance.config[field.keys]);
      const address = addressOf(instance);
      if (address === null)
        throw new Failure('wrong-state', {
          what: `container "${instance.name}"`,
          why: 'it has no fixed address',
          next: `"info ${user}" shows its state`,
        });
      // An owner learns nothing of other owners, not even that a key has other containers.
      const warnings =
        call.actor.entryPoint === 'self' ? [] : sharedKeyWarnings(await incus.instances(), user, incoming);
      return {
        instance,
        before,
        after: change(before, instance),
        address,
        jump: (await jumpKeys.read(user)) ?? null,
        warnings,
      };
    },
    async (operation, { instance, before, after, address, jump, warnings }) => {
      const staying = new Set(after.map(fingerprint));
      const rewrite: Rewrite = {
        jump,
        before: containerKeysText(before),
        revocation: {
          user,
          instance: instance.name,
          address,
          keys: encodeKeys(after),
          previous: JSON.stringify({ config: { [field.keys]: encodeKeys(before) } }),
        },
      };
      const { ended, warnings: more } = before.every((key) => staying.has(fingerprint(key)))
        ? await grant(context, operation, rewrite)
        : await revoke(context, operation, user, rewrite, call);
      return result(instance, before, after, operation.id, {
        connectionsEnded: ended,
        warnings: [...warnings, ...more],
      });
    },
  );
}

/** A change of keys, and what was there before. */
interface Rewrite {
  /** The file of the jump account; null if there was none. */
  readonly jump: string | null;
  /** The file in the container. */
  readonly before: string;
  readonly revocation: Revocation;
}

interface Rewritten {
  readonly ended: boolean;
  readonly warnings: readonly string[];
}

/** Writes keys of which none is taken away. */
async function grant(
  { incus, jumpKeys, steps }: HostContext,
  operation: Running,
  { jump, before, revocation }: Rewrite,
): Promise<Rewritten> {
  const { user, instance, address, keys, previous } = revocation;
  const path = containerKeysPath(user);
  const after = decodeKeys(keys);
  await operation.step(steps.writeJumpKeys, { user, previous: jump }, () =>
    jumpKeys.write(user, jumpKeysText(user, address, after)),
  );
  await operation.step(steps.pushFile, { instance, path, previous: before }, () =>
    incus.pushFile({ instance, path, content: containerKeysText(after), mode: '0644' }),
  );
  await operation.step(steps.patchInstance, { instance, previous }, () =>
    incus.patch(instance, { config: { [field.keys]: keys } }),
  );
  return { ended: false, warnings: [] };
}

/** Writes keys of which some are taken away. Nothing that fails inside the container brings them back. */
async function revoke(
  context: HostContext,
  operation: Running,
  user: Username,
  { revocation }: Rewrite,
  { actor }: Call,
): Promise<Rewritten> {
  let connections: EndedConnections = { ended: false };
  await operation.step(context.steps.revokeKeys, revocation, () =>
    closeTo(context, revocation, async () => {
      connections = await endConnections(context, user);
    }),
  );
  const { ended, warning } = connections;
  const failure = await writeInside(context, revocation);
  const inside =
    failure === undefined
      ? []
      : [
          `the keys in the container could not be written: ${failure.what}: ${failure.why}; through this host no removed key opens it${actor.entryPoint === 'self' ? '' : ', and "reconcile" shows the difference'}`,
        ];
  return { ended, warnings: [...(warning === undefined ? [] : [warning]), ...inside] };
}

/** Returns a warning for each key that also opens other users' containers. Sharing is allowed, but never silent. */
export function sharedKeyWarnings(
  instances: readonly IncusInstance[],
  user: string,
  keys: readonly PublicKey[],
): string[] {
  const owned = instances.flatMap((instance) => {
    const owner = ownerOfInstance(instance);
    if (owner === undefined || owner === user) return [];
    return [{ owner, fingerprints: new Set(decodeKeys(instance.config[field.keys]).map(fingerprint)) }];
  });
  return keys.flatMap(({ fingerprint: shared }) => {
    const owners = owned.filter(({ fingerprints }) => fingerprints.has(shared)).map(({ owner }) => owner);
    return owners.length === 0
      ? []
      : [`the key ${shared} also opens the container${owners.length === 1 ? '' : 's'} of ${owners.join(', ')}`];
  });
}
