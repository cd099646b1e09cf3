/** Who a caller really is. The front says which key verified; what that key may do is looked up here, never taken from the message. */
import type { Actor } from '../domain/actor.ts';
import { Failure } from '../domain/failure.ts';
import type { Identity } from '../domain/actor.ts';

function unknown(claimed: Actor): Failure {
  return new Failure('denied', { what: `key ${claimed.fingerprint ?? '-'}`, why: 'it may not use this any more', next: 'log in again' });
}

/** The actor as core knows it. Rejects with `denied` where the key has no business at this door. */
export function verifiedActor(claimed: Actor, identities: readonly Identity[]): Actor {
  const identity = identities.find(({ fingerprint }) => fingerprint === claimed.fingerprint);
  if (identity === undefined) throw unknown(claimed);
  const from = { fingerprint: identity.fingerprint, ...(claimed.address === undefined ? {} : { address: claimed.address }) };
  if (claimed.door === 'manage' && identity.admin !== undefined) {
    return { name: identity.admin.name, role: identity.admin.role, door: 'manage', ...from };
  }
  const [owner] = identity.owns;
  if (claimed.door === 'self' && owner !== undefined) return { name: owner, role: 'owner', door: 'self', owns: identity.owns, ...from };
  throw unknown(claimed);
}

/** Whoever can open core's socket is root on this host; the name is for the journal. */
export function localActor(claimed: Actor): Actor {
  return { name: claimed.name, role: 'root', door: 'local' };
}
