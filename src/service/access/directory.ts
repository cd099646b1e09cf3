/** Builds the directory of valid logins from admins, CAs, invitations, and the owners that Incus knows. */
import type { Identity } from '../../domain/access/actor.ts';
import { shownKeyId } from '../../domain/keys/certificate.ts';
import type { Ca, Directory, OpenInvitation } from '../../domain/access/directory.ts';
import { limitsOf, type AdminStore } from './adminStore.ts';
import type { CertificateStore } from '../certificates/certificateStore.ts';
import type { CaStore } from './caStore.ts';
import type { HostContext } from '../instances/context.ts';
import { boundKey, isForOneOf, type Invitation, type InvitationStore } from './invitationStore.ts';
import { keysInForce } from '../instances/keySteps.ts';
import { field, ownerOfInstance, publicKeyOf, type StoredKey } from '../instances/metadata.ts';

export interface OwnState {
  readonly admins: AdminStore;
  readonly cas: CaStore;
  readonly invitations: InvitationStore;
  readonly certificates: Pick<CertificateStore, 'trust'>;
}

/** A container's owner and their keys. */
export interface Owner {
  readonly user: string;
  readonly keys: readonly StoredKey[];
  /** When Incus created the container, RFC 3339 UTC. */
  readonly createdAt: string;
  /** When the container moves to the trash by itself, RFC 3339 UTC. */
  readonly expiresAt: string | undefined;
}

/** Returns every container owner. Rejects if Incus does not answer. */
export async function collectOwners(context: HostContext): Promise<Owner[]> {
  return (await context.incus.instances()).flatMap((instance) => {
    const user = ownerOfInstance(instance);
    return user === undefined
      ? []
      : [
          {
            user,
            keys: keysInForce(instance, user, context.operations),
            createdAt: instance.created_at,
            expiresAt: instance.config[field.expires],
          },
        ];
  });
}

/** Orders by time, oldest first, and by user within the same time. An unknown time counts as the oldest. */
function byAge(a: readonly [at: string, user: string], b: readonly [at: string, user: string]): number {
  const text = (x: string, y: string): number => (x < y ? -1 : x > y ? 1 : 0);
  return (Date.parse(a[0]) || 0) - (Date.parse(b[0]) || 0) || text(a[1], b[1]);
}

export function makeDirectory(
  { admins, cas, invitations, certificates }: OwnState,
  owners: readonly Owner[],
): Directory {
  const byFingerprint = new Map<string, Identity>();
  const entry = (stored: StoredKey, change: (before: Identity) => Identity): void => {
    const key = publicKeyOf(stored);
    if (key === undefined) return;
    const before = byFingerprint.get(key.fingerprint) ?? {
      blob: key.base64,
      type: key.type,
      fingerprint: key.fingerprint,
      owns: [],
    };
    byFingerprint.set(key.fingerprint, change(before));
  };
  for (const { name, role, keys } of admins.all)
    for (const key of keys) entry(key, (before) => ({ ...before, admin: { name, role, limits: limitsOf(key) } }));
  // A login is named after the first container of its key. The oldest comes first, so that a container more renames
  // nobody, whatever the order in which Incus lists them.
  const owned = owners
    .flatMap(({ user, keys }) => keys.map((key) => ({ user, key })))
    .sort((a, b) => byAge([a.key.addedAt, a.user], [b.key.addedAt, b.user]));
  for (const { user, key } of owned)
    entry(key, (before) => ({ ...before, owns: [...new Set([...before.owns, user])] }));
  return {
    identities: [...byFingerprint.values()],
    cas: cas.all,
    admins: admins.all.map(({ name, role }) => ({ name, role })),
    users: [...owners].sort((a, b) => byAge([a.createdAt, a.user], [b.createdAt, b.user])).map(({ user }) => user),
    invitations: invitations.all
      .filter((entry) => isForOneOf(entry, owners) && ownerStands(entry, owners, cas.all))
      .flatMap(openInvitation),
    remote: certificates.trust,
  };
}

/** Returns an invitation as the index reads it; nothing if its key cannot be read, so that no other key may use it. */
function openInvitation(entry: Invitation): OpenInvitation[] {
  const bound = boundKey(entry);
  const open = { hash: entry.hash, expiresAtMs: Date.parse(entry.expiresAt) };
  if (bound === undefined) return [];
  return [bound === 'any' ? open : { ...open, blob: bound.base64 }];
}

/** Returns whether the owner who made an invitation still has the container, by the same key or certificate. */
function ownerStands({ owner, for: { name } }: Invitation, owners: readonly Owner[], cas: readonly Ca[]): boolean {
  if (owner === undefined) return true;
  const { fingerprint, certificate } = owner;
  const found = owners.find(({ user }) => user === name);
  if (found === undefined || certificate === undefined)
    return found?.keys.some((key) => publicKeyOf(key)?.fingerprint === fingerprint) === true;
  const ca = cas.find((candidate) => candidate.name === certificate.ca && candidate.entryPoints.includes('self'));
  return (
    ca !== undefined &&
    !ca.revoked.serials.includes(certificate.serial) &&
    !ca.revoked.keyIds.map(shownKeyId).includes(certificate.keyId) &&
    !ca.revoked.fingerprints.includes(fingerprint)
  );
}
