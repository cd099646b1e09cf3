/** What every capability works with. */
import type { Logger } from 'pino';
import type { Actor } from '../domain/actor.ts';
import type { HostTag } from '../domain/container.ts';
import type { JsonObject } from '../domain/json.ts';
import type { Accounts } from '../host/accounts.ts';
import type { Incus } from '../host/incus.ts';
import type { JumpKeys } from '../host/jumpKeys.ts';
import type { KeyScan } from '../host/keyscan.ts';
import type { IncusStreams } from '../host/incusStreams.ts';
import type { Operations } from '../journal/operations.ts';
import type { Settings } from '../settings/settings.ts';
import type { Steps } from './steps.ts';

export interface ServiceContext {
  readonly host: HostTag;
  readonly settings: Settings;
  readonly incus: Incus;
  readonly streams: IncusStreams;
  readonly accounts: Accounts;
  readonly keyscan: KeyScan;
  readonly jumpKeys: JumpKeys;
  readonly operations: Operations;
  readonly steps: Steps;
  readonly log: Logger;
  readonly now: () => Date;
}

/** One call of a capability: who asks, whether they still wait, and where progress goes. */
export interface Call {
  readonly actor: Actor;
  /** Aborted when the caller is gone; reading stops then, an operation does not. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** The input as the journal keeps it. */
  readonly recorded: JsonObject;
  /** The address of this host that the caller reached: what an ssh configuration names in want of a better one. */
  readonly reachedAt: string | undefined;
  /** The caller's terminal, where the verb was given one. */
  readonly terminal: CallTerminal | undefined;
  /** The shell that made the call, if one did. */
  readonly session: string | undefined;
}

/** The terminal of whoever calls, lent for the time of the call. */
export interface CallTerminal {
  readonly type: string;
  readonly columns: number;
  readonly rows: number;
  /** Called once. What was typed before is told at once; `end` says that the caller is gone. */
  listen(listener: { input(data: Buffer): void; resize(columns: number, rows: number): void; end(): void }): void;
  /** Resolves when the caller's terminal has taken the bytes. */
  output(data: Buffer): Promise<void>;
  /** Whether what is typed is to stay with the caller for a while. What is on its way comes all the same. */
  hold(held: boolean): void;
}

export interface Progress {
  step(event: {
    index: number;
    total: number;
    title: string;
    state: 'begun' | 'done' | 'failed';
    elapsedMs: number;
    detail?: string;
  }): void;
  note(text: string): void;
  /** A piece of an answer that comes bit by bit: the lines of a log. */
  output(text: string): void;
}
