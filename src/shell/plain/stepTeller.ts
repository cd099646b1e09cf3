/** Says how far things are: each step once, when it ends, and when it begins only where that is a while ago. */
import { printable, printableLines } from '../../domain/text.ts';
import { stepSentence } from '../items/words.ts';
import type { LiveCall } from '../model/liveCalls.ts';
import { stopped } from './sentences.ts';
import type { StepEvent } from '../../domain/events/callEvent.ts';

/** What takes longer than this is said to be at work, in milliseconds. */
const whileMs = 2000;

export class StepTeller {
  readonly #say: (text: string) => void;
  readonly #told = new WeakSet<StepEvent>();
  /** How many notes of a list were said; the list of an activity is a new one with each note. */
  readonly #notes = new Map<string, number>();
  readonly #toldNotes = new WeakSet<readonly string[]>();
  readonly #later = new Map<string, NodeJS.Timeout>();
  #known: ReadonlySet<string> = new Set();

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  /** What is at work is another thing now. */
  look(liveCalls: readonly LiveCall[]): void {
    const before = this.#known;
    this.#known = new Set(liveCalls.map(({ id }) => id));
    for (const id of before) if (!this.#known.has(id)) this.#forget(id);
    for (const liveCall of liveCalls) {
      if (!liveCall.own) {
        if (!before.has(liveCall.id)) this.#after(liveCall.id, `${printable(liveCall.title)} has begun.`);
        continue;
      }
      for (const step of liveCall.steps) this.#step(liveCall.id, step);
      this.#newNotes(liveCall);
    }
  }

  /** What has ended is told to its end. */
  finish(steps: readonly StepEvent[], notes: readonly string[]): void {
    for (const step of steps) if (step.state !== 'begun') this.#tell(step);
    if (!this.#toldNotes.has(notes)) for (const note of notes) this.#say(stopped(printableLines(note)));
  }

  close(): void {
    for (const timer of this.#later.values()) clearTimeout(timer);
    this.#later.clear();
  }

  #step(id: string, step: StepEvent): void {
    const key = `${id} ${step.index}`;
    if (step.state === 'begun') {
      if (!this.#told.has(step)) this.#after(key, said(step));
      this.#told.add(step);
      return;
    }
    this.#cancel(key);
    this.#tell(step);
  }

  #tell(step: StepEvent): void {
    if (this.#told.has(step)) return;
    this.#told.add(step);
    this.#say(said(step));
  }

  #newNotes({ id, notes }: LiveCall): void {
    for (const note of notes.slice(this.#notes.get(id) ?? 0)) this.#say(stopped(printableLines(note)));
    this.#notes.set(id, notes.length);
    this.#toldNotes.add(notes);
  }

  #after(key: string, text: string): void {
    this.#later.set(
      key,
      setTimeout(() => {
        this.#later.delete(key);
        this.#say(text);
      }, whileMs),
    );
  }

  #cancel(key: string): void {
    clearTimeout(this.#later.get(key));
    this.#later.delete(key);
  }

  #forget(id: string): void {
    this.#notes.delete(id);
    for (const key of [...this.#later.keys()]) if (key === id || key.startsWith(`${id} `)) this.#cancel(key);
  }
}

function said(step: StepEvent): string {
  const detail = step.detail === undefined ? '' : `: ${step.detail}`;
  return stopped(printable(`${stepSentence(step)}${detail}`));
}
