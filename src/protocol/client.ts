/** Core as its callers see it: the front, and the command line on the host. */
import { randomUUID } from 'node:crypto';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { Actor } from '../domain/actor.ts';
import { fromResponseError } from './connection.ts';
import { cancellation, messages, type CallAnswer, type CallEvent, type Greeting } from './messages.ts';

export interface CoreCall {
  readonly actor: Actor;
  readonly verb: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly reachedAt?: string;
}

export interface CoreClient {
  readonly greeting: Greeting;
  /** Runs a verb. Rejects with a Failure. Aborting stops reading; an operation that has begun goes on. */
  call(call: CoreCall, onEvent: (event: unknown) => void, signal: AbortSignal): Promise<CallAnswer>;
}

export function coreClient(connection: MessageConnection, greeting: Greeting): CoreClient {
  const listeners = new Map<string, (event: unknown) => void>();
  connection.onNotification(messages.event, ({ id, event }: CallEvent) => listeners.get(id)?.(event));
  return {
    greeting,
    async call(call, onEvent, signal) {
      const id = randomUUID();
      listeners.set(id, onEvent);
      try {
        return await connection.sendRequest(messages.call, { id, ...call, actor: { ...call.actor, ...(call.actor.owns ? { owns: [...call.actor.owns] } : {}) } as never, input: { ...call.input } }, cancellation(signal));
      } catch (error) {
        throw fromResponseError(error);
      } finally {
        listeners.delete(id);
      }
    },
  };
}
