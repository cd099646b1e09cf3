/**
 * Who is logged in. Whoever asks core for something names a login; what it may do is looked up here, again for every
 * call. A login over ssh begins with its signature, which core verifies itself: what the front believes of a client
 * gives it no right.
 */
import { createHash } from 'node:crypto';
import { ulid } from 'ulid';
import { shownActor, type Actor } from '../../domain/access/actor.ts';
import type { Directory } from '../../domain/access/directory.ts';
import { Failure } from '../../domain/failure.ts';
import type { LoginInfo, LoginMeans, LoginProof, Transport } from '../../domain/access/login.ts';
import { KeyIndex, type Admitted, type Evidence, type Verdict } from '../../identity/keyIndex.ts';
import { provesPossession } from '../../identity/proof.ts';
import type { Verified } from '../../identity/signature.ts';
import { UsedProofs } from './usedProofs.ts';

/** Where a login's caller can be told that it is over. */
export interface LoginOwner {
  /** The login is over; whoever has it open shall be told the reason and let go. */
  ended(login: string, reason: string): void;
}

interface Login {
  readonly actor: Actor;
  readonly since: Date;
  readonly owner: LoginOwner;
  /** Who it is now, or why nobody any more. */
  readonly again: () => Actor | string;
  /** Whether the key was touched for this login. */
  readonly touched: boolean;
  readonly means: LoginMeans | undefined;
  shells: number;
}

export interface LoginsOptions {
  readonly now: () => Date;
  readonly opened?: (actor: Actor, means: LoginMeans | undefined) => void;
  readonly closed?: (actor: Actor, since: Date, reason: string | undefined) => void;
  /** What was shown for a login proves nothing. */
  readonly notProved?: (username: string, address: string) => void;
  /** Proofs that are remembered to have been used. */
  readonly maxProofs?: number;
  readonly maxLogins?: number;
}

/** Logins at one time, of one front: more than file descriptors allow connections. */
export const maxLogins = 100_000;

export class Logins {
  readonly #index = new KeyIndex();
  readonly #logins = new Map<string, Login>();
  readonly #proofs: UsedProofs;
  readonly #options: LoginsOptions;

  constructor(options: LoginsOptions) {
    this.#options = options;
    this.#proofs = new UsedProofs(options.maxProofs);
  }

  /** Replaces what is known of who may log in, and ends what may not be any more. */
  allow(directory: Directory): void {
    this.#index.replace(directory);
    this.recheck();
  }

