/**
 * Runs one command line, from words to exit code, for an SSH exec request or the command line on the host. Data goes to
 * standard output, sentences go to standard error; with --json exactly one document goes to standard output.
 */
import { join } from 'node:path';
import { readStakes, type Facts } from '../catalogue/atStake.ts';
import { mayUse, type AnyVerb, type VerbName } from '../catalogue/catalogue.ts';
import { commandOf } from '../catalogue/commandOf.ts';
import type { Ask } from '../catalogue/completion.ts';
import { onTerminal } from '../catalogue/help.ts';
import { wantedFormat, type Format } from '../catalogue/format.ts';
import type { Invocation } from '../catalogue/commanderProgram.ts';
import { commandName, parseCommandLine } from '../catalogue/parse.ts';
import { refuseFiles, wantsStdin, warningOf, wordToConfirm } from '../catalogue/declaration/verb.ts';
import { loadFormat } from '../catalogue/loadFormat.ts';
import { renderAnswer, renderFailure } from '../catalogue/render.ts';
import { askAboutSeveral, isAboutSeveral } from '../catalogue/selection.ts';
import type { Actor } from '../domain/access/actor.ts';
import { Failure } from '../domain/failure.ts';
import { isMeantAsKey } from '../domain/keys/keyText.ts';
import { joinChoices, printable, printableLines, quoted } from '../domain/text.ts';
import type { HandedOverTerminal } from '../domain/terminal.ts';
import { eitherSignal } from '../domain/signals.ts';
import type { CoreClient } from '../protocol/client.ts';
import { byteTerminal, requireBytes } from './bytes.ts';
import { completeCommand } from './completionScripts.ts';
import { showHelp } from './help.ts';
import { interruptible, type Interrupts } from './interrupts.ts';
import { moreDetail } from './moreDetail.ts';
import { OutputLines } from './outputLines.ts';
import { progressText } from './progress.ts';
import { typedAgain } from './typedAgain.ts';

export interface CommandIo {
  /** True when a person is at a terminal and can be asked. */
  readonly terminal: boolean;
  stdout(text: string): void;
  stderr(text: string): void;
  /** Reads standard input to its end. Rejects with `input-too-large`, `missing-key` on a timeout, or `cancelled`. */
  readStdin(maxBytes: number): Promise<string>;
  /** Asks for one line on the terminal. Rejects with `cancelled` on Ctrl-C or end of input. */
  ask(question: string): Promise<string>;
  /** Hands the terminal over to a program in a container. Absent when the caller has no terminal. */
  handOver?(): HandedOverTerminal;
  /** Writes bytes to standard output, and resolves when they are taken. Absent where it is a terminal or takes text. */
  bytes?(data: Buffer): Promise<void>;
  /** Reads and writes the caller's files. Absent over ssh, where the command runs on the jump host. */
  readonly files?: {
    read(path: string): Promise<string>;
    /** Makes a folder and its missing parents, which only the caller can read. */
    makeFolder(path: string): Promise<void>;
    /**
     * Writes a file that only the caller can read. Makes its folder and missing parents, for everyone to read. Rejects
     * if it exists and has to be new.
     */
    write(path: string, text: string, options?: { readonly isNew: boolean }): Promise<void>;
  };
}

export interface CommandOptions {
  readonly words: readonly string[];
  /** Whether there was an empty word that is not among the words. */
  readonly hasEmptyWord?: boolean;
  readonly actor: Actor;
  readonly core: CoreClient;
  readonly io: CommandIo;
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal;
  readonly interrupts: Interrupts;
  /** What the caller types before the verb, for help and messages: `ssh -p 2222 manage@jump`, or `containarium`. */
  readonly prefix: string;
  /** Whether it is the first command of the login: a simulated host is mentioned once. */
  readonly isFirst: boolean;
  /** Asks the host for names, for completion. */
  readonly candidates?: Ask;
  /** The address under which the caller reached this server. */
  readonly reachedAt?: string;
  /** Counts time that parsing and rendering took, in milliseconds. */
  readonly spend?: (ms: number) => void;
}

/** Limit of standard input, which carries public keys. */
const maxStdinBytes = 64 * 1024;

/** How long standard input may be missing before the caller is told that it is awaited, in milliseconds. */
const silenceMs = 2000;

