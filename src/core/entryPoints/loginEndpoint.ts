/** core's end of logins on one connection. Messages on a connection can name only logins made over it. */
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { LoginProof } from '../../domain/access/login.ts';
import type { UnsupportedRequestCounts } from '../../domain/access/unsupportedRequest.ts';
import { notify, toResponseError } from '../../protocol/connection.ts';
import type { RefusalReport } from '../../domain/access/refusal.ts';
import { knownTransport } from '../../domain/access/transport.ts';
import {
  insecureLogin,
  loginEnd,
  messages,
  unsupportedRequestReport,
  proofRequest,
  refusalReport,
  remoteLogin,
  type KeyBound,
} from '../../protocol/messages.ts';
import type { Logins } from '../logins/logins.ts';

/**
 * The other end of the connection: the front, which passes on its clients' proofs, or the remote process, which passes
 * on its clients' certificates.
 */
export type Peer = 'front' | 'remote';

/** Binds the key of an invited person, and resolves with its new owner. Rejects with a Failure. */
export type UseInvitation = (proof: LoginProof, address: string) => Promise<KeyBound>;

/** Handlers for what the front and the remote process report. */
export interface FrontReports {
  readonly refused?: (report: RefusalReport) => void;
  /** Called with the unsupported requests of a login. */
  readonly unsupportedRequests?: (actor: Actor, counts: UnsupportedRequestCounts) => void;
  readonly useInvitation?: UseInvitation;
}

export class LoginEndpoint {
  readonly #logins: Logins;
  readonly #openLogins = new Set<string>();
  readonly #listeners = new Set<(login: string) => void>();

  constructor(
    connection: MessageConnection,
    peer: Peer,
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
    connection.onNotification(messages.refusals, (raw) => {
      const parsed = refusalReport.safeParse(raw);
      if (parsed.success) refused?.(parsed.data);
    });
    if (peer === 'remote') {
      connection.onRequest(messages.certify, (raw) =>
        this.#answer(() => logins.openRemote(remoteLogin.parse(raw), owner)),
      );
      connection.onRequest(messages.insecure, (raw) =>
        this.#answer(() => logins.openInsecure(insecureLogin.parse(raw).address, owner)),
      );
    } else {
      connection.onRequest(messages.prove, (raw) =>
        this.#answer(() => {
          const { proof, address, transport } = proofRequest.parse(raw);
          return logins.prove(proof, address, owner, transport === undefined ? undefined : knownTransport(transport));
        }),
      );
      connection.onNotification(messages.unsupportedRequests, (raw) => {
        const parsed = unsupportedRequestReport.safeParse(raw);
        if (!parsed.success) return;
        try {
          unsupportedRequests?.(this.identify(parsed.data.login), parsed.data.counts);
        } catch {
          // The login has just ended, or was not made over this connection.
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
    }
    connection.onNotification(messages.logout, (raw) => {
      const parsed = loginEnd.safeParse(raw);
      if (parsed.success && this.#openLogins.has(parsed.data.login)) this.#close(parsed.data.login);
    });
    connection.onDispose(() => {
      for (const login of [...this.#openLogins]) this.#close(login, 'the SSH server closed its connection');
    });
  }

  /** Returns the current actor of a login of this connection. Throws `denied` for every other login. */
  identify(login: string): Actor {
    if (!this.#openLogins.has(login))
      throw new Failure('denied', { what: 'this login', why: 'it is over', next: 'log in again' });
    return this.#logins.actor(login);
  }

  countShells(login: string, change: 1 | -1): void {
    if (this.#openLogins.has(login)) this.#logins.countShells(login, change);
  }

  /** Calls `listener` for every login that ends, for whatever reason. */
  onEnd(listener: (login: string) => void): void {
    this.#listeners.add(listener);
  }

  #answer(logIn: () => Actor): Actor {
    try {
      const actor = logIn();
      if (actor.login !== undefined) this.#openLogins.add(actor.login);
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
    this.#openLogins.delete(login);
    for (const listener of this.#listeners) listener(login);
  }
}

/** vscode-jsonrpc sends a returned error as the response; its types do not say so. */
function refusal(error: unknown): unknown {
  return toResponseError(
    error instanceof Failure
      ? error
      : new Failure('usage', { what: 'the login', why: 'the message does not follow the protocol' }),
  );
}
