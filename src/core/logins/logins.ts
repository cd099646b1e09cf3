/**
 * The open logins. Every request to core names a login, and its rights are looked up here again for every call. A login
 * over ssh starts with a signature that core verifies itself: the front cannot grant a right by vouching for a client.
 */
import { createHash } from 'node:crypto';
import { newUlid } from '../../domain/newUlid.ts';
import { shownActor, type Actor } from '../../domain/access/actor.ts';
import type { Directory } from '../../domain/access/directory.ts';
import { Failure } from '../../domain/failure.ts';
import type { LoginInfo, LoginMeans, LoginProof, RemoteLogin, Transport } from '../../domain/access/login.ts';
import { KeyIndex, type Admitted, type Evidence, type RemoteVerdict, type Verdict } from '../../identity/keyIndex.ts';
import { provesPossession } from '../../identity/proof.ts';
import type { Verified } from '../../identity/signature.ts';
import { loginPlaces, type Places } from '../turns/places.ts';
import { UsedProofs } from './usedProofs.ts';

/** The connection over which a login was made. */
export interface LoginOwner {
  /** Called when core has ended the login. The owner tells the client the reason and disconnects it. */
  ended(login: string, reason: string): void;
}

/** A login that ends, and what its client is told. */
export interface EndedLogin extends Pick<Actor, 'name' | 'entryPoint'> {
  readonly reason: string;
}

interface Login {
  readonly actor: Actor;
  readonly since: Date;
  readonly owner: LoginOwner;
  /** Looks the login up in an index: its actor, or the reason why it is no longer valid. */
  readonly currentActor: (index: KeyIndex) => Actor | string;
  /** Whether the key was touched for this login. */
  readonly touched: boolean;
  readonly means: LoginMeans | undefined;
  readonly giveBackPlace: () => void;
  shells: number;
}

export interface LoginsOptions {
  readonly now: () => Date;
  readonly opened?: (actor: Actor, means: LoginMeans | undefined) => void;
  readonly closed?: (actor: Actor, since: Date, reason: string | undefined) => void;
  /** Called when the proof of a login is invalid. */
  readonly proofRejected?: (username: string, address: string) => void;
  /** How many used proofs are remembered. */
  readonly maxProofs?: number;
  readonly places?: Places;
  /** The admin as whom every client of a remote interface without TLS acts; undefined if it has TLS or is off. */
  readonly insecureAs?: string | undefined;
}

export class Logins {
  readonly #index = new KeyIndex();
  readonly #logins = new Map<string, Login>();
  readonly #proofs: UsedProofs;
  readonly #places: Places;
  readonly #options: LoginsOptions;

  constructor(options: LoginsOptions) {
    this.#options = options;
    this.#places = options.places ?? loginPlaces();
    this.#proofs = new UsedProofs(options.maxProofs);
  }

  /** Replaces the directory, and ends the logins that it no longer permits. */
  replaceDirectory(directory: Directory): void {
    this.#index.replace(directory);
    this.recheck();
  }