  /** Ends every login whose key, role or name has changed since it began, or that has expired. */
  recheck(): void {
    for (const [login, { actor, again }] of [...this.#logins]) {
      const now = again();
      if (typeof now === 'string') this.end(login, now);
      else if (now.role !== actor.role) this.end(login, `your role is ${now.role} now: log in again`);
      else if (now.name !== actor.name) this.end(login, `your key belongs to ${now.name} now: log in again`);
    }
  }

  /** A login over ssh. Rejects with `denied` where the proof is none, or was used before. */
  prove(proof: LoginProof, address: string, owner: LoginOwner, transport?: Transport): Actor {
    const { admitted, evidence, verified } = this.#verify(proof, address);
    if (admitted.admitted !== 'actor') return this.#deny(evidence);
    const again = (): Actor | string => {
      const verdict = this.#index.admit(evidence, this.#nowMs());
      return verdict.admitted === 'actor' ? verdict.actor : verdict.admitted === 'no' ? verdict.why : 'it is no login';
    };
    const means: LoginMeans = {
      method: 'publickey',
      algorithm: proof.algorithm,
      ...(transport === undefined ? {} : { transport }),
    };
    return this.#open(admitted.actor, owner, again, { touched: verified.touched, means });
  }

  /** Somebody with an invitation, and the key that they have shown to hold. Rejects as {@link prove} does. */
  invited(proof: LoginProof, address: string): Extract<Admitted, { admitted: 'invitation' }> {
    const { admitted, evidence } = this.#verify(proof, address);
    return admitted.admitted === 'invitation' ? admitted : this.#deny(evidence);
  }

  #verify(proof: LoginProof, address: string): { admitted: Admitted; evidence: Evidence; verified: Verified } {
    const { username, algorithm, blob } = proof;
    const offered: Evidence = { username, algorithm, blob, address, verified: undefined };
    // Of the bytes: two texts in base64 can mean the same.
    const used = createHash('sha256').update(Buffer.from(proof.sessionId, 'base64')).digest('base64');
    const before = this.#index.admit(offered, this.#nowMs());
    const verified =
      before.admitted === 'no' || this.#proofs.has(used) ? undefined : provesPossession(proof, before.key);
    if (verified === undefined) return this.#deny(offered);
    // Once more, with what only the signature says.
    const evidence: Evidence = { ...offered, verified };
    const admitted: Verdict = this.#index.admit(evidence, this.#nowMs());
    if (admitted.admitted === 'no') return this.#deny(offered);
    this.#proofs.add(
      used,
      admitted.admitted === 'actor' ? `${admitted.actor.entryPoint} ${admitted.actor.name}` : 'invited',
    );
    return { admitted, evidence, verified };
  }

  /** Whoever can open core's own socket is root on this host; the name is for the journal. */
  local(name: string, owner: LoginOwner): Actor {
    const actor: Actor = { name, role: 'root', entryPoint: 'local' };
    return this.#open(actor, owner, () => actor, { touched: false });
  }

  /** Who a login is at this moment. Throws `denied` where it is over. */
  actor(login: string): Actor {
    const actor = this.#logins.get(login)?.again();
    if (actor === undefined || typeof actor === 'string') throw denied(actor);
    return { ...actor, login };
  }

  /** When somebody touched a FIDO key for this login; undefined where nobody did. */
  touchedAt(login: string): Date | undefined {
    const found = this.#logins.get(login);
    return found?.touched === true ? found.since : undefined;
  }

  /** How a login came in; undefined for one in local mode, or over. */
  means(login: string): LoginMeans | undefined {
    return this.#logins.get(login)?.means;
  }

  /** Counts the shells of a login. */
  shells(login: string, change: 1 | -1): void {
    const found = this.#logins.get(login);
    if (found !== undefined) found.shells += change;
  }

  /** The connection is gone. */
  close(login: string, reason?: string): void {
    const found = this.#logins.get(login);
    if (found === undefined) return;
    this.#logins.delete(login);
    this.#options.closed?.({ ...found.actor, login }, found.since, reason);
  }

  /** Ends a login from this side: from now on it may nothing, and whoever has it open is told why. */
  end(login: string, reason: string): void {
    const owner = this.#logins.get(login)?.owner;
    this.close(login, reason);
    owner?.ended(login, reason);
  }

  list(): LoginInfo[] {
    return [...this.#logins].map(([login, { actor, since, shells }]) => ({
      login,
      ...shownActor(actor),
      since: since.toISOString(),
      shells,
    }));
  }

  #deny({ username, address }: Evidence): never {
    this.#options.notProved?.(username, address);
    throw denied();
  }

  #open(
    actor: Actor,
    owner: LoginOwner,
    again: () => Actor | string,
    { touched, means }: { touched: boolean; means?: LoginMeans },
  ): Actor {
    if (this.#logins.size >= (this.#options.maxLogins ?? maxLogins))
      throw new Failure('busy', { what: 'the server', why: 'too many are logged in', next: 'try again later' });
    const login = ulid();
    this.#logins.set(login, { actor, since: this.#options.now(), owner, again, touched, means, shells: 0 });
    const named = { ...actor, login };
    this.#options.opened?.(named, means);
    return named;
  }

  #nowMs(): number {
    return this.#options.now().getTime();
  }
}

function denied(why = 'it may not be used here'): Failure {
  return new Failure('denied', { what: 'this login', why, next: 'log in again' });
}
