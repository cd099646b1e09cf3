/** Announces the progress of calls: each step once when it ends, and also when it has run for a while. */
import { printable, printableLines } from '../../domain/text.ts';
import { stepSentence } from '../items/words.ts';
import type { LiveCall } from '../model/liveCalls.ts';
import { stopped } from './sentences.ts';
import type { StepEvent } from '../../domain/events/callEvent.ts';

/** How long a step or another admin's call runs before it is announced, in milliseconds. */
const announceAfterMs = 2000;

export class StepAnnouncer {
  readonly #say: (text: string) => void;
  readonly #announced = new WeakSet<StepEvent>();
  /** How many notes of each call were announced. */
  readonly #notes = new Map<string, number>();
  readonly #announcedNotes = new WeakSet<readonly string[]>();
  readonly #later = new Map<string, NodeJS.Timeout>();
  #known: ReadonlySet<string> = new Set();

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  /** Called when the live calls have changed. */
  update(liveCalls: readonly LiveCall[]): void {
    const before = this.#known;
    this.#known = new Set(liveCalls.map(({ id }) => id));
    for (const id of before) if (!this.#known.has(id)) this.#forget(id);
    for (const liveCall of liveCalls) {
      if (!liveCall.own) {
        if (!before.has(liveCall.id)) this.#after(liveCall.id, `${printable(liveCall.title)} has started.`);
        continue;
      }
      for (const step of liveCall.steps) this.#step(liveCall.id, step);
      this.#newNotes(liveCall);
    }
  }

  /** Announces the remaining steps and notes of a call that has ended. */
  finish(steps: readonly StepEvent[], notes: readonly string[]): void {
    for (const step of steps) if (step.state !== 'begun') this.#announce(step);
    if (!this.#announcedNotes.has(notes)) for (const note of notes) this.#say(stopped(printableLines(note)));
  }

  close(): void {
    for (const timer of this.#later.values()) clearTimeout(timer);
    this.#later.clear();
  }

  #step(id: string, step: StepEvent): void {
    const key = `${id} ${step.index}`;
    if (step.state === 'begun') {
      if (!this.#announced.has(step)) this.#after(key, sentenceOf(step));
      this.#announced.add(step);
      return;
    }
    this.#cancel(key);
    this.#announce(step);
  }

  #announce(step: StepEvent): void {
    if (this.#announced.has(step)) return;
    this.#announced.add(step);
    this.#say(sentenceOf(step));
  }

  #newNotes({ id, notes }: LiveCall): void {
    for (const note of notes.slice(this.#notes.get(id) ?? 0)) this.#say(stopped(printableLines(note)));
    this.#notes.set(id, notes.length);
    this.#announcedNotes.add(notes);
  }

  #after(key: string, text: string): void {
    this.#later.set(
      key,
      setTimeout(() => {
        this.#later.delete(key);
        this.#say(text);
      }, announceAfterMs),
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

function sentenceOf(step: StepEvent): string {
  const detail = step.detail === undefined ? '' : `: ${step.detail}`;
  return stopped(printable(`${stepSentence(step)}${detail}`));
}