  /** Ends every login whose key, role or name has changed since it began, or that has expired. */
  recheck(): void {
    for (const [login, { reason }] of this.#ended(this.#index)) this.end(login, reason);
  }

  /** Returns the open logins that would end under another directory. Ends none. */
  endedBy(directory: Directory): EndedLogin[] {
    const index = new KeyIndex();
    index.replace(directory);
    return this.#ended(index).map(([, ended]) => ended);
  }

  #ended(index: KeyIndex): (readonly [login: string, ended: EndedLogin])[] {
    return [...this.#logins].flatMap(([login, { actor, currentActor }]) => {
      const reason = reasonToEnd(actor, currentActor(index));
      return reason === undefined ? [] : [[login, { name: actor.name, entryPoint: actor.entryPoint, reason }] as const];
    });
  }

  /** Opens a login over ssh. Throws `denied` if the proof is invalid or was used before. */
  prove(proof: LoginProof, address: string, owner: LoginOwner, transport?: Transport): Actor {
    const { admitted, evidence, verified } = this.#verify(proof, address);
    if (admitted.admitted !== 'actor') return this.#deny(evidence);
    const { name } = admitted.actor;
    const again = (index: KeyIndex): Actor | string => {
      const verdict = index.admit(evidence, this.#nowMs());
      return verdict.admitted === 'actor'
        ? withName(verdict.actor, name)
        : verdict.admitted === 'no'
          ? verdict.why
          : 'it is no longer valid';
    };
    const means: LoginMeans = {
      method: 'publickey',
      algorithm: proof.algorithm,
      ...(transport === undefined ? {} : { transport }),
    };
    return this.#open(admitted.actor, owner, again, { touched: verified.touched, means });
  }

  /** Verifies the login of an invited person, without opening it. Throws as {@link prove} does. */
  proveInvitation(proof: LoginProof, address: string): Extract<Admitted, { admitted: 'invitation' }> {
    const { admitted, evidence } = this.#verify(proof, address);
    return admitted.admitted === 'invitation' ? admitted : this.#deny(evidence);
  }

  #verify(proof: LoginProof, address: string): { admitted: Admitted; evidence: Evidence; verified: Verified } {
    const { username, algorithm, blob } = proof;
    const offered: Evidence = { username, algorithm, blob, address, verified: undefined };
    // The bytes are hashed, because two base64 texts can encode the same bytes.
    const used = createHash('sha256').update(Buffer.from(proof.sessionId, 'base64')).digest('base64');
    const before = this.#index.admit(offered, this.#nowMs());
    const verified =
      before.admitted === 'no' || this.#proofs.has(used) ? undefined : provesPossession(proof, before.key);
    if (verified === undefined) return this.#deny(offered);
    // Admitted again, now with the facts that only a verified signature carries, such as the touch.
    const evidence: Evidence = { ...offered, verified };
    const admitted: Verdict = this.#index.admit(evidence, this.#nowMs());
    if (admitted.admitted === 'no') return this.#deny(offered);
    this.#proofs.add(
      used,
      admitted.admitted === 'actor' ? `${admitted.actor.entryPoint} ${admitted.actor.name}` : 'invited',
    );
    return { admitted, evidence, verified };
  }

  /**
   * Opens a login over the remote interface. The remote process vouches that the client has the key of the certificate.
   * Throws `denied` if the certificate admits nobody.
   */
  openRemote({ certificate, address, tls }: RemoteLogin, owner: LoginOwner): Actor {
    return this.#openIfAdmitted(owner, (index) => index.admitRemote(certificate, address, this.#nowMs()), {
      method: 'certificate',
      algorithm: tls,
    });
  }

  /** Opens a login over a remote interface without TLS. Throws `denied` if the settings do not allow it. */
  openInsecure(address: string, owner: LoginOwner): Actor {
    const { insecureAs } = this.#options;
    if (insecureAs === undefined) throw denied();
    return this.#openIfAdmitted(owner, (index) => index.admitInsecure(insecureAs, address), {
      method: 'none',
      algorithm: 'none',
    });
  }

  #openIfAdmitted(owner: LoginOwner, admit: (index: KeyIndex) => RemoteVerdict, means: LoginMeans): Actor {
    const again = (index: KeyIndex): Actor | string => {
      const verdict = admit(index);
      return verdict.admitted === 'actor' ? verdict.actor : verdict.why;
    };
    const actor = again(this.#index);
    if (typeof actor === 'string') throw denied(actor);
    return this.#open(actor, owner, again, { touched: false, means });
  }

  /** Opens a login in local mode. Only root can open core's socket; the name is for the journal. */
  openLocal(name: string, owner: LoginOwner): Actor {
    const actor: Actor = { name, role: 'root', entryPoint: 'local' };
    return this.#open(actor, owner, () => actor, { touched: false });
  }

  /** Returns the current actor of a login. Throws `denied` if the login is over. */
  actor(login: string): Actor {
    const actor = this.#logins.get(login)?.currentActor(this.#index);
    if (actor === undefined || typeof actor === 'string') throw denied(actor);
    return { ...actor, login };
  }

  /** Returns when a FIDO key was touched for this login, or undefined if none was. */
  touchedAt(login: string): Date | undefined {
    const found = this.#logins.get(login);
    return found?.touched === true ? found.since : undefined;
  }

  /** Returns how a login was authenticated; undefined in local mode, or if the login is over. */
  means(login: string): LoginMeans | undefined {
    return this.#logins.get(login)?.means;
  }

  /** Adjusts the number of open shells of a login. */
  countShells(login: string, change: 1 | -1): void {
    const found = this.#logins.get(login);
    if (found !== undefined) found.shells += change;
  }

  /** Forgets a login whose connection is closed. */
  close(login: string, reason?: string): void {
    const found = this.#logins.get(login);
    if (found === undefined) return;
    this.#logins.delete(login);
    found.giveBackPlace();
    this.#options.closed?.({ ...found.actor, login }, found.since, reason);
  }

  /** Ends a login from core's side. It loses its rights at once, and its owner gets the reason. */
  end(login: string, reason: string): void {
    const owner = this.#logins.get(login)?.owner;
    this.close(login, reason);
    owner?.ended(login, reason);
  }

  list(): LoginInfo[] {
    return [...this.#logins].map(([login, { actor, since, shells, currentActor }]) => {
      const current = currentActor(this.#index);
      const { owns = [] } = typeof current === 'string' ? actor : current;
      return { login, ...shownActor(actor), since: since.toISOString(), shells, containers: owns };
    });
  }

  #deny({ username, address }: Evidence): never {
    this.#options.proofRejected?.(username, address);
    throw denied();
  }

  #open(
    actor: Actor,
    owner: LoginOwner,
    again: (index: KeyIndex) => Actor | string,
    { touched, means }: { touched: boolean; means?: LoginMeans },
  ): Actor {
    const giveBackPlace = this.#places.take(actor);
    const login = newUlid();
    this.#logins.set(login, {
      actor,
      since: this.#options.now(),
      owner,
      currentActor: again,
      touched,
      means,
      giveBackPlace,
      shells: 0,
    });
    const named = { ...actor, login };
    this.#options.opened?.(named, means);
    return named;
  }

  #nowMs(): number {
    return this.#options.now().getTime();
  }
}

/** Returns why a login ends, or undefined if it stays: it is valid, and has the same role and name as before. */
function reasonToEnd(actor: Actor, current: Actor | string): string | undefined {
  if (typeof current === 'string') return current;
  if (current.role !== actor.role) return `your role is now ${current.role}: log in again`;
  if (current.name === actor.name) return undefined;
  return current.entryPoint === 'self'
    ? `you no longer have the container of ${actor.name}: log in again`
    : `your key now belongs to ${current.name}: log in again`;
}

/** Keeps the name of an owner's login while the container of that name is among theirs. */
function withName(actor: Actor, name: string): Actor {
  return actor.entryPoint === 'self' && actor.owns?.includes(name) === true ? { ...actor, name } : actor;
}

function denied(why = 'it may not be used here'): Failure {
  return new Failure('denied', { what: 'this login', why, next: 'log in again' });
}
