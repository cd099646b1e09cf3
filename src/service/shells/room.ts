/**
 * The room in which admins see one another: who has a shell open, what each admin changes, and what they say. It keeps
 * no history; the journal does.
 */
import { actorTitle, type Actor } from '../../domain/access/actor.ts';
import type { Failure } from '../../domain/failure.ts';
import type { EndedCall, Notice, RunningCall, Welcome } from '../../domain/events/notice.ts';
import type { StepEvent } from '../../domain/events/callEvent.ts';
import type { Presence } from '../../domain/results/room.ts';

/**
 * Maximum number of admins' shells that are notified of every arrival, departure and step. More form a crowd, which is
 * notified only of messages and of calls that ended; `who` lists the shells. Arrivals would flood a crowd, and drawing
 * them costs shells times arrivals.
 */
const maxUncrowdedShells = 20;
/** Number of admins' shells at which a crowd ends. Lower than its beginning, so that one shell cannot toggle it. */
const crowdEndsAtShells = 15;

interface Member {
  readonly actor: Actor;
  readonly presence: Presence;
  readonly tell: (notice: Notice) => void;
}

/** A call that changes something, as the dispatcher reports it. */
export interface CallBegun {
  readonly id: string;
  readonly verb: string;
  readonly target: string | null;
  readonly actor: Actor;
  /** The shell that made the call. */
  readonly shell: string | null;
}

export class Room {
  readonly #members = new Map<string, Member>();
  readonly #running = new Map<string, { begun: CallBegun; call: RunningCall }>();
  readonly #now: () => Date;
  #admins = 0;
  #crowded = false;

  constructor(now: () => Date = () => new Date()) {
    this.#now = now;
  }

  enter(shell: string, actor: Actor, tell: (notice: Notice) => void): void {
    const presence: Presence = {
      shell,
      name: actor.name,
      entryPoint: actor.entryPoint,
      since: this.#now().toISOString(),
      address: actor.address ?? null,
    };
    this.#members.set(shell, { actor, presence, tell });
    if (isAdmin(actor)) this.#admins++;
    if (!this.#crowded && this.#admins > maxUncrowdedShells) {
      this.#crowded = true;
      this.#tellAdmins({ type: 'crowd', crowded: true, present: [] }, shell);
    } else if (!this.#crowded) {
      this.#tellAdmins({ type: 'entered', who: presence }, shell);
    }
  }

  leave(shell: string): void {
    const member = this.#members.get(shell);
    if (member === undefined) return;
    this.#members.delete(shell);
    if (isAdmin(member.actor)) this.#admins--;
    if (this.#crowded && this.#admins <= crowdEndsAtShells) {
      this.#crowded = false;
      for (const { actor, tell } of this.#members.values())
        if (isAdmin(actor)) tell({ type: 'crowd', crowded: false, present: this.present(actor) });
    } else if (!this.#crowded) {
      this.#tellAdmins({ type: 'left', who: member.presence });
    }
  }

  /** Returns the open shells that `actor` may see: owners see their own, and not those of an admin of that name. */
  present(actor: Actor): Presence[] {
    return [...this.#members.values()]
      .filter((member) => isAdmin(actor) || (!isAdmin(member.actor) && member.actor.name === actor.name))
      .map(({ presence }) => presence);
  }

  /** Returns what a shell is told when it enters. */
  welcome(actor: Actor): Pick<Welcome, 'crowded' | 'present' | 'running'> {
    const crowded = this.#crowded && isAdmin(actor);
    return { crowded, present: crowded ? [] : this.present(actor), running: crowded ? [] : this.running(actor) };
  }

  /** Returns the running calls that `actor` may see. */
  running(actor: Actor): RunningCall[] {
    return [...this.#running.values()].filter(({ begun }) => concerns(begun, actor)).map(({ call }) => call);
  }

  begun(begun: CallBegun): void {
    const { id, verb, target, actor } = begun;
    const call: RunningCall = {
      id,
      verb,
      target,
      actor: actorTitle(actor),
      startedAt: this.#now().toISOString(),
      steps: [],
    };
    this.#running.set(id, { begun, call });
    this.#tell(begun, { type: 'begun', call });
  }

  step(id: string, step: StepEvent): void {
    const found = this.#running.get(id);
    if (found === undefined) return;
    const steps = [...found.call.steps.filter(({ index }) => index !== step.index), step];
    this.#running.set(id, { ...found, call: { ...found.call, steps } });
    this.#tell(found.begun, { type: 'step', id, step });
  }

  ended(id: string, durationMs: number, failure: Failure | undefined): void {
    const found = this.#running.get(id);
    if (found === undefined) return;
    this.#running.delete(id);
    const { verb, target, actor } = found.begun;
    const call: EndedCall = {
      verb,
      target,
      actor: actorTitle(actor),
      endedAt: this.#now().toISOString(),
      outcome: failure === undefined ? 'ok' : 'failed',
      failure: failure === undefined ? null : { code: failure.code, what: failure.what, why: failure.why },
      durationMs,
    };
    this.#tell(found.begun, { type: 'ended', id, call });
  }

  /** Sends a message to every admin's shell; returns the number of other shells that received it. */
  say(actor: Actor, text: string, shell: string | null): number {
    return this.#tellAdmins(
      { type: 'said', name: actor.name, text, at: this.#now().toISOString() },
      shell ?? undefined,
    );
  }

  #tell(begun: CallBegun, notice: Notice): void {
    const hears = (actor: Actor): boolean =>
      concerns(begun, actor) && (!this.#crowded || !isAdmin(actor) || notice.type === 'ended');
    // The shell that made the call gets the call's own events and result instead.
    for (const [shell, { actor, tell }] of this.#members) if (shell !== begun.shell && hears(actor)) tell(notice);
  }

  #tellAdmins(notice: Notice, except?: string): number {
    let count = 0;
    for (const [shell, { actor, tell }] of this.#members) {
      if (!isAdmin(actor) || shell === except) continue;
      tell(notice);
      count++;
    }
    return count;
  }
}

function isAdmin(actor: Actor): boolean {
  return actor.entryPoint !== 'self';
}

/** Reports whether `actor` may see a call: admins see every change, owners those to their own containers. */
function concerns({ target }: CallBegun, actor: Actor): boolean {
  return isAdmin(actor) || (target !== null && actor.owns?.includes(target) === true);
}
