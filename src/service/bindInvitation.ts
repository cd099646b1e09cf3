/**
 * What becomes of an invitation: the key that was shown is bound to an admin or a container, once, and the journal says
 * so before and after.
 */
import { ulid } from 'ulid';
import type { Actor } from '../domain/access/actor.ts';
import { Failure } from '../domain/failure.ts';
import { withoutLimits } from '../domain/keys/keyLimits.ts';
import type { LoginProof } from '../domain/access/login.ts';
import { parsePublicKey } from '../domain/keys/publicKey.ts';
import { parseUsername } from '../domain/values/username.ts';
import type { Journal } from '../journal/journal.ts';
import type { AdminStore } from './access/adminStore.ts';
import type { HostContext } from './instances/context.ts';
import { idOf, type Invitation, type InvitationStore } from './access/invitationStore.ts';
import { addKeys } from './keys.ts';
import { recordActor } from '../journal/recordActor.ts';

/** Verifies what an invited client has shown. */
export interface ProofVerifier {
  /** The invitation that the proof names, and the key that has signed. Throws `denied` where the proof proves nothing. */
  invited(
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
  /** Called after it, however it went: who may log in has changed. */
  readonly changed: () => Promise<void>;
}

/** Whose the key is now. */
export interface Bound {
  readonly entryPoint: 'manage' | 'self';
  readonly name: string;
  readonly fingerprint: string;
}

/**
 * Rejects with `denied` where there is no such invitation, or not any more; with other failures the invitation stays
 * open.
 */
export async function useInvitation(
  { service, admins, invitations, logins, journal, changed }: InvitedOptions,
  proof: LoginProof,
  address: string,
): Promise<Bound> {
  const { hash, key: shown } = logins.invited(proof, address);
  const key = parsePublicKey(`${shown.type} ${shown.blob.toString('base64')} invitation`);
  const bind = async (invitation: Invitation): Promise<Bound> => {
    const { kind, name } = invitation.for;
    const actor = whoItIs(invitation, admins, key.fingerprint, address);
    const record = {
      call: ulid(),
      verb: kind === 'admin' ? 'admin invite' : 'key invite',
      target: name,
      actor: recordActor(actor),
      invitation: { id: idOf(invitation), by: invitation.by },
    };
    await journal.append({ type: 'invitation-used', ...record });
    try {
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
          { user: parseUsername(name), keys: [key] },
          {
            actor,
            signal: new AbortController().signal,
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

/** The invited person, whom the invitation makes of whoever has it. */
function whoItIs({ for: whom }: Invitation, admins: AdminStore, fingerprint: string, address: string): Actor {
  const { name } = whom;
  return whom.kind === 'admin'
    ? { name, role: admins.named(name)?.role ?? whom.role ?? 'admin', entryPoint: 'manage', fingerprint, address }
    : { name, role: 'owner', entryPoint: 'self', owns: [name], fingerprint, address };
}
