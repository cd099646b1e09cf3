/**
 * Fault injection for the simulated host: which command fails, and how. Tests use it to fail each step of an operation.
 * A plan is passed when the host is opened, or written to a JSON file. The file is read before each command, so that
 * faults can be injected into a running server.
 */
import { readFileSync } from 'node:fs';
import writeFileAtomic from 'write-file-atomic';
import * as z from 'zod';
import { check, misfitText } from '../../domain/check.ts';
import { Failure } from '../../domain/failure.ts';

export const faultModes = [
  /** Exits with 1 and `Error: simulated fault`, without doing the work. */
  'fail-before',
  /** Exits in the same way after doing the work. */
  'fail-after',
  /** Hangs until the time limit or an abort, without doing the work. */
  'hang',
  /** Does the work and then hangs. */
  'hang-after',
  /** Kills this process before the work. */
  'kill-before',
  /** Kills this process after the work, before the answer. */
  'kill-after',
  /**
   * The client fails, hangs to its limit, or dies with this process, while Incus carries on: the work appears in its
   * list of operations and is done a moment later. A command that leaves no work in the server treats these modes as
   * `fail-before`, `hang` and `kill-before`.
   */
  'fail-late',
  'hang-late',
  'kill-late',
  /** Fails as the `incus` client does when its server is down. For other programs the same as `fail-before`. */
  'down',
  /** Fails as shadow-utils do while another program holds the lock on the password files. */
  'lock',
] as const;

export type FaultMode = (typeof faultModes)[number];

const fault = z.strictObject({
  /** Which commands the fault applies to. Default: all. */
  match: z
    .strictObject({
      /** The name of a host program, `jump-keys` or `incus-streams`. */
      program: z.string().optional(),
      /** Text that at least one argument contains. */
      argIncludes: z.string().optional(),
      /** true for commands that change the host, false for commands that only read. */
      changes: z.boolean().optional(),
    })
    .optional(),
  /**
   * Number of the matching command since the host was opened, counted from 1. With `repeat`, every command from that
   * one on. Default: the next one.
   */
  call: z.number().int().min(1).optional(),
  mode: z.enum(faultModes),
  /** Error output of the program, instead of `Error: simulated fault`. */
  message: z.string().optional(),
  /** Keeps the fault in the plan after it has occurred. */
  repeat: z.boolean().optional(),
});

const plan = z.array(fault);

export type Fault = z.infer<typeof fault>;
export type FaultPlan = readonly Fault[];

/** The properties of a command that a fault is matched against. */
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
  #initial: FaultPlan;
  /** Count per distinct command, because a fault that is added later also counts from the opening of the host. */
  readonly #seen = new Map<string, { subject: FaultSubject; times: number }>();

  /** Starts with the plan `initial`. The file at `path` may add faults to it. */
  constructor(initial: FaultPlan, path: string | undefined) {
    this.#initial = initial;
    this.#path = path;
  }

  /**
   * Counts a command and returns its fault, if any. Removes a fault without `repeat` from the plan. The file is written
   * before the fault occurs, so that a process that the fault kills does not meet it again after a restart.
   */
  next(subject: FaultSubject): Fault | undefined {
    this.#count(subject);
    const fromFile = this.#readFile();
    const found = [...this.#initial, ...fromFile].find((candidate) => this.#isDue(candidate, subject));
    if (found === undefined) return undefined;
    if (found.repeat !== true) {
      if (this.#initial.includes(found)) this.#initial = this.#initial.filter((candidate) => candidate !== found);
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
    // An editor may truncate the file before it writes the new text.
    if (text.trim() === '') return [];
    let document: unknown;
    try {
      document = JSON.parse(text);
    } catch {
      throw this.#unusable('not valid JSON');
    }
    const checked = check(plan, document);
    if (checked.misfit === undefined) return checked.value;
    throw this.#unusable(misfitText(checked.misfit, 'the list of faults'));
  }

  #writeFile(faults: FaultPlan): void {
    if (this.#path === undefined) return;
    writeFileAtomic.sync(this.#path, `${JSON.stringify(faults, null, 2)}\n`, { fsync: false });
  }

  #unusable(why: string): Failure {
    return new Failure('settings', {
      what: `fault plan "${this.#path ?? ''}"`,
      why,
      next: 'correct the file, or delete it to run without faults',
    });
  }
}
