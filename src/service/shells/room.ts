/**
 * The room in which admins see one another: who has a shell open, what anybody changes, what is said. It keeps no
 * history: what is over is in the journal.
 */
import type { Actor } from '../../domain/access/actor.ts';
import type { Failure } from '../../domain/failure.ts';
import type { EndedCall, Notice, RunningCall, Welcome } from '../../domain/events/notice.ts';
import type { StepEvent } from '../../domain/events/callEvent.ts';
import type { Presence } from '../../domain/results/room.ts';

/**
 * Shells of admins up to which each is told of everybody who comes and goes, and of every step of every change. More
 * are a crowd: there the lines of arrivals would be a flood to read, and to draw them costs shells times arrivals. A
 * crowd is told what is said and what has ended; who is there, `who` lists.
 */
const maxTold = 20;
/**
 * A crowd is over when this few are left: not at the same number, or one shell that comes and goes would begin and end
 * it.
 */
const handful = 15;

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
    if (!this.#crowded && this.#admins > maxTold) {
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
    if (this.#crowded && this.#admins <= handful) {
      this.#crowded = false;
      for (const { actor, tell } of this.#members.values())
        if (isAdmin(actor)) tell({ type: 'crowd', crowded: false, present: this.present(actor) });
    } else if (!this.#crowded) {
      this.#tellAdmins({ type: 'left', who: member.presence });
    }
  }

  /** Who has a shell open, as far as `actor` may know: owners see only themselves. */
  present(actor: Actor): Presence[] {
    return [...this.#members.values()]
      .filter((member) => isAdmin(actor) || member.actor.name === actor.name)
      .map(({ presence }) => presence);
  }

  /** What a shell that has entered is told. */
  welcome(actor: Actor): Pick<Welcome, 'crowded' | 'present' | 'running'> {
    const crowded = this.#crowded && isAdmin(actor);
    return { crowded, present: crowded ? [] : this.present(actor), running: crowded ? [] : this.running(actor) };
  }

  /** What is at work at the moment, as far as `actor` may know. */
  running(actor: Actor): RunningCall[] {
    return [...this.#running.values()].filter(({ begun }) => concerns(begun, actor)).map(({ call }) => call);
  }

  begun(begun: CallBegun): void {
    const { id, verb, target, actor } = begun;
    const call: RunningCall = { id, verb, target, actor: actor.name, startedAt: this.#now().toISOString(), steps: [] };
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
      actor: actor.name,
      endedAt: this.#now().toISOString(),
      outcome: failure === undefined ? 'ok' : 'failed',
      failure: failure === undefined ? null : { code: failure.code, what: failure.what, why: failure.why },
      durationMs,
    };
    this.#tell(found.begun, { type: 'ended', id, call });
  }

  /** Tells every admin's shell; returns to how many other shells it went. */
  say(actor: Actor, text: string, shell: string | null): number {
    return this.#tellAdmins(
      { type: 'said', name: actor.name, text, at: this.#now().toISOString() },
      shell ?? undefined,
    );
  }

  #tell(begun: CallBegun, notice: Notice): void {
    const told = (actor: Actor): boolean =>
      concerns(begun, actor) && (!this.#crowded || !isAdmin(actor) || notice.type === 'ended');
    // The shell that made the call hears of it as the call's own events and answer.
    for (const [shell, { actor, tell }] of this.#members) if (shell !== begun.shell && told(actor)) tell(notice);
  }

  #tellAdmins(notice: Notice, except?: string): number {
    let told = 0;
    for (const [shell, { actor, tell }] of this.#members) {
      if (!isAdmin(actor) || shell === except) continue;
      tell(notice);
      told++;
    }
    return told;
  }
}

function isAdmin(actor: Actor): boolean {
  return actor.entryPoint !== 'self';
}

/** Admins see everything that is changed; owners what is done to their own containers. */
function concerns({ target }: CallBegun, actor: Actor): boolean {
  return isAdmin(actor) || (target !== null && actor.owns?.includes(target) === true);
}
