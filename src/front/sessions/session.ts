/** One session of a connection: a command with its streams, or a terminal without one. */
import { takesWholeTerminal } from '../../catalogue/wholeTerminal.ts';
import type { Connection, ServerChannel, Session } from 'ssh2';
import { splitLine } from '../../catalogue/tokens.ts';
import { commandPrefix, overview } from '../../catalogue/help.ts';
import { renderBlocks, renderFailure } from '../../catalogue/render.ts';
import { wantedFormat } from '../../catalogue/parse.ts';
import type { Actor } from '../../domain/access/actor.ts';
import { exitCodes, Failure } from '../../domain/failure.ts';
import { printable } from '../../domain/text.ts';
import { formatUptime } from '../../domain/values/time.ts';
import { runCommand } from '../../commandLine/run.ts';
import type { CoreClient } from '../../protocol/client.ts';
import type { ShellClient } from '../../protocol/shellClient.ts';
import { openShell, type Shell, type ShellOptions } from '../../shell/shell.ts';
import { ChannelIo } from './channelIo.ts';
import { ChannelTerminal } from './channelTerminal.ts';
import { terminalSize, type TerminalSize } from './terminalSize.ts';
import { TimeLimit } from './timeLimits.ts';

export interface SessionOptions {
  readonly connection: Connection;
  /** Once core has let them in. */
  readonly actor: Promise<Actor>;
  readonly core: CoreClient;
  readonly shells: ShellClient;
  /** The address of this server that the client reached. */
  readonly reachedAt: { readonly host: string; readonly port: number };
  readonly stdinMs: number;
  /** How long a shell may be idle; 0 is never. */
  readonly idleMs: number;
}

/** The environment variables that a client may set; everything else is dropped. */
const acceptedEnvironment = /^(LANG|LC_[A-Z]{1,20}|NO_COLOR|COLORTERM|TERM)$/;
const acceptedValue = /^[\x20-\x7e]{0,256}$/;
const maxVariables = 32;

export interface ServedSession {
  /** Resolves when nothing runs in it any more. */
  readonly ended: Promise<void>;
  /** Says something to whoever has a shell in it. */
  warn(text: string): void;
  /** Ends what runs in it, saying why. An operation that has begun goes on. */
  end(reason: string): void;
  /** Its connection is gone. */
  left(): void;
}

/** What runs in a session. */
interface Running {
  readonly ended: Promise<void>;
  readonly warn?: (text: string) => void;
  end(reason: string): void;
}

/**
 * Longer command lines are not even read, in bytes. Above 35,000 ssh2 closes the connection: that is the packet that
 * RFC 4253, section 6.1 asks for.
 */
const maxCommandBytes = 32 * 1024;

/**
 * Serves a session. Every request is answered before this returns to the event loop: ssh2 drops what arrives before an
 * answer.
 */
export function serveSession(session: Session, options: SessionOptions): ServedSession {
  let running: Running | undefined;
  const environment = new Map<string, string>();
  let terminal: TerminalSize | undefined;
  let type = '';
  let screen: ChannelTerminal | undefined;
  const gone = new AbortController();

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
  // ssh2 gives nothing to accept with where the client wants no answer.
  session.on('pty', (accept: (() => void) | undefined, _reject, info) => {
    terminal = terminalSize(info.cols, info.rows);
    type = terminalType(info.term);
    accept?.();
  });
  session.on('window-change', (accept: (() => void) | undefined, _reject, info) => {
    if (terminal !== undefined) {
      terminal = terminalSize(info.cols, info.rows);
      screen?.resize(terminal);
    }
    accept?.();
  });
  session.on('signal', (accept: (() => void) | undefined, _reject: unknown, info: { name: string }) => {
    accept?.();
    if (info.name === 'INT' || info.name === 'TERM' || info.name === 'HUP') gone.abort();
  });
  session.on('exec', (accept, reject: (() => void) | undefined, info) => {
    const channel = accept() as ServerChannel | undefined;
    // A second command on the same session, or one after the end of its input.
    if (channel === undefined) return reject?.();
    if (Buffer.byteLength(info.command) > maxCommandBytes) {
      running = refuse(channel, options, tooLong);
      return;
    }
    if (terminal !== undefined && (isPlain(info.command) || takesWholeTerminal(info.command))) {
      screen = new ChannelTerminal({ connection: options.connection, channel, type, environment, size: terminal });
      running = runShell(
        channel,
        screen,
        options,
        isPlain(info.command) ? { plain: 'once' } : { ...plainFor(type), line: info.command },
      );
      return;
    }
    running = run(channel, options, gone, terminal !== undefined, info.command);
  });
  session.on('shell', (accept, reject: (() => void) | undefined) => {
    const channel = accept() as ServerChannel | undefined;
    if (channel === undefined) return reject?.();
    if (terminal === undefined) {
      running = run(channel, options, gone, false, undefined);
      return;
    }
    screen = new ChannelTerminal({ connection: options.connection, channel, type, environment, size: terminal });
    running = runShell(channel, screen, options, plainFor(type));
  });
  session.on('close', () => {
    gone.abort();
    screen?.left();
  });
  return {
    get ended() {
      return running?.ended ?? Promise.resolve();
    },
    warn: (text) => running?.warn?.(text),
    end: (reason) => running?.end(reason),
    left: () => screen?.left(),
  };
}

/** TERM as a client sends it: up to 30 KB of anything. */
function terminalType(type: unknown): string {
  return typeof type === 'string' && /^[A-Za-z0-9][A-Za-z0-9.+_-]{0,40}$/.test(type) ? type : 'dumb';
}