/** Runs one command line. Resolves with its exit code; never rejects. */
export async function runCommand(options: CommandOptions): Promise<number> {
  const { words, io, core } = options;
  if (words[0] === completeCommand) {
    const { completions } = await import('./completions.ts');
    io.stdout(await completions(words.slice(1), options.actor, options.candidates));
    return 0;
  }
  let format: Format = wantedFormat(words);
  let invocation: Invocation | undefined;
  let lines: OutputLines | undefined;
  const startedAt = performance.now();
  await loadFormat(format);
  try {
    invocation = counted(options, () =>
      parseCommandLine(words, options.actor, { hasEmptyWord: options.hasEmptyWord === true }),
    );
    format = invocation.format;
    await loadFormat(format);
    const allowed = mayUse(invocation.verb, options.actor.entryPoint, options.actor.role);
    const asked = invocation;
    if (allowed && (asked.help || asked.verb.answeredLocally))
      return counted(options, () => showHelp(options, asked, core.greeting.host));
    // Core refuses and records a verb that the caller may not use, so no input is read for it.
    if (allowed) requireTerminal(options, invocation);
    if (allowed) requireBytes(options, invocation);
    if (allowed && io.files === undefined) refuseFiles(invocation.verb, invocation.input, insteadOfFiles);
    const input = allowed ? await completeInput(options, invocation) : {};
    const output = outputFile(options, input);
    const folder = await outputFolder(options, invocation.verb, input);
    const terminal = allowed ? terminalFor(invocation.verb, io) : undefined;
    const { verb } = invocation;
    const isStream = verb.streamSwitch !== undefined && input[verb.streamSwitch] === true;
    if (isStream && format === 'json')
      lines = new OutputLines(verb.name, core.greeting.host, (text) => io.stdout(text));
    const { signal: gone, interrupts, actor } = options;
    const interrupted = {
      ...{ verb, input, terminal, entryPoint: actor.entryPoint, signal: gone, interrupts },
      say: (text: string) => io.stderr(text),
    };
    const answer = await interruptible(interrupted, ({ signal, cancelled }) =>
      core.call(
        {
          actor: options.actor,
          verb: verb.name,
          input,
          cancelled,
          ...(verb.isPlan === true ? { plan: true } : {}),
          ...(options.reachedAt === undefined ? {} : { reachedAt: options.reachedAt }),
        },
        (event) => {
          if (event.type !== 'output') io.stderr(progressText(event, io.terminal));
          else if (lines === undefined) io.stdout(printableLines(event.text));
          else lines.print(event.text);
        },
        signal,
        terminal,
      ),
    ).finally(() => terminal?.giveBack());
    const result = folder === undefined ? answer.result : await folder(answer.result);
    const render = (as: Format) =>
      counted(options, () =>
        renderAnswer({ verb, input, ...answer, result }, as, core.greeting.host, {
          now: new Date(),
          terminal: io.terminal,
        }),
      );
    const rendered = render(format);
    if (verb.sendsBytes === true) {
      io.stderr(rendered.stdout);
      return rendered.exitCode;
    }
    if (output !== undefined) await output(render('table').stdout);
    lines?.end();
    // What was streamed has been shown.
    if (!isStream && (output === undefined || format !== 'table')) io.stdout(rendered.stdout);
    if (invocation.verbose === true) io.stderr(moreDetail(answer.journal, performance.now() - startedAt));
    if (options.isFirst && core.greeting.host.simulated && format === 'table')
      io.stderr(`(simulated host: ${core.greeting.host.why})\n`);
    return rendered.exitCode;
  } catch (error) {
    const failure = withCommand(Failure.from(error), options, invocation);
    if (lines !== undefined) {
      lines.fail(failure);
      return failure.exitCode;
    }
    const command = invocation?.verb.name ?? commandName(words);
    const rendered = renderFailure(failure, command, format, core.greeting.host);
    if (rendered.stdout !== '') io.stdout(rendered.stdout);
    if (rendered.stderr !== '') io.stderr(rendered.stderr);
    if (invocation?.verbose === true) io.stderr(moreDetail(undefined, performance.now() - startedAt, failure.details));
    return rendered.exitCode;
  }
}

