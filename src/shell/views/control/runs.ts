/** Verbs on one or several containers: a few at a time, and what became of them in a sentence. */
import type { AnyVerb } from '../../../catalogue/catalogue.ts';
import type { Tone } from '../../../catalogue/declaration/view.ts';
import { Failure } from '../../../domain/failure.ts';
import { signs } from '../../items/theme.ts';
import { showDuration } from '../../items/words.ts';
import type { CallEnd } from '../../model/verbCall.ts';
import { commandLine } from '../model/command.ts';

export interface Message {
  readonly tone: Tone;
  readonly text: string;
}

export interface RunRequest {
  readonly verb: AnyVerb;
  readonly inputs: readonly Readonly<Record<string, unknown>>[];
}

export type Run = (verb: AnyVerb, input: Readonly<Record<string, unknown>>, line: string) => Promise<CallEnd>;

/** The host does several at once, but starting fifty containers in the same moment makes each of them slow. */
const atOnce = 4;

/** How the commands read that are being run. */
export function linesOf({ verb, inputs }: RunRequest): string[] {
  return inputs.map((input) => commandLine(verb, input));
}

/** Runs all of them and resolves with how each ended, in their order. */
export async function runAll(request: RunRequest, run: Run): Promise<CallEnd[]> {
  const lines = linesOf(request);
  const ends: CallEnd[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < request.inputs.length; i = next++)
      ends[i] = await run(request.verb, request.inputs[i] ?? {}, lines[i] ?? '');
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, request.inputs.length) }, work));
  return ends;
}

/** What is said of it in the footer. */
export function outcome(lines: readonly string[], ends: readonly CallEnd[], elapsedMs: number): Message {
  const failures = ends.flatMap((end, i) =>
    end.kind === 'failed' ? [{ line: lines[i] ?? '', failure: end.failure }] : [],
  );
  const [first] = failures;
  if (first === undefined) {
    const what = lines.length === 1 ? (lines[0] ?? '') : `${lines.length} commands: ${lines.join(', ')}`;
    return { tone: 'good', text: `${signs.done} ${what} · done in ${showDuration(elapsedMs)}` };
  }
  const { line, failure } = first;
  const why = `${failure.why}${failure.next === undefined ? '' : `; ${failure.next}`}`;
  if (lines.length === 1) return { tone: 'bad', text: `${signs.failed} ${line}: ${why}` };
  return { tone: 'bad', text: `${signs.failed} ${failures.length} of ${lines.length} failed. ${line}: ${why}` };
}

export function commandMessage(lines: readonly string[]): Message {
  return { tone: 'plain', text: `${signs.prompt} ${lines.join(', ')}` };
}

export function failureMessage(error: unknown): Message {
  const { what, why } = Failure.from(error);
  return { tone: 'bad', text: `${what}: ${why}` };
}
