/** What one connection tried before it ended without a login: one refusal, counted when its socket closes. */
import type { Socket } from 'node:net';
import { triedEntryPoint, type RefusalReason, type TriedEntryPoint } from '../../domain/access/refusal.ts';
import { plainAddress } from './plainAddress.ts';
import type { Refusals } from './refusals.ts';

/** Of several reasons the one that says most. */
const byWeight: readonly RefusalReason[] = ['silent', 'late', 'key', 'method', 'signature', 'attempts'];

export class LoginAttempts {
  #reason: RefusalReason = 'silent';
  #entryPoint: TriedEntryPoint | undefined;
  #over = false;

  /** An attempt failed, or the time for it. */
  failed(reason: RefusalReason, username?: string): void {
    if (byWeight.indexOf(reason) > byWeight.indexOf(this.#reason)) this.#reason = reason;
    if (username !== undefined) this.#entryPoint = triedEntryPoint(username);
  }

  /** Logged in, refused and counted elsewhere, or ended by the server: nothing to count when the socket closes. */
  over(): void {
    this.#over = true;
  }

  get refusal(): { readonly reason: RefusalReason; readonly entryPoint: TriedEntryPoint | undefined } | undefined {
    return this.#over ? undefined : { reason: this.#reason, entryPoint: this.#entryPoint };
  }
}

const watched = new WeakMap<Socket, LoginAttempts>();

/** Watches a socket from its first moment: ssh2 tells of a connection only after its first line. */
export function watchLogin(socket: Socket, refusals: Pick<Refusals, 'add'>): LoginAttempts {
  const attempts = new LoginAttempts();
  watched.set(socket, attempts);
  // Gone when it is closed.
  const [source, port] = [plainAddress(socket.remoteAddress ?? ''), socket.remotePort ?? 0];
  socket.once('close', () => {
    const { refusal } = attempts;
    if (refusal !== undefined && source !== '') refusals.add({ source, port, ...refusal });
  });
  return attempts;
}

export function attemptsOn(socket: Socket): LoginAttempts | undefined {
  return watched.get(socket);
}