/** Returns what `act` returns, and counts how long that took, also if it throws. */
function counted<T>({ spend }: CommandOptions, act: () => T): T {
  const beganMs = performance.now();
  try {
    return act();
  } finally {
    spend?.(performance.now() - beganMs);
  }
}

/**
 * Completes the advice of a call that got no key: the command that sends one, and the options of the verb that make a
 * key unnecessary.
 */
function withCommand(failure: Failure, { words, prefix }: CommandOptions, call: Invocation | undefined): Failure {
  if (failure.code !== 'missing-key' || call?.verb.stdin === undefined) return failure;
  const { parameters, stdin, form } = call.verb;
  if (stdin.onlyAsked === true) {
    const option = parameters.find((p) => p.kind === 'option' && p.name === stdin.into);
    const long = option?.kind === 'option' ? `--${option.long[0]}` : '';
    const next = `name the file that has ${stdin.for}, or send it on standard input with ${long} -`;
    return new Failure(failure.code, { ...failure.toData(), next }, failure.cause);
  }
  const options = parameters.filter((p) => p.kind === 'option');
  // One of these is required too, unless it can be the key.
  const wanted = form?.oneOf?.includes(stdin.into) === false ? form.oneOf : [];
  const required = options
    .filter((p) => wanted[0] === p.name && wanted.every((name) => call.input[name] === undefined))
    .map((p) => ` --${p.long[0]} <${p.value ?? p.name}>`);
  const others = options.filter((p) => stdin.unless?.includes(p.name) === true).map((p) => `--${p.long[0]}`);
  const instead = others.length === 0 ? '' : `; or give ${joinChoices(others)} instead`;
  const command = `${prefix} ${typedAgain(words, call)}${required.join('')} < key.pub`;
  const next = `${failure.next ?? 'send it on standard input'}: ${command}${instead}`;
  return new Failure(failure.code, { ...failure.toData(), next }, failure.cause);
}

/** Refuses a verb or view that needs a terminal where there is none, before any input is read. */
function requireTerminal({ io, prefix, words, actor: { entryPoint } }: CommandOptions, call: Invocation): void {
  const { verb, input } = call;
  const view = verb.viewSwitch !== undefined && input[verb.viewSwitch] === true ? ` --${verb.viewSwitch}` : undefined;
  if (view === undefined && (verb.handsOverTerminal !== true || io.handOver !== undefined)) return;
  if (view !== undefined && entryPoint === 'remote')
    throw new Failure('usage', {
      what: quoted(`${verb.name}${view}`),
      why: 'the remote interface has no live views',
      next: `use it over ssh: ssh -t -p 2222 manage@HOST ${verb.name}${view}`,
    });
  throw new Failure('usage', {
    what: quoted(`${verb.name}${view ?? ''}`),
    why: 'it needs a terminal',
    next: `run it in a terminal: ${onTerminal(prefix)} ${typedAgain(words, call)}`,
  });
}

/** Returns what takes the output of a program or of bytes, for a verb that needs it. */
function terminalFor(verb: AnyVerb, io: CommandIo): HandedOverTerminal | undefined {
  if (verb.handsOverTerminal === true) return io.handOver?.();
  return verb.sendsBytes === true ? byteTerminal(io) : undefined;
}