/** A terminal that cannot move its cursor gets lines of text. */
function plainFor(type: string): Pick<ShellOptions, 'plain'> {
  return type === 'dumb' || type === 'unknown' ? { plain: 'terminal' } : {};
}

/**
 * The shell as lines of text, for once. ssh(1) takes a word with hyphens for an option of its own, unless `--` comes
 * before it.
 */
function isPlain(line: string): boolean {
  return /^\s*(--)?plain\s*$/.test(line);
}

function runShell(
  channel: ServerChannel,
  port: ChannelTerminal,
  options: SessionOptions,
  how: Pick<ShellOptions, 'plain' | 'line'>,
): Running {
  const { core, shells, reachedAt } = options;
  channel.stderr.on('error', () => undefined);
  let shell: Shell | undefined;
  let goodbye: string | undefined;
  const end = (reason: string): void => {
    goodbye = reason;
    shell?.end(reason);
  };
  const idle = new TimeLimit({
    limitMs: options.idleMs,
    isBusy: () => shell?.busy === true,
    warn: (leftMs) =>
      shell?.warn(
        `Nothing was typed for a while: this shell ends in ${formatUptime(Math.ceil(leftMs / 1000) * 1000)}. Any key keeps it.`,
      ),
    end: () => end(`nothing was typed for ${formatUptime(options.idleMs)}`),
  });
  channel.on('data', () => idle.touch());
  const opened = options.actor.then((actor) => {
    if (goodbye !== undefined) throw new Failure('cancelled', { what: 'the session', why: goodbye });
    shell = openShell({
      port,
      actor,
      core,
      shells,
      prefix: commandPrefix(actor.entryPoint, reachedAt),
      reachedAt: reachedAt.host,
      used: () => idle.touch(),
      ...how,
    });
    return shell.ended;
  });
  const ended = opened
    .catch(async (error: unknown) => {
      port.write(`Error: ${printable(Failure.from(error).message)}\r\n`);
      await port.flushed();
      return Failure.from(error).exitCode;
    })
    .then((code) => leave(channel, code))
    .catch(() => undefined)
    .finally(() => idle.stop());
  return { ended, warn: (text) => shell?.warn(text), end };
}

function run(
  channel: ServerChannel,
  options: SessionOptions,
  gone: AbortController,
  terminal: boolean,
  line: string | undefined,
): Running {
  const io = new ChannelIo(options.connection, channel, {
    terminal,
    stdinMs: options.stdinMs,
    interrupt: () => gone.abort(),
  });
  gone.signal.addEventListener('abort', () => io.interrupted(), { once: true });
  channel.on('error', () => gone.abort());
  channel.stderr.on('error', () => undefined);
  channel.on('close', () => gone.abort());
  const answer = options.actor.then(
    (actor) => (line === undefined ? showOverview(io, actor, options) : command(io, line, actor, options, gone.signal)),
    (error: unknown) => fail(io, Failure.from(error), line ?? '', options),
  );
  let finish: () => void = () => undefined;
  const broken = new Promise<number>((resolve) => (finish = () => resolve(exitCodes.cancelled)));
  const ended = Promise.race([answer, broken])
    .catch(() => exitCodes.failed)
    .then(async (code) => {
      await io.flushed();
      leave(channel, code);
    })
    .catch(() => undefined);
  return {
    ended,
    end(reason) {
      io.stderr(`The session ends: ${reason}\n`);
      gone.abort();
      // A change goes on without its caller.
      setTimeout(finish, unwindMs).unref();
    },
  };
}

const tooLong = new Failure('input-too-large', {
  what: 'the command',
  why: `it is longer than ${maxCommandBytes} bytes`,
  next: 'what is long belongs on standard input',
});

/** Answers a command that is not run. */
function refuse(channel: ServerChannel, options: SessionOptions, failure: Failure): Running {
  const io = new ChannelIo(options.connection, channel, {
    terminal: false,
    stdinMs: options.stdinMs,
    interrupt: () => undefined,
  });
  channel.on('error', () => undefined);
  channel.stderr.on('error', () => undefined);
  const code = fail(io, failure, '', options);
  return { ended: io.flushed().then(() => leave(channel, code)), end: () => undefined };
}

/** What is left to a command that is ended from outside for its own answer, in milliseconds. */
const unwindMs = 300;

/** Ends a channel with an exit status (RFC 4254, section 6.10). */
function leave(channel: ServerChannel, code: number): void {
  if (channel.destroyed || !channel.writable) return;
  channel.exit(code);
  channel.end();
  channel.close();
}

/** Without a command and without a terminal there is help. */
function showOverview(io: ChannelIo, actor: Actor, { core, reachedAt }: SessionOptions): number {
  const { host } = core.greeting;
  const banner = host.simulated ? `SIMULATED HOST (${host.why}): nothing here is real.\n\n` : '';
  io.stdout(
    `${banner}containarium ${core.greeting.version}: ${actor.name} (${actor.role})\n${renderBlocks(overview(actor, commandPrefix(actor.entryPoint, reachedAt)))}`,
  );
  return exitCodes.ok;
}

async function command(
  io: ChannelIo,
  line: string,
  actor: Actor,
  options: SessionOptions,
  signal: AbortSignal,
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
    actor,
    core,
    io,
    signal,
    prefix: commandPrefix(actor.entryPoint, reachedAt),
    reachedAt: reachedAt.host,
  });
}

function fail(io: ChannelIo, failure: Failure, line: string, { core }: SessionOptions): number {
  const rendered = renderFailure(failure, '', wantedFormat(line.split(/\s+/)), core.greeting.host);
  io.stdout(rendered.stdout);
  io.stderr(rendered.stderr);
  return rendered.exitCode;
}
