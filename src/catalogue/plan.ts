/** `--plan`: which verbs have a plan, the verb as it is when only its plan is wanted, and how a plan is shown. */
import type { Candidate } from '../domain/events/candidate.ts';
import type { Plan, PlannedCommand, PlannedProgram, PlannedStep } from '../domain/results/plan.ts';
import { printable, quoted } from '../domain/text.ts';
import type { AnyVerb } from './catalogue.ts';
import type { Block, Rows } from './declaration/view.ts';
import { joinWords } from './tokens.ts';

/** The names of the common option of all verbs that have a plan, the documented one first. */
export const planNames = ['plan', 'dry-run'] as const;

const planMeaning = 'show what would be run on the host and what undoes it, and do nothing';

/** Returns the names that the option has at a verb: `reconcile` has a `--dry-run` of its own. */
export function planNamesOf(verb: Pick<AnyVerb, 'changes' | 'handsOverTerminal' | 'parameters'>): readonly string[] {
  const own = verb.parameters.flatMap((parameter) => (parameter.kind === 'option' ? parameter.long : []));
  return hasPlan(verb) ? planNames.filter((name) => !own.includes(name)) : [];
}

/** Returns the option as in help; nothing for a verb without a plan. */
export function planOptions(verb: AnyVerb): readonly (readonly [string, string])[] {
  const names = planNamesOf(verb).map((name) => `--${name}`);
  return names.length === 0 ? [] : [[names.join(', '), planMeaning]];
}

/** Returns the option as completion offers it. */
export function planCandidates(verb: AnyVerb): Candidate[] {
  return planNamesOf(verb).map((name) => ({ value: `--${name}`, says: planMeaning }));
}

/** Reports whether a verb has a plan: it changes something, and does not hand a terminal to a person. */
export function hasPlan({ changes, handsOverTerminal }: Pick<AnyVerb, 'changes' | 'handsOverTerminal'>): boolean {
  return changes && handsOverTerminal !== true;
}

/** Returns the verb whose call only makes the plan of `verb`: it reads, asks nothing and results in a {@link Plan}. */
export function planOf(verb: AnyVerb): AnyVerb {
  const { name, aliases, summary, description, examples, access, target, parameters, input, stdin, form, several } =
    verb;
  return {
    name,
    ...(aliases === undefined ? {} : { aliases }),
    summary: `Plan: ${summary}`,
    ...(description === undefined ? {} : { description }),
    examples,
    access,
    changes: false,
    danger: 'none',
    ...(target === undefined ? {} : { target }),
    parameters,
    input,
    ...(stdin === undefined ? {} : { stdin }),
    ...(form === undefined ? {} : { form }),
    ...(several === undefined ? {} : { several }),
    isPlan: true,
    view: planView,
    rows: planRows,
  };
}

function planView({ verb, target, steps, files, notes }: Plan): Block[] {
  const call = target === null ? verb : `${verb} ${target}`;
  const isEmpty = steps.length === 0 && files.length === 0;
  return [
    { kind: 'text', text: `Plan of ${quoted(call, 200)}. Nothing was changed.` },
    ...steps.flatMap((step, i): Block[] => [
      { kind: 'text', text: titleOf(step, i) },
      { kind: 'verbatim', text: linesOf(step).join('\n') },
    ]),
    ...(files.length === 0
      ? []
      : [{ kind: 'text', text: `Files of the server that are rewritten:\n${indented(files)}` } as const]),
    ...(notes.length === 0 ? [] : [{ kind: 'text', text: `Besides:\n${indented(notes)}` } as const]),
    ...(isEmpty && notes.length === 0 ? [{ kind: 'text', text: 'The call would change nothing.' } as const] : []),
    ...(steps.length === 0
      ? []
      : [
          {
            kind: 'text',
            tone: 'quiet',
            text: 'Ids, times, keys and fingerprints that the call makes itself will differ.',
          } as const,
        ]),
  ];
}

function titleOf({ title, step }: PlannedStep, index: number): string {
  return `${index + 1}. ${title}${step === null ? '' : ` (${step})`}`;
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `   ${printable(line)}`).join('\n');
}

/** Returns the lines of a step. All but its commands are comments of a shell, so that a person can paste them. */
function linesOf({ commands, undo }: PlannedStep): string[] {
  const reversal =
    undo === null
      ? ['cannot be undone']
      : undo.length === 0
        ? ['undo: nothing of its own']
        : undo.map((command) => `undo: ${shellLine(command).replace(/^# /, '')}`);
  return [...commands.map(shellLine), ...reversal.map((text) => `# ${text}`)].map(
    // A line break in a word must not look like another command.
    (line) => `   ${printable(line)}`,
  );
}

/** Returns a command as a line for a POSIX shell. */
function shellLine(command: PlannedCommand): string {
  switch (command.kind) {
    case 'program':
      return programLine(command);
    case 'remove':
      return joinWords(['rm', '-f', command.path]);
    case 'write':
      return `# write ${joinWords([command.path])} (${bytesOf(command.bytes ?? 0)})`;
    case 'store':
      return `# store ${command.what} in ${command.where}`;
    case 'delete':
      return `# delete ${command.what} from ${command.where}`;
    case 'import':
      return `# make instance ${command.what} of ${command.where}`;
  }
}

function programLine(command: PlannedProgram): string {
  const { argv, stdin, stdinBytes } = command;
  if (stdin !== null) return `${joinWords(['printf', '%s', stdin])} | ${joinWords(argv)}`;
  if (stdinBytes > 0) return `${joinWords(argv)} # standard input: ${bytesOf(stdinBytes)}`;
  // It would read the lines that are pasted after it.
  const readsPaste = argv[0] === 'incus' && argv[1] === 'exec';
  return `${joinWords(argv)}${readsPaste ? ' </dev/null' : ''}`;
}

function bytesOf(bytes: number): string {
  return bytes === 1 ? '1 byte' : `${bytes} bytes`;
}

function planRows({ steps }: Plan): Rows {
  return {
    columns: ['number', 'title', 'step', 'does', 'command'],
    rows: steps.flatMap(({ title, step, commands, undo }, i) =>
      [
        ...commands.map((command) => ['run', command] as const),
        ...(undo ?? []).map((command) => ['undo', command] as const),
      ].map(([does, command]) => [i + 1, title, step, does, shellLine(command)]),
    ),
  };
}
