/** The answers of simulated programs: what the real program prints, and whether the state changed. */
import type { Output } from '../../host/runner.ts';
import type { HostState } from '../state/state.ts';

export interface Answer extends Output {
  /** Whether the state was changed and must be saved. */
  readonly changed: boolean;
}

export interface Invocation {
  readonly args: readonly string[];
  /** Standard input, or an empty string. */
  readonly input: string;
}

/** What a simulated program can see. It changes `state` in place and reports that in its answer. */
export interface World {
  readonly state: HostState;
  readonly nowMs: number;
  /** Reports a lifecycle event by Incus's name for it. `instance` is null for events of images. */
  readonly emit: (action: string, instance: string | null) => void;
}

/** Work that the server carries on with when its client is gone, as its list of operations shows it. */
export interface Background {
  readonly description: string;
  /** The command, reduced to the part that the server does. */
  readonly args: readonly string[];
  readonly instance?: string;
}

export interface SimulatedProgram {
  /** Whether a command line may change the host, judged before it runs. */
  changes(args: readonly string[]): boolean;
  /** Whether the real program takes seconds rather than milliseconds. */
  isLong(args: readonly string[]): boolean;
  background?(args: readonly string[]): Background | undefined;
  run(world: World, invocation: Invocation): Answer;
}

/** Returns a successful answer that changed nothing. */
export function printed(stdout: string): Answer {
  return { stdout, stderr: '', exitCode: 0, changed: false };
}

/** Returns a successful answer that changed the state. */
export function done(stdout = ''): Answer {
  return { stdout, stderr: '', exitCode: 0, changed: true };
}

/** Returns an error that changed nothing. */
export function refused(exitCode: number, stderr: string): Answer {
  return { stdout: '', stderr: stderr === '' ? '' : `${stderr}\n`, exitCode, changed: false };
}

/** Returns an error as the `incus` client prints it. */
export function incusError(message: string): Answer {
  return refused(1, `Error: ${message}`);
}

/** Thrown in a simulated program to end it with an answer. The state must be unchanged by then. */
export class Refusal extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(answer.stderr.trim());
    this.name = 'Refusal';
    this.answer = answer;
  }
}

/** Returns a {@link Refusal} with an error of the `incus` client. */
export function incusRefusal(message: string): Refusal {
  return new Refusal(incusError(message));
}

/** Runs a program's body and turns a {@link Refusal} into its answer. */
export function catchRefusal(body: () => Answer): Answer {
  try {
    return body();
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}
