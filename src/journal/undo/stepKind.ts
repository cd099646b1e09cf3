/** A kind of step and its undo, found by name, so that a restart can undo a step from the journal alone. */
import type { JsonObject } from '../../domain/json.ts';

export interface StepKind<F extends JsonObject = JsonObject> {
  readonly name: string;
  /**
   * Undoes the step, whether it took effect, did so in part, or not at all. Looks at the host first, and does nothing
   * if there is nothing of this operation. Rejects if it cannot find out.
   */
  undo(facts: F): Promise<void>;
  /** What the undo does, as a participle: `deleting the container`. Absent if there is nothing to see of it. */
  readonly undoing?: string;
  /**
   * Only for a step that cannot be undone: returns whether it took effect. If so, the operation is finished and not
   * undone. A step that only goes forward, such as a revocation, makes here what is missing of it, and returns true.
   */
  settled?(facts: F): Promise<boolean>;
  /** Set if the step makes something that only the operation itself needs: it is undone however the operation ends. */
  readonly temporary?: true;
  /**
   * Set if the undo needs what is inside a container, where its root can make it fail. One that fails because of the
   * container is over, so that it holds no lock, and `reconcile` shows what differs.
   */
  readonly inside?: true;
  /** Set if the undo neither needs that of a newer step nor is needed by that of an older one. */
  readonly apart?: true;
  /**
   * Set if an urgent change by an admin may begin while this step cannot be undone: nothing is lost by that, and
   * `reconcile` shows what differs.
   */
  readonly leavable?: true;
}

/** A step that was begun, as memory and the journal keep it. */
export interface StepRecord {
  readonly kind: string;
  readonly facts: JsonObject;
  state: 'begun' | 'done' | 'undone';
}
