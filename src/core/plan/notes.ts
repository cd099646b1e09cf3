/** What a rehearsal writes down: the commands that change something, by step and by stage. */
import type { StepEvent } from '../../domain/events/callEvent.ts';
import type { PlannedCommand } from '../../domain/results/plan.ts';

/** Steps and commands in the order in which they came. */
export interface NotedStep {
  title: string;
  /** The kind of the step; null for commands that belong to none. */
  readonly kind: string | null;
  /** Where the operation has it; undefined for commands that belong to no step. */
  readonly at?: { readonly operation: string; readonly index: number };
  readonly commands: PlannedCommand[];
}

export class PlanNotes {
  readonly steps: NotedStep[] = [];
  readonly texts: string[] = [];
  #stage: string | undefined;
  #step: NotedStep | undefined;
  /** Commands that belong to no step; undefined once a step has begun. */
  #between: NotedStep | undefined;

  stage({ title, state }: StepEvent): void {
    this.#stage = state === 'begun' ? title : undefined;
    this.#between = undefined;
  }

  stepBegan(kind: string, at: NonNullable<NotedStep['at']>): void {
    this.#step = { title: this.#stage ?? titleOf(kind), kind, at, commands: [] };
    this.#between = undefined;
    this.steps.push(this.#step);
  }

  stepEnded(): void {
    this.#step = undefined;
  }

  /** Names the commands since the last step. Those that follow are others. */
  outsideWas(title: string): void {
    if (this.#between !== undefined) this.#between.title = title;
    this.#between = undefined;
  }

  command(command: PlannedCommand): void {
    (this.#step ?? this.#outside()).commands.push(command);
  }

  #outside(): NotedStep {
    if (this.#between !== undefined) return this.#between;
    const title = this.#stage ?? (this.steps.length === 0 ? 'Preparing' : 'Cleaning up');
    this.#between = { title, kind: null, commands: [] };
    this.steps.push(this.#between);
    return this.#between;
  }
}

/** Returns a title for a step outside of any stage: `patch-instance` becomes `Patch instance`. */
function titleOf(kind: string): string {
  return kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll('-', ' ');
}
