/**
 * Faults on demand: which command of the simulated host goes wrong, and how. For tests that fail every step of an
 * operation, and for trying out what happens. A plan is given at opening, and in a JSON file that is read again before
 * each command, so that a running server can be given one.
 */
import { readFileSync } from 'node:fs';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { Failure } from '../../domain/failure.ts';

export const faultModes = [
  /** Exit code 1 and `Error: simulated fault`, nothing done. */
  'fail-before',
  /** The same, although the work was done. */
  'fail-after',
  /** No answer until the time limit or an abort, nothing done. */
  'hang',
  /** No answer although the work was done. */
  'hang-after',
  /** This process is killed before the work. */
  'kill-before',
  /** This process is killed after the work, before the answer. */
  'kill-after',
  /**
   * The client fails, hangs to its limit, or dies with this process, while Incus goes on by itself: the work is listed
   * among its operations and done a moment later. For commands that leave no such work these are `fail-before`, `hang`
   * and `kill-before`.
   */
  'fail-late',
  'hang-late',
  'kill-late',
  /** What the `incus` client says when its server is not running; for other programs `fail-before`. */
  'down',
  /** shadow-utils' answer while another program holds the lock of the password files. */
  'lock',
] as const;

export type FaultMode = (typeof faultModes)[number];

const fault = z.strictObject({
  /** Which commands it is about; without it every one. */
  match: z
    .strictObject({
      /** A host program, `jump-keys`, or `incus-streams`. */
      program: z.string().optional(),
      /** A text that one of the arguments contains. */
      argIncludes: z.string().optional(),
      /** Only commands of a kind that changes the host, or only those that do not. */
      changes: z.boolean().optional(),
    })
    .optional(),
  /**
   * Only the n-th matching command since opening, counted from 1; with `repeat` every one from there on. Without it:
   * the next.
   */
  call: z.number().int().min(1).optional(),
  mode: z.enum(faultModes),
  /** What a program that fails says, instead of `Error: simulated fault`. */
  message: z.string().optional(),
  /** Not used up by happening once. */
  repeat: z.boolean().optional(),
});

const plan = z.array(fault);

export type Fault = z.infer<typeof fault>;
export type FaultPlan = readonly Fault[];

/** What faults are matched against. */
export interface FaultSubject {
  readonly program: string;
  readonly args: readonly string[];
  readonly changes: boolean;
}

function matches({ match }: Fault, subject: FaultSubject): boolean {
  if (match === undefined) return true;
  if (match.program !== undefined && match.program !== subject.program) return false;
  if (match.changes !== undefined && match.changes !== subject.changes) return false;
  const { argIncludes } = match;
  return argIncludes === undefined || subject.args.some((argument) => argument.includes(argIncludes));
}

export class Faults {
  readonly #path: string | undefined;
  #given: FaultPlan;
  /** How often each different command was seen, so that a fault given later counts from opening too. */
  readonly #seen = new Map<string, { subject: FaultSubject; times: number }>();

  /** `given` is the plan from the start; `path` names the file that may add to it. */
  constructor(given: FaultPlan, path: string | undefined) {
    this.#given = given;
    this.#path = path;
  }

  /**
   * Counts a command and returns what is to go wrong with it. A fault without `repeat` is used up by this: one from the
   * file is taken out of the file first, so that a process killed by it does not meet it again when it comes back.
   */
  next(subject: FaultSubject): Fault | undefined {
    this.#count(subject);
    const fromFile = this.#readFile();
    const found = [...this.#given, ...fromFile].find((candidate) => this.#isDue(candidate, subject));
    if (found === undefined) return undefined;
    if (found.repeat !== true) {
      if (this.#given.includes(found)) this.#given = this.#given.filter((candidate) => candidate !== found);
      else this.#writeFile(fromFile.filter((candidate) => candidate !== found));
    }
    return found;
  }

  #count(subject: FaultSubject): void {
    const key = JSON.stringify([subject.program, subject.changes, ...subject.args]);
    const known = this.#seen.get(key);
    if (known === undefined) this.#seen.set(key, { subject, times: 1 });
    else known.times += 1;
  }

  #isDue(candidate: Fault, subject: FaultSubject): boolean {
    if (!matches(candidate, subject)) return false;
    if (candidate.call === undefined) return true;
    let times = 0;
    for (const seen of this.#seen.values()) if (matches(candidate, seen.subject)) times += seen.times;
    return candidate.repeat === true ? times >= candidate.call : times === candidate.call;
  }

  #readFile(): FaultPlan {
    if (this.#path === undefined) return [];
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw this.#unusable(error instanceof Error ? error.message : String(error));
    }
    // A file that is just being rewritten may be empty for a moment.
    if (text.trim() === '') return [];
    let document: unknown;
    try {
      document = JSON.parse(text);
    } catch {
      throw this.#unusable('it is not JSON');
    }
    const parsed = plan.safeParse(document);
    if (parsed.success) return parsed.data;
    throw this.#unusable(z.prettifyError(parsed.error).split('\n')[0] ?? 'it is not a list of faults');
  }

  #writeFile(faults: FaultPlan): void {
    if (this.#path === undefined) return;
    writeFileAtomic.sync(this.#path, `${JSON.stringify(faults, null, 2)}\n`, { fsync: false });
  }

  #unusable(why: string): Failure {
    return new Failure('settings', {
      what: `fault plan "${this.#path ?? ''}"`,
      why,
      next: 'Correct the file, or delete it to have no faults.',
    });
  }
}
