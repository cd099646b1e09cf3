/** core's end of calls on one connection: checks every message, runs calls, streams their events, and cancels them. */
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { Failure } from '../../domain/failure.ts';
import { eitherSignal } from '../../domain/signals.ts';
import { frontRestartText } from '../../domain/events/notice.ts';
import { notify, toResponseError } from '../../protocol/connection.ts';
import {
  abortSignal,
  callCancel,
  callRequest,
  messages,
  terminalBytes,
  terminalSize,
  type CallRequest,
  type Greeting,
} from '../../protocol/messages.ts';
import type { Dispatcher } from '../calls/dispatcher.ts';
import type { FrontRestarts } from '../processes/frontRestarts.ts';
import type { Places } from '../turns/places.ts';
import type { LoginEndpoint } from './loginEndpoint.ts';
import { RemoteTerminal } from './remoteTerminal.ts';

export interface EndpointOptions {
  readonly greeting: Greeting;
  readonly dispatcher: Dispatcher;
  readonly logins: LoginEndpoint;
  /** Tells callers without a shell about a restart, beside the answer. */
  readonly frontRestarts: FrontRestarts;
  /** Shared by all connections. */
  readonly places: Places;
}

export function serveCalls(
  connection: MessageConnection,
  { greeting, dispatcher, logins, frontRestarts, places }: EndpointOptions,
): void {
  const terminals = new Map<string, RemoteTerminal>();
  const cancellations = new Map<string, AbortController>();
  const gone = new AbortController();
  logins.onEnd((login) => {
    for (const terminal of terminals.values()) if (terminal.login === login) terminal.end();
  });
  connection.onRequest(messages.greet, () => greeting);
  connection.onRequest(messages.call, async (raw, token) => {
    let request: CallRequest | undefined;
    let leave: (() => void) | undefined;
    try {
      const parsed = callRequest.safeParse(raw);
      if (!parsed.success) throw new Failure('usage', { what: 'the request', why: 'it does not follow the protocol' });
      const { id, login } = parsed.data;
      // Identified first, so that nothing is stored under a login that the peer has made up.
      const actor = logins.identify(login);
      leave = places.take(actor);
      request = parsed.data;
      const cancellation = new AbortController();
      cancellations.set(id, cancellation);
      const emit = (event: unknown): void => notify(connection, messages.event, { id, event });
      const terminal =
        request.terminal === undefined ? undefined : new RemoteTerminal(connection, request, request.terminal);
      if (terminal !== undefined) terminals.set(id, terminal);
      const restarted = request.shell === undefined ? frontRestarts.next(actor) : null;
      if (restarted !== null) emit({ type: 'note', text: frontRestartText(restarted) });
      // A peer that is gone cannot cancel its calls any more.
      using ended = eitherSignal(abortSignal(token), gone.signal);
      // A program ends with the shell that has it, even if the login continues.
      if (terminal !== undefined) ended.signal.addEventListener('abort', () => terminal.end(), { once: true });
      return await dispatcher.call({
        actor,
        verb: request.verb,
        input: request.input,
        ...(request.plan === true ? { plan: true } : {}),
        reachedAt: request.reachedAt,
        shell: request.shell,
        signal: ended.signal,
        cancelled: cancellation.signal,
        terminal,
        emit,
      });
    } catch (error) {
      return toResponseError(error);
    } finally {
      leave?.();
      if (request !== undefined) {
        terminals.delete(request.id);
        cancellations.delete(request.id);
      }
    }
  });
  connection.onNotification(messages.cancel, (raw) => {
    const parsed = callCancel.safeParse(raw);
    if (parsed.success) cancellations.get(parsed.data.id)?.abort();
  });
  connection.onNotification(messages.terminalInput, (raw) => {
    const parsed = terminalBytes.safeParse(raw);
    if (parsed.success) terminals.get(parsed.data.id)?.input(Buffer.from(parsed.data.data, 'base64'));
  });
  connection.onNotification(messages.terminalResize, (raw) => {
    const parsed = terminalSize.safeParse(raw);
    if (parsed.success) terminals.get(parsed.data.id)?.resize(parsed.data.columns, parsed.data.rows);
  });
  connection.onDispose(() => {
    gone.abort();
    for (const terminal of terminals.values()) terminal.end();
  });
}
