/** Core's end of logging in, on one connection: only what logged in over it may be named on it. */
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { LoginProof } from '../../domain/access/login.ts';
import type { UnsupportedRequestCounts } from '../../domain/access/unsupportedRequest.ts';
import { notify, toResponseError } from '../../protocol/connection.ts';
import type { RefusalReport } from '../../domain/access/refusal.ts';
import { knownTransport } from '../../domain/access/transport.ts';
import {
  localRequest,
  loginEnd,
  messages,
  unsupportedRequestReport,
  proofRequest,
  refusalReport,
  type KeyBound,
} from '../../protocol/messages.ts';
import type { Logins } from '../logins/logins.ts';

/**
 * What leads to this connection: the front, which shows what its clients have shown, or core's own socket, which only
 * root can open.
 */
export type Way = 'front' | 'local';

/** Binds the key that was shown with an invitation; resolves with whose it is now. Rejects with a Failure. */
export type UseInvitation = (proof: LoginProof, address: string) => Promise<KeyBound>;

/** What becomes of what the front alone may send. */
export interface FrontReports {
  readonly refused?: (report: RefusalReport) => void;
  /** What somebody who is logged in asked for that is not offered. */
  readonly unsupportedRequests?: (actor: Actor, counts: UnsupportedRequestCounts) => void;
  readonly useInvitation?: UseInvitation;
}

export class LoginEndpoint {
  readonly #logins: Logins;
  readonly #own = new Set<string>();
  readonly #listeners = new Set<(login: string) => void>();

  constructor(
    connection: MessageConnection,
    way: Way,
    logins: Logins,
    { refused, unsupportedRequests, useInvitation }: FrontReports = {},
  ) {
    this.#logins = logins;
    const owner = {
      ended: (login: string, reason: string): void => {
        this.#forget(login);
        notify(connection, messages.loginEnded, { login, reason });
      },
    };
    if (way === 'front') {
      connection.onRequest(messages.prove, (raw) =>
        this.#answer(() => {
          const { proof, address, transport } = proofRequest.parse(raw);
          return logins.prove(proof, address, owner, transport === undefined ? undefined : knownTransport(transport));
        }),
      );
      connection.onNotification(messages.refusals, (raw) => {
        const parsed = refusalReport.safeParse(raw);
        if (parsed.success) refused?.(parsed.data);
      });
      connection.onNotification(messages.unsupportedRequests, (raw) => {
        const parsed = unsupportedRequestReport.safeParse(raw);
        if (!parsed.success) return;
        try {
          unsupportedRequests?.(this.identify(parsed.data.login), parsed.data.counts);
        } catch {
          // Over at this moment, or never one of this front's.
        }
      });
      connection.onRequest(messages.useInvitation, async (raw) => {
        try {
          const { proof, address } = proofRequest.parse(raw);
          if (useInvitation === undefined)
            throw new Failure('denied', { what: 'this login', why: 'it may not be used here' });
          return await useInvitation(proof, address);
        } catch (error) {
          return refusal(error) as never;
        }
      });
    } else {
      connection.onRequest(messages.local, (raw) =>
        this.#answer(() => logins.local(localRequest.parse(raw).name, owner)),
      );
    }
    connection.onNotification(messages.logout, (raw) => {
      const parsed = loginEnd.safeParse(raw);
      if (parsed.success && this.#own.has(parsed.data.login)) this.#close(parsed.data.login);
    });
    connection.onDispose(() => {
      for (const login of [...this.#own]) this.#close(login, 'the connection of the front ended');
    });
  }

  /** Who a login of this connection is at this moment. Throws `denied`. */
  identify(login: string): Actor {
    if (!this.#own.has(login))
      throw new Failure('denied', { what: 'this login', why: 'it is over', next: 'log in again' });
    return this.#logins.actor(login);
  }

  shells(login: string, change: 1 | -1): void {
    if (this.#own.has(login)) this.#logins.shells(login, change);
  }

  /** Tells of every login that is over, however it ended. */
  onEnd(listener: (login: string) => void): void {
    this.#listeners.add(listener);
  }

  #answer(logIn: () => Actor): Actor {
    try {
      const actor = logIn();
      if (actor.login !== undefined) this.#own.add(actor.login);
      return actor;
    } catch (error) {
      return refusal(error) as never;
    }
  }

  #close(login: string, reason?: string): void {
    this.#forget(login);
    this.#logins.close(login, reason);
  }

  #forget(login: string): void {
    this.#own.delete(login);
    for (const listener of this.#listeners) listener(login);
  }
}

/** vscode-jsonrpc sends an error that is returned; its types do not say so. */
function refusal(error: unknown): unknown {
  return toResponseError(
    error instanceof Failure
      ? error
      : new Failure('usage', { what: 'the login', why: 'it is not one of this protocol' }),
  );
}
