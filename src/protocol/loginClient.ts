/** Logging in to core: from then on the caller is known by the login's name. */
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { Actor } from '../domain/access/actor.ts';
import type { LoginProof, Transport } from '../domain/access/login.ts';
import type { UnsupportedRequestCounts } from '../domain/access/unsupportedRequest.ts';
import { fromResponseError, notify } from './connection.ts';
import { keyBound, loggedIn, loginEnded, messages, type KeyBound } from './messages.ts';

export interface LoginClient {
  /** Shows core what a client has shown. `ended` is told when core ends the login. Rejects with a Failure. */
  prove(
    proof: LoginProof,
    from: { readonly address: string; readonly transport?: Transport | undefined },
    ended: (reason: string) => void,
  ): Promise<Actor>;
  /**
   * Shows core what a client with an invitation has shown; resolves with whose the key is now. Rejects with a Failure.
   */
  useInvitation(proof: LoginProof, address: string): Promise<KeyBound>;
  /** Over core's own socket. Rejects with a Failure. */
  local(name: string): Promise<Actor>;
  /** What the caller asked for that is not offered. */
  unsupportedRequests(actor: Actor, counts: UnsupportedRequestCounts): void;
  /** The caller is gone. */
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
  const answered = async (answer: Promise<unknown>): Promise<Actor> => {
    try {
      return loggedIn.parse(await answer);
    } catch (error) {
      throw fromResponseError(error);
    }
  };
  return {
    async prove(proof, { address, transport }, ended) {
      const actor = await answered(
        connection.sendRequest(messages.prove, {
          proof: { ...proof },
          address,
          ...(transport === undefined ? {} : { transport: { ...transport } }),
        }),
      );
      if (actor.login !== undefined) listeners.set(actor.login, ended);
      return actor;
    },
    async useInvitation(proof, address) {
      try {
        return keyBound.parse(await connection.sendRequest(messages.useInvitation, { proof: { ...proof }, address }));
      } catch (error) {
        throw fromResponseError(error);
      }
    },
    local: (name) => answered(connection.sendRequest(messages.local, { name })),
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
