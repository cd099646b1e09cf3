/** How a simulated program answers: what the real one would have printed, and whether the host is now another. */
import type { Output } from '../../host/runner.ts';
import type { HostState } from '../state/state.ts';

export interface Answer extends Output {
  /** The state was changed and has to be saved. */
  readonly changed: boolean;
}

export interface Invocation {
  readonly args: readonly string[];
  /** Standard input; empty where none was given. */
  readonly input: string;
}

/** Everything a simulated program may look at. It changes `state` in place and says so in its answer. */
export interface World {
  readonly state: HostState;
  readonly nowMs: number;
  /** Tells of a lifecycle event, by the name that Incus gives it; null where it is about no instance. */
  readonly happened: (action: string, instance: string | null) => void;
}

export interface Background {
  readonly description: string;
  /** The part of the command that the server does. */
  readonly args: readonly string[];
  readonly instance?: string;
}

export interface SimulatedProgram {
  /** Whether this command line is of a kind that changes the host, known before it runs. */
  changes(args: readonly string[]): boolean;
  /** Whether the real one takes seconds rather than milliseconds. */
  isLong(args: readonly string[]): boolean;
  /** For work that goes on in a server when its client is gone: what the server's list of operations says of it. */
  background?(args: readonly string[]): Background | undefined;
  run(world: World, invocation: Invocation): Answer;
}

/** An answer on standard output that changed nothing. */
export function printed(stdout: string): Answer {
  return { stdout, stderr: '', exitCode: 0, changed: false };
}

/** A change that was made. */
export function done(stdout = ''): Answer {
  return { stdout, stderr: '', exitCode: 0, changed: true };
}

/** A refusal: nothing was changed. */
export function refused(exitCode: number, stderr: string): Answer {
  return { stdout: '', stderr: stderr === '' ? '' : `${stderr}\n`, exitCode, changed: false };
}

/** A refusal as the `incus` client prints it. */
export function incusError(message: string): Answer {
  return refused(1, `Error: ${message}`);
}

/** Thrown inside a simulated program to end it with an answer; nothing must have been changed before. */
export class Refusal extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(answer.stderr.trim());
    this.name = 'Refusal';
    this.answer = answer;
  }
}

/** Ends the `incus` client with an error. */
export function incusRefusal(message: string): Refusal {
  return new Refusal(incusError(message));
}

/** Runs a program's body, turning a {@link Refusal} into its answer. */
export function answering(body: () => Answer): Answer {
  try {
    return body();
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}
