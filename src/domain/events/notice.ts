/**
 * Notices that admins see in their shells: who came and went, which calls run, and what was said. Times are RFC 3339
 * UTC.
 */
import type { Container } from '../results/container.ts';
import type { FailureData } from '../failure.ts';
import type { Presence } from '../results/room.ts';
import type { StepEvent } from './callEvent.ts';

/** A running call of a verb that changes something. */
export interface RunningCall {
  readonly id: string;
  readonly verb: string;
  readonly target: string | null;
  readonly actor: string;
  readonly startedAt: string;
  /** The latest event of each step, in order. */
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

/** An event sent to open shells. A shell gets no notices of its own calls. */
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
  /** From now on there are too many shells to announce each one, or few enough again; `present` then lists them. */
  | { readonly type: 'crowd'; readonly crowded: boolean; readonly present: readonly Presence[] }
  | { readonly type: 'containers'; readonly feed: FeedUpdate };

/** An update of the live list: rows to replace and rows to remove. The first update after opening has every row. */
export interface FeedUpdate {
  readonly whole: boolean;
  readonly changed: readonly FeedContainer[];
  /** Users whose containers are gone. */
  readonly removed: readonly string[];
  /** When usage was last measured. */
  readonly measuredAt: string | null;
  /** Why the list is currently not updated; the rows are then the last known ones. */
  readonly stale: string | null;
}

export interface FeedContainer extends Container {
  /** Percent of one CPU between the last two measurements; null without measurements. */
  readonly cpuPercent: number | null;
}

/** A restart of the front, which ended every login. */
export interface FrontRestart {
  readonly at: string;
  readonly why: 'stood-still' | 'ended';
}

export function frontRestartText({ at, why }: FrontRestart): string {
  return `The SSH server was restarted at ${at.slice(11, 16)} UTC because it ${why === 'ended' ? 'exited unexpectedly' : 'stopped responding'}. Operations were not interrupted.`;
}

/** A person's settings for their shells. */
export interface ShellSettings {
  /** Screen-reader mode: plain lines, never redrawn. */
  readonly plain: boolean;
}

/** The state that a shell receives when it opens. */
export interface Welcome {
  /** True if there are too many shells to announce each one; `present` and `running` are then empty. */
  readonly crowded: boolean;
  readonly present: readonly Presence[];
  readonly running: readonly RunningCall[];
  /** Calls that ended since this person last left. */
  readonly ended: readonly EndedCall[];
  /** A restart that may have ended this person's logins; reported once. */
  readonly restarted: FrontRestart | null;
  /** Sentences for this person, for example that a certificate expires. */
  readonly notes: readonly string[];
  /** Lines that this person typed earlier, oldest first. */
  readonly lines: readonly string[];
  readonly settings: ShellSettings;
}
