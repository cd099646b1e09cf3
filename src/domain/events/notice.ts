/**
 * What admins at their shells see of one another: who is here, what is being done, what was said. Plain data; times RFC
 * 3339 UTC.
 */
import type { Container } from '../results/container.ts';
import type { FailureData } from '../failure.ts';
import type { Presence } from '../results/room.ts';
import type { StepEvent } from './callEvent.ts';

/** A verb that changes something, while it is at work. */
export interface RunningCall {
  readonly id: string;
  readonly verb: string;
  readonly target: string | null;
  readonly actor: string;
  readonly startedAt: string;
  /** The latest event of each of its steps, in order. */
  readonly steps: readonly StepEvent[];
}

export interface EndedCall {
  readonly verb: string;
  readonly target: string | null;
  readonly actor: string;
  readonly endedAt: string;
  readonly outcome: 'ok' | 'failed';
  readonly failure: Pick<FailureData, 'code' | 'what' | 'why'> | null;
  readonly durationMs: number;
}

/** What happens while a shell is open. A shell gets no notices of its own calls. */
export type Notice =
  | { readonly type: 'begun'; readonly call: RunningCall }
  | { readonly type: 'step'; readonly id: string; readonly step: StepEvent }
  | { readonly type: 'ended'; readonly id: string; readonly call: EndedCall }
  | {
      readonly type: 'said';
      readonly name: string;
      readonly text: string;
      readonly at: string;
    }
  | { readonly type: 'entered' | 'left'; readonly who: Presence }
  /** From now on there are too many to be told of each, or few enough again: then these are here. */
  | { readonly type: 'crowd'; readonly crowded: boolean; readonly present: readonly Presence[] }
  | { readonly type: 'containers'; readonly feed: FeedUpdate };

/** A change of the live list: rows to put in place, rows to take out. The first one after opening it holds all. */
export interface FeedUpdate {
  readonly whole: boolean;
  readonly changed: readonly FeedContainer[];
  /** Users whose containers are gone. */
  readonly removed: readonly string[];
  /** When figures of use were last measured. */
  readonly measuredAt: string | null;
  /** Why the list cannot be followed at the moment; the rows are what was known last. */
  readonly stale: string | null;
}

export interface FeedContainer extends Container {
  /** Percent of one CPU between the last two measurements; null where there are none. */
  readonly cpuPercent: number | null;
}

/** That the process which holds all SSH sessions was replaced, and with it every session that was open. */
export interface FrontRestart {
  readonly at: string;
  readonly why: 'stood-still' | 'ended';
}

export function frontRestartText({ at, why }: FrontRestart): string {
  return `The SSH server was restarted at ${at.slice(11, 16)} UTC because it ${why === 'ended' ? 'ended unexpectedly' : 'stood still'}; operations went on.`;
}

/** What a person chose for their shells. */
export interface ShellSettings {
  /** Screen-reader mode: lines only, nothing is drawn again. */
  readonly plain: boolean;
}

/** What a shell learns when it opens. */
export interface Welcome {
  /** Whether there are too many to be told of each; then nobody is named, and nothing that is at work. */
  readonly crowded: boolean;
  readonly present: readonly Presence[];
  readonly running: readonly RunningCall[];
  /** What ended since this person last left. */
  readonly ended: readonly EndedCall[];
  /** Why this person's last sessions may have been cut; said once. */
  readonly restarted: FrontRestart | null;
  /** Lines this person typed before, oldest first. */
  readonly lines: readonly string[];
  readonly settings: ShellSettings;
}
