/** One session of a connection: a command with its streams, or a shell on a terminal. */
import { takesWholeTerminal } from '../../catalogue/wholeTerminal.ts';
import type { Connection, ServerChannel, Session } from 'ssh2';
import { hasEmptyWord, splitLine } from '../../catalogue/tokens.ts';
import { commandPrefix, overview } from '../../catalogue/help.ts';
import { loadFormat } from '../../catalogue/loadFormat.ts';
import { failureSentences } from '../../catalogue/output/sentences.ts';
import { renderBlocks, renderFailure } from '../../catalogue/render.ts';
import { wantedFormat } from '../../catalogue/format.ts';
import { commandName } from '../../catalogue/parse.ts';
import type { Actor } from '../../domain/access/actor.ts';
import { exitCodes, Failure } from '../../domain/failure.ts';
import { Interrupts } from '../../commandLine/interrupts.ts';
import { runCommand, type CommandOptions } from '../../commandLine/run.ts';
import type { ShellOptions } from '../../shell/shell.ts';
import { shareOf } from '../transport/clientShare.ts';
import { joinedWritesOf } from '../transport/joinedWrites.ts';
import { ChannelIo } from './channelIo.ts';
import { exit, type Running } from './exit.ts';
import { runShell, type ShellSessionOptions } from './runShell.ts';
import { ChannelTerminal } from './channelTerminal.ts';
import { terminalSize, type TerminalSize } from './terminalSize.ts';

export interface SessionOptions extends ShellSessionOptions {
  readonly connection: Connection;
  /** How long standard input may take, in milliseconds. */
  readonly stdinMs: number;
  /** Returns true for the first command of the connection, and false from then on. */
  readonly isFirst: () => boolean;
}

/** How long a completion may take, in milliseconds. */
const completionMs = 5000;

/** The environment variables that a client may set. All others are rejected. */
const acceptedEnvironment = /^(LANG|LC_[A-Z]{1,20}|NO_COLOR|COLORTERM|TERM)$/;
const acceptedValue = /^[\x20-\x7e]{0,256}$/;
const maxVariables = 32;

export interface ServedSession {
  /** Resolves when nothing runs in the session any more, and its output has been sent. */
  readonly ended: Promise<void>;
  /** Resolves when the client has closed the channel. */
  readonly closed: Promise<void>;
  /** Shows a warning in the session's shell, if it has one. */
  warn(text: string): void;
  /** Ends the command or shell with a reason. An operation that has begun continues. */
  end(reason: string): void;
  /** Called when the connection is closed. */
  disconnected(): void;
}

/**
 * Longest command line that is parsed, in bytes. Above 35,000 ssh2 closes the connection, because RFC 4253,
 * section 6.1 requires it to accept no larger packet.
 */
const maxCommandBytes = 32 * 1024;

