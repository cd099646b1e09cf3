/** Which keys let whom in: the index that the front decides by, synchronously, while a client waits. */
import type { Identity } from '../domain/actor.ts';
import type { Admins } from './admins.ts';
import type { ServiceContext } from './context.ts';
import { decodeKeys, field, ownerOfInstance, publicKeyOf } from './metadata.ts';

/** Every key of every admin and every container owner. Rejects where Incus cannot be asked. */
export async function collectIdentities(context: ServiceContext, admins: Admins): Promise<Identity[]> {
  const instances = await context.incus.instances();
  const owned = instances.flatMap((instance) => {
    const owner = ownerOfInstance(instance);
    return owner === undefined ? [] : decodeKeys(instance.config[field.keys]).map((key) => ({ owner, key }));
  });
  return combine(admins, owned);
}

/** The admins alone: for when Incus cannot be asked, so that somebody can log in and look. */
export function adminIdentities(admins: Admins): Identity[] {
  return combine(admins, []);
}

function combine(admins: Admins, owned: readonly { owner: string; key: { line: string; addedAt: string; addedBy: string } }[]): Identity[] {
  const byFingerprint = new Map<string, Identity>();
  const entry = (stored: { line: string; addedAt: string; addedBy: string }, change: (before: Identity) => Identity): void => {
    const key = publicKeyOf(stored);
    if (key === undefined) return;
    const before = byFingerprint.get(key.fingerprint) ?? { blob: key.base64, type: key.type, fingerprint: key.fingerprint, owns: [] };
    byFingerprint.set(key.fingerprint, change(before));
  };
  for (const { name, role, keys } of admins.all) for (const key of keys) entry(key, (before) => ({ ...before, admin: { name, role } }));
  for (const { owner, key } of owned) entry(key, (before) => ({ ...before, owns: [...new Set([...before.owns, owner])] }));
  return [...byFingerprint.values()];
}
