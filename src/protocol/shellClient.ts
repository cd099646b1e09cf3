/**
 * The room and the comforts of a shell, as the front sees them: notices, the live list, candidates for completion,
 * memory.
 */
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { Actor } from '../domain/access/actor.ts';
import type { Notice, ShellSettings, Welcome } from '../domain/events/notice.ts';
import { loginOf } from './client.ts';
import { fromResponseError, notify } from './connection.ts';
import { cancellation, messages } from './messages.ts';
import type { Candidate, CandidateKind } from '../domain/events/candidate.ts';

export interface ShellClient {
  /** Enters the room as `session`; from then on `onNotice` is told what happens. Rejects with a Failure. */
  enter(shell: string, actor: Actor, onNotice: (notice: Notice) => void): Promise<Welcome>;
  leave(shell: string): void;
  /** The live list begins or ends; it comes as notices. */
  feed(shell: string, open: boolean): Promise<void>;
  candidates(
    actor: Actor,
    what: CandidateKind,
    user: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly Candidate[]>;
  /** Remembers a line that was typed. */
  typed(actor: Actor, line: string): void;
  saveSettings(actor: Actor, settings: ShellSettings): Promise<void>;
}

export function shellClient(connection: MessageConnection): ShellClient {
  const rooms = new Map<string, (notice: Notice) => void>();
  connection.onNotification(messages.notice, ({ shell, notice }) => rooms.get(shell)?.(notice));
  const asked = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      throw fromResponseError(error);
    }
  };
  return {
    async enter(shell, actor, onNotice) {
      rooms.set(shell, onNotice);
      return asked(connection.sendRequest(messages.enter, { shell, login: loginOf(actor) }));
    },
    leave(shell) {
      rooms.delete(shell);
      notify(connection, messages.leave, { shell });
    },
    async feed(shell, open) {
      await asked(connection.sendRequest(messages.feed, { shell, open }));
    },
    candidates: (actor, what, user, signal) =>
      asked(
        connection.sendRequest(
          messages.candidates,
          { login: loginOf(actor), what, ...(user === undefined ? {} : { user }) },
          cancellation(signal),
        ),
      ),
    typed: (actor, line) => notify(connection, messages.typed, { login: loginOf(actor), line }),
    async saveSettings(actor, { plain }) {
      await asked(connection.sendRequest(messages.settings, { login: loginOf(actor), settings: { plain } }));
    },
  };
}