/** Serves a session. Every request is answered synchronously, because ssh2 drops data that arrives before an answer. */
export function serveSession(session: Session, options: SessionOptions): ServedSession {
  let running: Running | undefined;
  const environment = new Map<string, string>();
  let terminal: TerminalSize | undefined;
  let type = '';
  let channelTerminal: ChannelTerminal | undefined;
  const terminalOf = (channel: ServerChannel, size: TerminalSize): ChannelTerminal =>
    new ChannelTerminal({ connection: options.connection, channel, type, environment, size });

  session.on('error' as never, () => undefined);
  session.on(
    'env',
    (accept: (() => void) | undefined, reject: (() => void) | undefined, info: { key: string; val: string }) => {
      if (!acceptedEnvironment.test(info.key) || !acceptedValue.test(info.val) || environment.size >= maxVariables)
        return reject?.();
      environment.set(info.key, info.val);
      accept?.();
    },
  );
  // ssh2 passes no `accept` when the client wants no answer.
  session.on('pty', (accept: (() => void) | undefined, _reject, info) => {
    terminal = terminalSize(info.cols, info.rows);
    type = terminalType(info.term);
    accept?.();
  });
  session.on('window-change', (accept: (() => void) | undefined, _reject, info) => {
    if (terminal !== undefined) {
      terminal = terminalSize(info.cols, info.rows);
      channelTerminal?.resize(terminal);
    }
    accept?.();
  });
  session.on('signal', (accept: (() => void) | undefined, _reject: unknown, info: { name: string }) => {
    accept?.();
    if (info.name === 'INT' || info.name === 'TERM' || info.name === 'HUP') running?.signal(info.name);
  });
  session.on('exec', (accept, reject: (() => void) | undefined, info) => {
    const channel = accept() as ServerChannel | undefined;
    // A second command on the session, or one after the end of its input.
    if (channel === undefined) return reject?.();
    if (Buffer.byteLength(info.command) > maxCommandBytes) {
      running = refuse(channel, options, info.command, commandTooLong);
      return;
    }
    if (terminal !== undefined && (asksForPlainShell(info.command) || takesWholeTerminal(info.command))) {
      channelTerminal = terminalOf(channel, terminal);
      running = runShell(
        channel,
        channelTerminal,
        options,
        asksForPlainShell(info.command) ? { plain: 'once' } : { ...plainFor(type), line: info.command },
      );
      return;
    }
    running = runExec(channel, options, terminal?.columns, info.command);
  });
  session.on('shell', (accept, reject: (() => void) | undefined) => {
    const channel = accept() as ServerChannel | undefined;
    if (channel === undefined) return reject?.();
    if (terminal === undefined) {
      running = runExec(channel, options, undefined, undefined);
      return;
    }
    channelTerminal = terminalOf(channel, terminal);
    running = runShell(channel, channelTerminal, options, plainFor(type));
  });
  const closed = new Promise<void>((resolve) => {
    session.on('close', () => {
      running?.left?.();
      channelTerminal?.disconnected();
      resolve();
    });
  });
  return {
    get ended() {
      return running?.ended ?? Promise.resolve();
    },
    get closed() {
      return running === undefined ? Promise.resolve() : closed;
    },
    warn: (text) => running?.warn?.(text),
    end: (reason) => running?.end(reason),
    disconnected: () => channelTerminal?.disconnected(),
  };
}

/** Returns TERM if it is a plausible name. A client can send up to 30 KB of anything. */
function terminalType(type: unknown): string {
  return typeof type === 'string' && /^[A-Za-z0-9][A-Za-z0-9.+_-]{0,40}$/.test(type) ? type : 'dumb';
}

/** Selects the plain shell for a terminal that cannot move its cursor. */
function plainFor(type: string): Pick<ShellOptions, 'plain'> {
  return type === 'dumb' || type === 'unknown' ? { plain: 'terminal' } : {};
}

/**
 * Whether a command line asks for the plain shell. `plain` works too, because ssh(1) takes `--plain` for an option of
 * its own unless `--` comes before it.
 */
function asksForPlainShell(line: string): boolean {
  return /^\s*(--)?plain\s*$/.test(line);
}

/** Runs a command line; without one, shows help. */
function runExec(
  channel: ServerChannel,
  options: SessionOptions,
  columns: number | undefined,
  line: string | undefined,
): Running {
  const interrupts = new Interrupts();
  const abort = new AbortController();
  let isOver = false;
  /** The client has left. Aborting costs more than most commands, and nobody listens when the command is over. */
  const left = (): void => {
    if (!isOver) abort.abort();
  };
  const io = new ChannelIo(options.connection, channel, {
    columns,
    stdinMs: options.stdinMs,
    onInterrupt: () => interrupts.press(),
  });
  interrupts.first.addEventListener('abort', () => io.interrupt(), { once: true });
  abort.signal.addEventListener('abort', () => io.interrupt(), { once: true });
  channel.on('error', left);
  channel.stderr.on('error', () => undefined);
  channel.on('close', left);
  const answer = options.actor.then(
    (actor) =>
      line === undefined
        ? showOverview(io, actor, options)
        : command(io, line, actor, options, { signal: abort.signal, interrupts }),
    (error: unknown) => fail(io, Failure.from(error), line ?? '', options),
  );
  let finish: () => void = () => undefined;
  const stopped = new Promise<number>((resolve) => (finish = () => resolve(exitCodes.partial)));
  const ended = Promise.race([answer, stopped])
    .catch(() => exitCodes.failed)
    .then(async (code) => {
      await io.flushed();
      isOver = true;
      exit(channel, code);
      joinedWritesOf(options.connection)?.flush();
    })
    .catch(() => undefined);
  return {
    ended,
    left,
    signal(name) {
      if (name === 'INT') interrupts.press();
      else abort.abort();
    },
    end(reason) {
      io.stderr(`The session ends: ${reason}\n`);
      abort.abort();
      // An operation continues without its caller.
      const leave = (): void => {
        io.stderr('The command may still run: "who" shows it while it does, and your next shell how it ended.\n');
        finish();
      };
      const late = setTimeout(leave, unwindMs).unref();
      void ended.then(() => clearTimeout(late));
    },
  };
}

