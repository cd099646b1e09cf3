/** core's end of calls on one connection: checks every message, runs calls, streams their events, and cancels them. */
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { Failure } from '../../domain/failure.ts';
import { frontRestartText } from '../../domain/events/notice.ts';
import { notify, toResponseError } from '../../protocol/connection.ts';
import {
  abortSignal,
  callRequest,
  messages,
  terminalBytes,
  terminalSize,
  type CallRequest,
  type Greeting,
} from '../../protocol/messages.ts';
import type { Dispatcher } from '../calls/dispatcher.ts';
import type { FrontRestarts } from '../processes/frontRestarts.ts';
import type { LoginEndpoint } from './loginEndpoint.ts';
import { RemoteTerminal } from './remoteTerminal.ts';

export interface EndpointOptions {
  readonly greeting: Greeting;
  readonly dispatcher: Dispatcher;
  readonly logins: LoginEndpoint;
  /** Tells callers without a shell about a restart, beside the answer. */
  readonly frontRestarts: FrontRestarts;
}

/** Running calls of one connection and of one login: each may keep a host program running. */
const maxCalls = 1000;
const maxCallsPerLogin = 100;

export function serveCalls(
  connection: MessageConnection,
  { greeting, dispatcher, logins, frontRestarts }: EndpointOptions,
): void {
  const terminals = new Map<string, RemoteTerminal>();
  const callsByLogin = new Map<string, number>();
  let calls = 0;
  const gone = new AbortController();
  logins.onEnd((login) => {
    for (const terminal of terminals.values()) if (terminal.login === login) terminal.end();
  });
  connection.onRequest(messages.greet, () => greeting);
  connection.onRequest(messages.call, async (raw, token) => {
    let request: CallRequest | undefined;
    try {
      const parsed = callRequest.safeParse(raw);
      if (!parsed.success) throw new Failure('usage', { what: 'the request', why: 'it does not follow the protocol' });
      const { id, login } = parsed.data;
      // Identified first, so that nothing is stored under a login that the peer has made up.
      const actor = logins.identify(login);
      const ofLogin = callsByLogin.get(login) ?? 0;
      if (calls >= maxCalls || ofLogin >= maxCallsPerLogin)
        throw new Failure('busy', {
          what: 'the server',
          why: 'too many commands are running',
          next: 'try again in a moment',
        });
      request = parsed.data;
      calls++;
      callsByLogin.set(login, ofLogin + 1);
      const emit = (event: unknown): void => notify(connection, messages.event, { id, event });
      const terminal =
        request.terminal === undefined ? undefined : new RemoteTerminal(connection, request, request.terminal);
      if (terminal !== undefined) terminals.set(id, terminal);
      const restarted = request.shell === undefined ? frontRestarts.next(actor) : null;
      if (restarted !== null) emit({ type: 'note', text: frontRestartText(restarted) });
      return await dispatcher.call({
        actor,
        verb: request.verb,
        input: request.input,
        ...(request.plan === true ? { plan: true } : {}),
        reachedAt: request.reachedAt,
        shell: request.shell,
        // A peer that is gone cannot cancel its calls any more.
        signal: AbortSignal.any([abortSignal(token), gone.signal]),
        terminal,
        emit,
      });
    } catch (error) {
      return toResponseError(error);
    } finally {
      if (request !== undefined) {
        terminals.delete(request.id);
        calls--;
        const remaining = (callsByLogin.get(request.login) ?? 1) - 1;
        if (remaining === 0) callsByLogin.delete(request.login);
        else callsByLogin.set(request.login, remaining);
      }
    }
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
