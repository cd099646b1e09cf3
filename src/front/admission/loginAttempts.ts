/** The login attempts of one connection. Without a login they count as one refusal when its socket closes. */
import type { Socket } from 'node:net';
import { triedEntryPoint, type RefusalReason, type TriedEntryPoint } from '../../domain/access/refusal.ts';
import { plainAddress } from '../../admission/plainAddress.ts';
import type { Refusals } from '../../admission/refusals.ts';

/** Reasons by weight; the heaviest of a connection is the one that counts. */
const byWeight: readonly RefusalReason[] = ['silent', 'late', 'key', 'method', 'signature', 'attempts'];

export class LoginAttempts {
  #reason: RefusalReason = 'silent';
  #entryPoint: TriedEntryPoint | undefined;
  #isStopped = false;

  /** Records a failed attempt, or that the time for a login ran out. */
  failed(reason: RefusalReason, username?: string): void {
    if (byWeight.indexOf(reason) > byWeight.indexOf(this.#reason)) this.#reason = reason;
    if (username !== undefined) this.#entryPoint = triedEntryPoint(username);
  }

  /** Stops counting: the client has logged in, or this server ends the connection for reasons of its own. */
  stop(): void {
    this.#isStopped = true;
  }

  get refusal(): { readonly reason: RefusalReason; readonly entryPoint: TriedEntryPoint | undefined } | undefined {
    return this.#isStopped ? undefined : { reason: this.#reason, entryPoint: this.#entryPoint };
  }
}

const watched = new WeakMap<Socket, LoginAttempts>();

/** Watches a socket from its first moment: ssh2 reports a connection only after the client's first line. */
export function watchLogin(socket: Socket, refusals: Pick<Refusals, 'add'>): LoginAttempts {
  const attempts = new LoginAttempts();
  watched.set(socket, attempts);
  // A closed socket has no address any more.
  const [source, port] = [plainAddress(socket.remoteAddress ?? ''), socket.remotePort ?? 0];
  socket.once('close', () => {
    const { refusal } = attempts;
    if (refusal !== undefined && source !== '') refusals.add({ source, port, ...refusal });
  });
  return attempts;
}

/** Returns the attempts on a socket that {@link watchLogin} watches. */
export function loginAttemptsOf(socket: Socket): LoginAttempts | undefined {
  return watched.get(socket);
}
