/** Core as its callers see it: the front, and the command line on the host. */
import { randomUUID } from 'node:crypto';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { Actor } from '../domain/actor.ts';
import { fromResponseError, notify } from './connection.ts';
import {
  cancellation,
  messages,
  terminalBytes,
  terminalHold,
  type CallAnswer,
  type CallEvent,
  type Greeting,
} from './messages.ts';

export interface CoreCall {
  readonly actor: Actor;
  readonly verb: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly reachedAt?: string;
  /** The shell that makes the call. */
  readonly session?: string;
}

/** A terminal lent to a verb for as long as its call runs. */
export interface LentTerminal {
  readonly columns: number;
  readonly rows: number;
  /** As in TERM. */
  readonly type: string;
  /** Shows bytes; resolves when the terminal has taken them. */
  output(data: Buffer): Promise<void>;
  /** Whether what is typed is to stay with whoever types it for a while. */
  hold(held: boolean): void;
  /** Called once: from then on what is typed goes to `port`. Returns how to end that. */
  attach(port: TerminalPort): () => void;
}

export interface TerminalPort {
  input(data: Buffer): void;
  resize(columns: number, rows: number): void;
}

export interface CoreClient {
  readonly greeting: Greeting;
  /** Runs a verb. Rejects with a Failure. Aborting stops reading; an operation that has begun goes on. */
  call(
    call: CoreCall,
    onEvent: (event: unknown) => void,
    signal: AbortSignal,
    terminal?: LentTerminal,
  ): Promise<CallAnswer>;
}

/** What names the actor to core. Throws for one that did not log in. */
export function loginOf({ login, name }: Actor): string {
  if (login === undefined) throw new TypeError(`${name} has not logged in`);
  return login;
}

export function coreClient(connection: MessageConnection, greeting: Greeting): CoreClient {
  const listeners = new Map<string, (event: unknown) => void>();
  const terminals = new Map<string, LentTerminal>();
  connection.onNotification(messages.event, ({ id, event }: CallEvent) => listeners.get(id)?.(event));
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
      let detach: (() => void) | undefined;
      if (terminal !== undefined) {
        terminals.set(id, terminal);
        detach = terminal.attach({
          input: (data) => notify(connection, messages.terminalInput, { id, data: data.toString('base64') }),
          resize: (columns, rows) => notify(connection, messages.terminalResize, { id, columns, rows }),
        });
      }
      const lent =
        terminal === undefined
          ? {}
          : { terminal: { columns: terminal.columns, rows: terminal.rows, type: terminal.type } };
      try {
        const { actor, ...request } = call;
        return await connection.sendRequest(
          messages.call,
          { id, ...request, ...lent, login: loginOf(actor), input: { ...call.input } },
          cancellation(signal),
        );
      } catch (error) {
        throw fromResponseError(error);
      } finally {
        detach?.();
        listeners.delete(id);
        terminals.delete(id);
      }
    },
  };
}