const commandTooLong = new Failure('input-too-large', {
  what: 'the command',
  why: `it is longer than ${maxCommandBytes} bytes`,
  next: 'send long input on standard input',
});

/** Answers a command line with a failure instead of running it. */
function refuse(channel: ServerChannel, options: SessionOptions, line: string, failure: Failure): Running {
  const io = new ChannelIo(options.connection, channel, {
    stdinMs: options.stdinMs,
    onInterrupt: () => undefined,
  });
  channel.on('error', () => undefined);
  channel.stderr.on('error', () => undefined);
  const ended = fail(io, failure, line, options).then(async (code) => {
    await io.flushed();
    return exit(channel, code);
  });
  return { ended, signal: () => undefined, end: () => undefined };
}

/** How long a command that is ended from outside may take to answer, in milliseconds. */
const unwindMs = 1500;

/** How long commands on standard input are expected, to say that nobody reads them there, in milliseconds. */
const scriptMs = 500;

/** Shows help, the answer to a session with neither a command nor a terminal. */
async function showOverview(
  io: ChannelIo,
  actor: Actor,
  { core, reachedAt, isFirst }: SessionOptions,
): Promise<number> {
  const { host } = core.greeting;
  const banner = isFirst() && host.simulated ? `SIMULATED HOST (${host.why}): nothing here is real.\n\n` : '';
  io.stdout(
    `${banner}containarium ${core.greeting.version}: ${actor.name} (${actor.role})\n${renderBlocks(overview(actor, commandPrefix(actor.entryPoint, reachedAt)))}`,
  );
  if (!(await io.receives(scriptMs))) return exitCodes.ok;
  const ignored = new Failure('usage', {
    what: 'standard input',
    why: 'it was not read, because there is no command',
    next: 'name the command after the host, or run a script of commands in a shell: ssh -tt … < script',
  });
  io.stderr(failureSentences(ignored.toData()));
  return ignored.exitCode;
}

async function command(
  io: ChannelIo,
  line: string,
  actor: Actor,
  options: SessionOptions,
  ends: Pick<CommandOptions, 'signal' | 'interrupts'>,
): Promise<number> {
  const { core, reachedAt } = options;
  let words: string[];
  try {
    words = splitLine(line);
  } catch (error) {
    return fail(io, Failure.from(error), line, options);
  }
  return runCommand({
    words,
    hasEmptyWord: hasEmptyWord(line),
    actor,
    core,
    io,
    ...ends,
    prefix: commandPrefix(actor.entryPoint, reachedAt),
    reachedAt: reachedAt.host,
    isFirst: options.isFirst(),
    spend: (ms) => shareOf(options.connection).spend(ms),
    candidates: (what, user) => options.shells.candidates(actor, what, user, AbortSignal.timeout(completionMs)),
  });
}

/** How much of the name of a command that is refused unparsed is repeated, in characters. */
const maxNameLength = 64;

async function fail(io: ChannelIo, failure: Failure, line: string, { core }: SessionOptions): Promise<number> {
  const words = line.trim().split(/\s+/);
  const format = wantedFormat(words);
  await loadFormat(format);
  const rendered = renderFailure(failure, commandName(words).slice(0, maxNameLength), format, core.greeting.host);
  io.stdout(rendered.stdout);
  io.stderr(rendered.stderr);
  return rendered.exitCode;
}
