/**
 * Output that clients have not taken yet, which waits in this process's memory. A client may be slow, or not read for a
 * while, as behind a pager. But what one person leaves unread, over all their connections, is limited, and so is the
 * time for which a client takes nothing.
 */
import { personOf, type Actor } from '../domain/access/actor.ts';
import { durationInWords } from '../domain/values/duration.ts';
import { TimeLimit } from './timeLimit.ts';

/** In bytes. */
export interface UnreadLimits {
  readonly all: number;
  /** How much the owners at self@ may leave unread together. */
  readonly ofOwners: number;
  /** One connection may have half of it. */
  readonly perAdmin: number;
  readonly perOwner: number;
}

const mib = 2 ** 20;

/**
 * The longest answer is one of the journal (`maxAnswerBytes` in service/audit.ts), which owners cannot ask for. The
 * unit of the front may have 1 GiB.
 */
const defaultLimits: UnreadLimits = { all: 384 * mib, ofOwners: 192 * mib, perAdmin: 96 * mib, perOwner: 32 * mib };

/** What each person may leave unread even if everybody together leaves too much, in bytes. */
const fairBytes = mib;

export interface UnreadOptions {
  /** How long a client may take nothing while output waits, in milliseconds; 0 means no limit. */
  readonly unreadMs: number;
  readonly limits?: UnreadLimits;
}

/** How a connection ends because of its output. */
export interface UnreadEnds {
  /** Called when the client took nothing for too long. */
  readonly stalled: (reason: string) => void;
  /** Whether the client has taken something since the last question, if {@link UnreadOutput.taken} comes late. */
  readonly isTaking?: () => boolean;
  /** Called when too much waits. The connection has to drop its output at once. */
  readonly full: (reason: string) => void;
}

/** What one person leaves unread. */
class Person {
  readonly name: string;
  readonly isOwner: boolean;
  readonly outputs = new Set<UnreadOutput>();
  bytes = 0;

  constructor(name: string, isOwner: boolean) {
    this.name = name;
    this.isOwner = isOwner;
  }
}

/** The unread output of all connections. */
export class UnreadOutputs {
  readonly #unreadMs: number;
  readonly #limits: UnreadLimits;
  readonly #people = new Map<string, Person>();
  #bytes = 0;
  #bytesOfOwners = 0;

  constructor({ unreadMs, limits = defaultLimits }: UnreadOptions) {
    this.#unreadMs = unreadMs;
    this.#limits = limits;
  }

  /** Begins to count for a connection. */
  open(ends: UnreadEnds): UnreadOutput {
    return new UnreadOutput(this, ends, this.#unreadMs);
  }

  /** For UnreadOutput: counts it among those of a person. */
  join(output: UnreadOutput, actor: Pick<Actor, 'name' | 'entryPoint'>): Person {
    const name = personOf(actor);
    const person = this.#people.get(name) ?? new Person(name, actor.entryPoint === 'self');
    this.#people.set(name, person);
    person.outputs.add(output);
    this.change(person, output.bytes);
    return person;
  }

  /** For UnreadOutput: counts it no more. */
  leave(output: UnreadOutput, person: Person): void {
    person.outputs.delete(output);
    this.change(person, -output.bytes);
    if (person.outputs.size === 0) this.#people.delete(person.name);
  }

  /** For UnreadOutput: more output waits, or less. */
  change(person: Person, bytes: number): void {
    person.bytes += bytes;
    this.#bytes += bytes;
    if (person.isOwner) this.#bytesOfOwners += bytes;
  }

  /** For UnreadOutput: ends connections until the limits hold again. */
  check(output: UnreadOutput, person: Person): void {
    const { all, ofOwners, perAdmin, perOwner } = this.#limits;
    const perPerson = person.isOwner ? perOwner : perAdmin;
    if (output.bytes > perPerson / 2) output.cutOff(output.bytes);
    while (person.bytes > perPerson) firstStalled(person).cutOff(person.bytes);
    while (this.#bytesOfOwners > ofOwners && this.#endOneOf(({ isOwner }) => isOwner));
    while (this.#bytes > all && this.#endOneOf(() => true));
  }

  /** Ends a connection of the person who leaves most unread. Returns false if nobody leaves much. */
  #endOneOf(isCounted: (person: Person) => boolean): boolean {
    const people = [...this.#people.values()].filter(isCounted);
    const heaviest = people.reduce((a, b) => (b.bytes > a.bytes ? b : a));
    if (heaviest.bytes <= fairBytes) return false;
    firstStalled(heaviest).cutOff(heaviest.bytes);
    return true;
  }
}

/** Returns the connection with unread output that has taken nothing for the longest time. */
function firstStalled({ outputs }: Person): UnreadOutput {
  return [...outputs].filter(({ bytes }) => bytes > 0).reduce((a, b) => (b.takenAtMs < a.takenAtMs ? b : a));
}

/** The unread output of one connection. */
export class UnreadOutput {
  readonly #all: UnreadOutputs;
  readonly #ends: UnreadEnds;
  readonly #limit: TimeLimit;
  readonly #listeners = new Set<() => void>();
  #person: Person | undefined;
  #bytes = 0;
  #takenAtMs = performance.now();
  #isClosed = false;

  constructor(all: UnreadOutputs, ends: UnreadEnds, unreadMs: number) {
    this.#all = all;
    this.#ends = ends;
    this.#limit = new TimeLimit({
      limitMs: unreadMs,
      isBusy: () => this.#bytes === 0 || ends.isTaking?.() === true,
      warn: () => undefined,
      end: () => ends.stalled(`none of the waiting output was read for ${durationInWords(unreadMs)}`),
    });
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** When the client last took something, or had taken everything. */
  get takenAtMs(): number {
    return this.#takenAtMs;
  }

  /** Counts the connection among those of its person from now on. */
  belongsTo(actor: Pick<Actor, 'name' | 'entryPoint'>): void {
    if (this.#isClosed || this.#person !== undefined) return;
    this.#person = this.#all.join(this, actor);
    this.#all.check(this, this.#person);
  }

  /** Calls `listener` when the connection has to drop its output. */
  onFull(listener: () => void): void {
    this.#listeners.add(listener);
  }

  offFull(listener: () => void): void {
    this.#listeners.delete(listener);
  }

  /** Output waits. */
  add(bytes: number): void {
    if (this.#isClosed) return;
    if (this.#bytes === 0) this.progressed();
    this.#change(bytes);
    if (this.#person !== undefined) this.#all.check(this, this.#person);
  }

  /** The client has taken output, or it was dropped. */
  taken(bytes: number): void {
    if (this.#isClosed || bytes === 0) return;
    this.#change(-bytes);
    this.progressed();
  }

  /** The client has taken part of what waits. */
  progressed(): void {
    this.#takenAtMs = performance.now();
    this.#limit.touch();
  }

  /** For UnreadOutputs: ends the connection. */
  cutOff(bytes: number): void {
    if (this.#isClosed) return;
    const listeners = [...this.#listeners];
    this.close();
    for (const listener of listeners) listener();
    this.#ends.full(`${Math.ceil(bytes / mib)} MiB of output are unread: read them, or close the connections`);
  }

  /** The connection is closed. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#limit.stop();
    this.#listeners.clear();
    if (this.#person !== undefined) this.#all.leave(this, this.#person);
    this.#bytes = 0;
  }

  #change(bytes: number): void {
    this.#bytes += bytes;
    if (this.#person !== undefined) this.#all.change(this.#person, bytes);
  }
}
