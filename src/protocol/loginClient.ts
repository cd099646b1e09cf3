/** The client for logins to core. Later messages name the login by the id that core has given it. */
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { Actor } from '../domain/access/actor.ts';
import type { LoginProof, RemoteLogin, Transport } from '../domain/access/login.ts';
import type { UnsupportedRequestCounts } from '../domain/access/unsupportedRequest.ts';
import { fromResponseError, notify } from './connection.ts';
import { keyBound, loggedIn, loginEnded, messages, type KeyBound } from './messages.ts';

export interface LoginClient {
  /** Proves a login to core. `ended` is called when core ends it. Rejects with a Failure. */
  prove(
    proof: LoginProof,
    from: { readonly address: string; readonly transport?: Transport | undefined },
    ended: (reason: string) => void,
  ): Promise<Actor>;
  /** Binds the key of an invited person, and resolves with its new owner. Rejects with a Failure. */
  useInvitation(proof: LoginProof, address: string): Promise<KeyBound>;
  /** Logs in a client of the remote interface. `ended` is called when core ends the login. Rejects with a Failure. */
  certify(login: RemoteLogin, ended: (reason: string) => void): Promise<Actor>;
  /** Logs in a client of a remote interface without TLS, as {@link certify} does. */
  insecure(address: string, ended: (reason: string) => void): Promise<Actor>;
  /** Reports unsupported requests. */
  unsupportedRequests(actor: Actor, counts: UnsupportedRequestCounts): void;
  logout(actor: Actor): void;
}

export function loginClient(connection: MessageConnection): LoginClient {
  const listeners = new Map<string, (reason: string) => void>();
  connection.onNotification(messages.loginEnded, (raw) => {
    const parsed = loginEnded.safeParse(raw);
    if (!parsed.success) return;
    const { login, reason } = parsed.data;
    listeners.get(login)?.(reason);
    listeners.delete(login);
  });
  const opened = async (answer: Promise<unknown>, ended: (reason: string) => void): Promise<Actor> => {
    try {
      const actor = loggedIn.parse(await answer);
      listeners.set(actor.login, ended);
      return actor;
    } catch (error) {
      throw fromResponseError(error);
    }
  };
  return {
    prove: (proof, { address, transport }, ended) =>
      opened(
        connection.sendRequest(messages.prove, {
          proof: { ...proof },
          address,
          ...(transport === undefined ? {} : { transport: { ...transport } }),
        }),
        ended,
      ),
    async useInvitation(proof, address) {
      try {
        return keyBound.parse(await connection.sendRequest(messages.useInvitation, { proof: { ...proof }, address }));
      } catch (error) {
        throw fromResponseError(error);
      }
    },
    certify: (login, ended) =>
      opened(connection.sendRequest(messages.certify, { ...login, tls: login.tls as 'TLSv1.3' }), ended),
    insecure: (address, ended) => opened(connection.sendRequest(messages.insecure, { address }), ended),
    unsupportedRequests({ login }, counts) {
      if (login !== undefined) notify(connection, messages.unsupportedRequests, { login, counts: { ...counts } });
    },
    logout({ login }) {
      if (login === undefined) return;
      listeners.delete(login);
      notify(connection, messages.logout, { login });
    },
  };
}
