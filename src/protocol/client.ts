/** The client of core, for the front and for the command line on the host. */
import { randomUUID } from 'node:crypto';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { Actor } from '../domain/access/actor.ts';
import type { CallEvent } from '../domain/events/callEvent.ts';
import type { CallerTerminal } from '../domain/terminal.ts';
import { callEvent } from './callEvents.ts';
import { fromResponseError, notify } from './connection.ts';
import { cancellation, messages, terminalBytes, terminalHold, type CallAnswer, type Greeting } from './messages.ts';

export interface CoreCall {
  readonly actor: Actor;
  readonly verb: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Asks for the plan of the call instead of the call. */
  readonly plan?: boolean;
  readonly reachedAt?: string;
  /** The shell that makes the call. */
  readonly shell?: string;
  /** Aborted to end a change that can be cancelled, and to undo it. */
  readonly cancelled?: AbortSignal | undefined;
}

export interface CoreClient {
  readonly greeting: Greeting;
  /**
   * Makes a call. Rejects with a Failure. Aborting ends a call that reads; an operation that has begun continues,
   * unless `cancelled` is aborted.
   */
  call(
    call: CoreCall,
    onEvent: (event: CallEvent) => void,
    signal: AbortSignal,
    terminal?: CallerTerminal,
  ): Promise<CallAnswer>;
}

/** Returns the id of the actor's login. Throws if the actor has none. */
export function loginOf({ login, name }: Actor): string {
  if (login === undefined) throw new TypeError(`${name} has not logged in`);
  return login;
}

export function coreClient(connection: MessageConnection, greeting: Greeting): CoreClient {
  const listeners = new Map<string, (event: CallEvent) => void>();
  const terminals = new Map<string, CallerTerminal>();
  connection.onNotification(messages.event, ({ id, event }) => {
    // A newer core may send events that this version does not know.
    const parsed = callEvent.safeParse(event);
    if (parsed.success) listeners.get(id)?.(parsed.data);
  });
  connection.onRequest(messages.terminalOutput, async (raw): Promise<true> => {
    const { id, data } = terminalBytes.parse(raw);
    await terminals.get(id)?.output(Buffer.from(data, 'base64'));
    return true;
  });
  connection.onNotification(messages.terminalHold, (raw) => {
    const parsed = terminalHold.safeParse(raw);
    if (parsed.success) terminals.get(parsed.data.id)?.hold(parsed.data.held);
  });
  return {
    greeting,
    async call(call, onEvent, signal, terminal) {
      const id = randomUUID();
      listeners.set(id, onEvent);
      if (terminal !== undefined) terminals.set(id, terminal);
      const terminalInfo =
        terminal === undefined
          ? {}
          : { terminal: { columns: terminal.columns, rows: terminal.rows, type: terminal.type } };
      const { actor, cancelled, ...request } = call;
      const cancel = (): void => notify(connection, messages.cancel, { id });
      try {
        const answer = connection.sendRequest(
          messages.call,
          { id, ...request, ...terminalInfo, login: loginOf(actor), input: { ...call.input } },
          cancellation(signal),
        );
        if (cancelled?.aborted === true) cancel();
        cancelled?.addEventListener('abort', cancel, { once: true });
        // After the request: core ignores input of a call that it does not know.
        if (terminal !== undefined) {
          // core ignores input once the call is over.
          const whileOpen = (send: () => void): void => {
            if (terminals.has(id)) send();
          };
          terminal.attach({
            input: (data) =>
              whileOpen(() => notify(connection, messages.terminalInput, { id, data: data.toString('base64') })),
            resize: (columns, rows) =>
              whileOpen(() => notify(connection, messages.terminalResize, { id, columns, rows })),
            // A caller that leaves aborts the call or closes the connection.
            end: () => undefined,
          });
        }
        return await answer;
      } catch (error) {
        throw fromResponseError(error);
      } finally {
        cancelled?.removeEventListener('abort', cancel);
        listeners.delete(id);
        terminals.delete(id);
      }
    },
  };
}
