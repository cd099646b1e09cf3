/**
 * Redeems an invitation: binds the key that the client proved to an admin or a container, once. The journal records the
 * attempt and its outcome.
 */
import { ulid } from 'ulid';
import type { Actor } from '../domain/access/actor.ts';
import { Failure } from '../domain/failure.ts';
import { withoutLimits } from '../domain/keys/keyLimits.ts';
import type { LoginProof } from '../domain/access/login.ts';
import { parsePublicKey, type PublicKey } from '../domain/keys/publicKey.ts';
import { parseName } from '../domain/values/username.ts';
import type { Journal } from '../journal/journal.ts';
import type { AdminStore } from './access/adminStore.ts';
import type { HostContext } from './instances/context.ts';
import { boundKey, idOf, type Invitation, type InvitationStore } from './access/invitationStore.ts';
import { addKeys } from './keys.ts';
import { recordActor } from '../journal/recordActor.ts';

/** Verifies the login proof of an invited client. */
export interface ProofVerifier {
  /** Returns the invitation's hash and the key that signed the proof. Throws `denied` for an invalid proof. */
  proveInvitation(
    proof: LoginProof,
    address: string,
  ): { readonly hash: string; readonly key: { readonly type: string; readonly blob: Buffer } };
}

export interface InvitedOptions {
  readonly service: HostContext;
  readonly admins: AdminStore;
  readonly invitations: InvitationStore;
  readonly logins: ProofVerifier;
  readonly journal: Pick<Journal, 'append'>;
  /** Called after every attempt, because the set of valid logins may have changed. */
  readonly changed: () => Promise<void>;
}

/** The identity that the key now belongs to. */
export interface Bound {
  readonly entryPoint: 'manage' | 'self';
  readonly name: string;
  readonly fingerprint: string;
}

/**
 * Binds the proved key to the invited admin or container. Rejects with `denied` if the invitation does not exist, has
 * ended or is for another key, or if the owner who made it no longer has the container. Any other failure leaves the
 * invitation open.
 */
export async function useInvitation(
  { service, admins, invitations, logins, journal, changed }: InvitedOptions,
  proof: LoginProof,
  address: string,
): Promise<Bound> {
  const { hash, key: shown } = logins.proveInvitation(proof, address);
  const proved = parsePublicKey(`${shown.type} ${shown.blob.toString('base64')} invitation`);
  const bind = async (invitation: Invitation, isEnded: () => boolean): Promise<Bound> => {
    const { kind, name } = invitation.for;
    const { owner } = invitation;
    const key = invitedKey(invitation, proved);
    const actor = invitedActor(invitation, admins, key.fingerprint, address);
    const record = {
      call: ulid(),
      verb: verbOf(invitation),
      target: name,
      actor: recordActor(actor),
      invitation: {
        id: idOf(invitation),
        by: invitation.by,
        ...(owner === undefined ? {} : { byOwner: { ...owner } }),
      },
    };
    await journal.append({ type: 'invitation-used', ...record });
    try {
      if (isEnded()) throw unusable();
      if (invitation.for.kind === 'admin')
        await admins.add(
          name,
          { keys: withoutLimits([key]), role: invitation.for.role },
          `invited by ${invitation.by}`,
          service.now(),
        );
      else {
        await addKeys(
          service,
          // A certificate is not among the keys of the container. The directory has checked that it is valid.
          {
            user: parseName(name),
            keys: [key],
            invited: {
              container: invitation.for.container,
              by: owner?.certificate === undefined ? owner?.fingerprint : undefined,
            },
          },
          {
            actor,
            signal: new AbortController().signal,
            permit: () => undefined,
            progress: { step: () => undefined, note: () => undefined, output: () => undefined },
            recorded: { invitation: idOf(invitation), added: [key.fingerprint] },
            reachedAt: undefined,
            terminal: undefined,
            shell: undefined,
          },
        );
      }
    } catch (error) {
      const failure = Failure.from(error);
      await journal
        .append({
          type: 'outcome',
          ...record,
          outcome: 'failed',
          failure: { code: failure.code, what: failure.what, why: failure.why },
        })
        .catch(() => undefined);
      throw failure;
    }
    await journal.append({ type: 'outcome', ...record, outcome: 'ok' });
    return { entryPoint: kind === 'admin' ? 'manage' : 'self', name, fingerprint: key.fingerprint };
  };
  try {
    return await invitations.use(hash, bind);
  } finally {
    await changed();
  }
}

/** Returns the key to bind, with the comment that it was invited with. Throws `denied` if another key is invited. */
function invitedKey(invitation: Invitation, proved: PublicKey): PublicKey {
  const bound = boundKey(invitation);
  if (bound === 'any') return proved;
  if (bound?.fingerprint !== proved.fingerprint) throw unusable();
  return bound;
}

function unusable(): Failure {
  return new Failure('denied', { what: 'this login', why: 'it may not be used here' });
}

/** Returns the verb that made an invitation. */
function verbOf({ for: { kind }, owner, key }: Invitation): string {
  if (kind === 'admin') return 'admin invite';
  if (owner === undefined) return 'key invite';
  return key === undefined ? 'keys invite' : 'keys add';
}

/** Returns the actor that the invitation stands for. */
function invitedActor({ for: invitee }: Invitation, admins: AdminStore, fingerprint: string, address: string): Actor {
  const { name } = invitee;
  if (invitee.kind === 'user') return { name, role: 'owner', entryPoint: 'self', owns: [name], fingerprint, address };
  const role = admins.named(name)?.role ?? invitee.role;
  if (role === undefined) throw unusable();
  return { name, role, entryPoint: 'manage', fingerprint, address };
}
