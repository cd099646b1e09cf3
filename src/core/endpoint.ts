/** Core's end of the protocol on one connection: checks every message, runs calls, streams their events, honours cancellation. */
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { Actor } from '../domain/actor.ts';
import { Failure } from '../domain/failure.ts';
import { notify, toResponseError } from '../protocol/connection.ts';
import { abortSignal, callRequest, messages, type Greeting } from '../protocol/messages.ts';
import type { Dispatcher } from './dispatcher.ts';

export interface EndpointOptions {
  readonly greeting: Greeting;
  readonly dispatcher: Dispatcher;
  /** Turns who the caller claims to be into who they are; throws `denied`. */
  readonly identify: (claimed: Actor) => Actor;
}

export function serveCalls(connection: MessageConnection, { greeting, dispatcher, identify }: EndpointOptions): void {
  connection.onRequest(messages.greet, () => greeting);
  connection.onRequest(messages.call, async (raw, token) => {
    try {
      const parsed = callRequest.safeParse(raw);
      if (!parsed.success) throw new Failure('usage', { what: 'the request', why: 'it is not one of this protocol' });
      const { id, verb, input, reachedAt } = parsed.data;
      return await dispatcher.call({
        actor: identify(parsed.data.actor),
        verb,
        input,
        reachedAt,
        signal: abortSignal(token),
        // A caller that is gone does not stop the operation it started.
        emit: (event) => notify(connection, messages.event, { id, event }),
      });
    } catch (error) {
      return toResponseError(error);
    }
  });
}
