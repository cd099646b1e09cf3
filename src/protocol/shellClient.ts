/** The front's client for the needs of a shell: the room, its notices, the live list, completion and memory. */
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { Actor } from '../domain/access/actor.ts';
import type { Notice, ShellSettings, Welcome } from '../domain/events/notice.ts';
import { loginOf } from './client.ts';
import { fromResponseError, notify } from './connection.ts';
import { cancellation, messages } from './messages.ts';
import type { Candidate, CandidateKind } from '../domain/events/candidate.ts';

/** Asks core for completions. Rejects with a Failure. */
export interface CandidatesClient {
  candidates(
    actor: Actor,
    what: CandidateKind,
    user: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly Candidate[]>;
}

export interface ShellClient extends CandidatesClient {
  /** Enters the room, and calls `onNotice` for each notice from then on. Rejects with a Failure. */
  enter(shell: string, actor: Actor, onNotice: (notice: Notice) => void): Promise<Welcome>;
  leave(shell: string): void;
  /** Starts or stops the live list, which arrives as notices. */
  feed(shell: string, open: boolean): Promise<void>;
  /** Adds a line to the actor's history. */
  typed(actor: Actor, line: string): void;
  saveSettings(actor: Actor, settings: ShellSettings): Promise<void>;
}

export function candidatesClient(connection: MessageConnection): CandidatesClient {
  return {
    candidates: (actor, what, user, signal) =>
      received(
        connection.sendRequest(
          messages.candidates,
          { login: loginOf(actor), what, ...(user === undefined ? {} : { user }) },
          cancellation(signal),
        ),
      ),
  };
}

async function received<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw fromResponseError(error);
  }
}

export function shellClient(connection: MessageConnection): ShellClient {
  const listeners = new Map<string, (notice: Notice) => void>();
  connection.onNotification(messages.notice, ({ shell, notice }) => listeners.get(shell)?.(notice));
  return {
    ...candidatesClient(connection),
    async enter(shell, actor, onNotice) {
      listeners.set(shell, onNotice);
      return received(connection.sendRequest(messages.enter, { shell, login: loginOf(actor) }));
    },
    leave(shell) {
      listeners.delete(shell);
      notify(connection, messages.leave, { shell });
    },
    async feed(shell, open) {
      await received(connection.sendRequest(messages.feed, { shell, open }));
    },
    typed: (actor, line) => notify(connection, messages.typed, { login: loginOf(actor), line }),
    async saveSettings(actor, { plain }) {
      await received(connection.sendRequest(messages.settings, { login: loginOf(actor), settings: { plain } }));
    },
  };
}
