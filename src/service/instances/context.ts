/** What a verb's implementation can use of the host. */
import type { Logger } from 'pino';
import type { Actor } from '../../domain/access/actor.ts';
import type { HostTag } from '../../domain/results/about.ts';
import type { StepEvent } from '../../domain/events/callEvent.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { CallerTerminal } from '../../domain/terminal.ts';
import type { Accounts } from '../../host/accounts.ts';
import type { Incus } from '../../host/incus/incus.ts';
import type { JumpKeys } from '../../host/jumpKeys.ts';
import type { KeyScan } from '../../host/keyscan.ts';
import type { SshPort } from '../../host/sshPort.ts';
import type { OomLog } from '../../host/oomKills.ts';
import type { InstanceMirror } from '../../host/mirror/mirror.ts';
import type { IncusStreams } from '../../host/incus/streams.ts';
import type { Zfs } from '../../host/zfs/zfs.ts';
import type { Operations } from '../../journal/operations.ts';
import type { BackupAges } from './backupAges.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Steps } from './steps.ts';

export interface HostContext {
  readonly host: HostTag;
  readonly settings: Settings;
  readonly incus: Incus;
  /** For what only shows instances. What decides a change asks `incus`. */
  readonly mirror: InstanceMirror;
  readonly streams: IncusStreams;
  readonly zfs: Zfs;
  readonly accounts: Accounts;
  readonly keyscan: KeyScan;
  /** Undefined for a simulated host, whose containers have no network. */
  readonly sshPort?: SshPort | undefined;
  readonly jumpKeys: JumpKeys;
  readonly operations: Operations;
  readonly steps: Steps;
  /** Opens the backups in their stores. Rejects with `settings` if backups are off. */
  readonly repository: () => Promise<Repository>;
  readonly backupAges: BackupAges;
  readonly oomLog: OomLog;
  /** Called when the connections of a user through the host were ended. */
  readonly connectionsEnded: (user: string) => void;
  readonly log: Logger;
  readonly now: () => Date;
}

/** One call of a verb: its actor, its cancellation, and where its progress goes. */
export interface Call {
  readonly actor: Actor;
  /** Aborted when the caller leaves. That stops a query but not an operation. */
  readonly signal: AbortSignal;
  /**
   * Throws `denied` if the caller may not make a change of this verb by this way in, or not without a touch: for a call
   * that makes the change of another verb.
   */
  readonly permit: (verb: string) => void;
  readonly progress: Progress;
  /** Only the plan of the call is wanted: the host is a copy, whose changes are noted in their order. */
  readonly isPlan?: true;
  /** The input as the journal keeps it. */
  readonly recorded: JsonObject;
  /** The address by which the caller reached this host; used when no hostname is configured. */
  readonly reachedAt: string | undefined;
  /** The caller's terminal, if the call has one. */
  readonly terminal: CallerTerminal | undefined;
  /** The shell that made the call, if any. */
  readonly shell: string | undefined;
}

export interface Progress {
  step(event: StepEvent): void;
  readonly note: (text: string) => void;
  /** Sends a piece of a result that arrives in pieces, such as a log. */
  output(text: string): void;
}