/** Completes the input of a verb: keys from standard input or a file, and the confirmation from the caller. */
async function completeInput(options: CommandOptions, { verb, input }: Invocation): Promise<Record<string, unknown>> {
  const { io } = options;
  const full: Record<string, unknown> = { ...input };
  const { stdin } = verb;
  if (stdin !== undefined) {
    const given = full[stdin.into];
    if (wantsStdin(verb, full)) {
      if (io.terminal) io.stderr(`Paste ${stdin.for}; end with Ctrl-D:\n`);
      // A person who forgot "< key.pub" sees why nothing happens; without a terminal of its own, no prompt was shown.
      const silent = io.terminal
        ? undefined
        : setTimeout(() => io.stderr(`Waiting on standard input for ${stdin.for}; end with Ctrl-D.\n`), silenceMs);
      full[stdin.into] = await io.readStdin(maxStdinBytes).finally(() => clearTimeout(silent));
    } else if (typeof given === 'string' && io.files !== undefined && !isMeantAsKey(given)) {
      full[stdin.into] = await io.files.read(given);
    }
  }
  for (const parameter of verb.parameters) {
    const path = full[parameter.name];
    if (parameter.kind !== 'option' || parameter.file !== 'read' || typeof path !== 'string') continue;
    full[parameter.name] = await io.files?.read(path);
  }
  const read = async (reader: VerbName, wanted: Readonly<Record<string, unknown>>): Promise<unknown> => {
    using either = eitherSignal(options.signal, options.interrupts.first);
    const call = { actor: options.actor, verb: reader, input: wanted };
    return (await options.core.call(call, () => undefined, either.signal)).result;
  };
  if (verb.changes && isAboutSeveral(verb, full))
    return full['yes'] === true || !io.terminal ? full : confirmSeveral(options, verb, full, read);
  // Without a valid name core refuses the call, so there is nothing to confirm.
  const name = wordToConfirm(verb, full);
  if (verb.danger === 'type-name' && full['yes'] !== true && io.terminal && name !== null) {
    const facts = await readStakes(verb, full, options.actor, read);
    io.stderr(factLines(facts));
    full['confirm'] = (await io.ask(`${verb.summary}. ${warningOf(verb, full)}\nType "${name}" to continue: `)).trim();
  }
  return full;
}

/**
 * Shows the containers that a call would change, and asks for their number. Resolves with the input for these. Rejects
 * with `confirmation-mismatch` if another word is typed.
 */
async function confirmSeveral(
  { io, actor }: CommandOptions,
  verb: AnyVerb,
  input: Record<string, unknown>,
  read: (verb: VerbName, input: Readonly<Record<string, unknown>>) => Promise<unknown>,
): Promise<Record<string, unknown>> {
  const question = await askAboutSeveral(verb, input, actor, read);
  if (question === undefined) return input;
  io.stderr(factLines(question.facts));
  const typed = (
    await io.ask(`${[question.question, question.warning].join(' ').trim()}\nType ${question.word} to continue: `)
  ).trim();
  if (typed === question.word)
    return { ...question.input, ...(verb.danger === 'none' ? {} : { confirm: question.word }) };
  throw new Failure('confirmation-mismatch', {
    what: quoted(commandOf(verb, input), 200),
    why: `the ${question.facts.length === 1 ? 'name' : 'number'} does not match; nothing was changed`,
    next: `type ${question.word} to continue`,
  });
}

function factLines(facts: Facts): string {
  return facts.map(([label, value]) => `${printable(`${label}: ${value}`)}\n`).join('');
}

/** Returns the writer of the file that `--output` names. The option exists in local mode only. */
function outputFile(
  { io }: CommandOptions,
  input: Record<string, unknown>,
): ((text: string) => Promise<void>) | undefined {
  const path = input['output'];
  const { files } = io;
  if (typeof path !== 'string' || files === undefined) return undefined;
  return async (text) => {
    await files.write(path, text);
    // ssh looks for a relative path in ~/.ssh (ssh_config(5)).
    const include = /^[/~]/.test(path) ? `"Include ${path}"` : `"Include" with the full path of ${path}`;
    io.stderr(`Written to ${path}. To use it, put ${include} at the top of ~/.ssh/config.\n`);
  };
}

/**
 * Makes the folder of `--output-dir`, before anything is changed, and returns the writer of a result's files, which
 * resolves to the result without their contents.
 */
async function outputFolder(
  { io }: CommandOptions,
  { files: property }: AnyVerb,
  input: Record<string, unknown>,
): Promise<((result: unknown) => Promise<unknown>) | undefined> {
  const folder = input['outputFolder'];
  const { files } = io;
  if (typeof folder !== 'string' || property === undefined || files === undefined) return undefined;
  await files.makeFolder(folder);
  return async (result) => {
    const written = (result as Record<string, readonly { readonly name: string; readonly content: string }[]>)[
      property
    ];
    for (const { name, content } of written ?? []) await files.write(join(folder, name), content);
    const names = (written ?? []).map(({ name }) => name);
    io.stderr(`Written to ${folder}: ${names.join(', ')}\n`);
    return { ...(result as object), [property]: names.map((name) => ({ name })) };
  };
}

/** What to do over ssh in place of an option that names a file. */
const insteadOfFiles = {
  read: 'send the file on standard input instead',
  written: 'redirect standard output instead: … > file',
} as const;
