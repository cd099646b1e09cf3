/** One session of a connection: a command with its streams, or a terminal without one. */
import type { Connection, ServerChannel, Session } from 'ssh2';
import { splitLine } from '../catalogue/tokens.ts';
import { commandPrefix, overview } from '../catalogue/help.ts';
import { renderBlocks, renderFailure } from '../catalogue/render.ts';
import { wantedFormat } from '../catalogue/parse.ts';
import type { Actor } from '../domain/actor.ts';
import { Failure } from '../domain/failure.ts';
import { runCommand } from '../headless/run.ts';
import type { CoreClient } from '../protocol/client.ts';
import type { ShellClient } from '../protocol/shellClient.ts';
import { openShell, type Shell, type ShellOptions } from '../shell/shell.ts';
import { ChannelIo } from './channelIo.ts';
import { ChannelTerminal } from './channelTerminal.ts';
import { terminalSize, type TerminalSize } from './terminalSize.ts';

export interface SessionOptions {
  readonly connection: Connection;
  readonly actor: Actor;
  readonly core: CoreClient;
  readonly shells: ShellClient;
  /** Told of every shell, so that it can be ended from outside. */
  readonly opened: (shell: Shell) => void;
  /** The address of this server that the client reached. */
  readonly reachedAt: { readonly host: string; readonly port: number };
  readonly stdinMs: number;
}

/** The environment variables that a client may set; everything else is dropped. */
const acceptedEnvironment = /^(LANG|LC_[A-Z]{1,20}|NO_COLOR|COLORTERM|TERM)$/;
const mostVariables = 32;

/** Serves a session. Every request is answered before this returns to the event loop: ssh2 drops what arrives before an answer. */
export function serveSession(session: Session, options: SessionOptions): void {
  const environment = new Map<string, string>();
  let terminal: TerminalSize | undefined;
  let type = '';
  let screen: ChannelTerminal | undefined;
  const gone = new AbortController();

  session.on('error' as never, () => undefined);
  session.on('env', (accept: (() => void) | undefined, reject: (() => void) | undefined, info: { key: string; val: string }) => {
    if (!acceptedEnvironment.test(info.key) || environment.size >= mostVariables || info.val.length > 256) return reject?.();
    environment.set(info.key, info.val);
    accept?.();
  });
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
  session.on('exec', (accept, _reject, info) => {
    const channel = accept() as ServerChannel | undefined;
    // A second command on the same session, or one after the end of its input.
    if (channel === undefined) return;
    if (terminal !== undefined && wantsShell(info.command)) {
      screen = new ChannelTerminal({ connection: options.connection, channel, type, environment, size: terminal });
      return isPlain(info.command) ? runShell(channel, screen, options, { plain: 'once' }) : runShell(channel, screen, options, { ...plainFor(type), line: info.command });
    }
    run(channel, options, gone, terminal !== undefined, info.command);
  });
  session.on('shell', (accept) => {
    const channel = accept() as ServerChannel | undefined;
    if (channel === undefined) return;
    if (terminal === undefined) return run(channel, options, gone, false, undefined);
    screen = new ChannelTerminal({ connection: options.connection, channel, type, environment, size: terminal });
    runShell(channel, screen, options, plainFor(type));
  });
  session.on('close', () => gone.abort());
}

/** TERM as a client sends it: up to 30 KB of anything. */
function terminalType(type: unknown): string {
  return typeof type === 'string' && /^[A-Za-z0-9][A-Za-z0-9.+_-]{0,40}$/.test(type) ? type : 'dumb';
}

/** A terminal that cannot move its cursor gets lines of text. */
function plainFor(type: string): Pick<ShellOptions, 'plain'> {
  return type === 'dumb' || type === 'unknown' ? { plain: 'terminal' } : {};
}

/** The shell as lines of text, for once. ssh(1) takes a word with hyphens for an option of its own, unless `--` comes before it. */
function isPlain(line: string): boolean {
  return /^\s*(--)?plain\s*$/.test(line);
}

/** Commands that take the whole terminal: the shell itself, the live list, and a shell in a container. */
function wantsShell(line: string): boolean {
  return isPlain(line) || /^\s*(shell(\s|$)|(list|ls)\s.*(--watch|-w)(\s|$))/.test(line);
}

function runShell(
  channel: ServerChannel,
  port: ChannelTerminal,
  { actor, core, shells, reachedAt, opened }: SessionOptions,
  how: Pick<ShellOptions, 'plain' | 'line'>,
): void {
  channel.stderr.on('error', () => undefined);
  const shell = openShell({
    port,
    actor,
    core,
    shells,
    prefix: commandPrefix(actor.door, reachedAt),
    reachedAt: reachedAt.host,
    ...how,
  });
  opened(shell);
  void shell.ended
    .catch(() => 1)
    .then((code) => {
      if (channel.destroyed || !channel.writable) return;
      channel.exit(code);
      channel.end();
      channel.close();
    })
    .catch(() => undefined);
}

function run(channel: ServerChannel, options: SessionOptions, gone: AbortController, terminal: boolean, line: string | undefined): void {
  const io = new ChannelIo(options.connection, channel, { terminal, stdinMs: options.stdinMs, interrupt: () => gone.abort() });
  channel.on('error', () => gone.abort());
  channel.stderr.on('error', () => undefined);
  channel.on('close', () => gone.abort());
  const answer = line === undefined ? Promise.resolve(showOverview(io, options)) : command(io, line, options, gone.signal);
  void answer
    .catch(() => 1)
    .then(async (code) => {
      if (channel.destroyed || !channel.writable) return;
      await io.flushed();
      channel.exit(code);
      channel.end();
      channel.close();
    })
    .catch(() => undefined);
}

/** Without a command and without a terminal there is help. */
function showOverview(io: ChannelIo, { actor, core, reachedAt }: SessionOptions): number {
  const { host } = core.greeting;
  const banner = host.simulated ? `SIMULATED HOST (${host.why}): nothing here is real.\n\n` : '';
  io.stdout(`${banner}containarium ${core.greeting.version}: ${actor.name} (${actor.role})\n${renderBlocks(overview(actor, commandPrefix(actor.door, reachedAt)))}`);
  return 0;
}

async function command(io: ChannelIo, line: string, options: SessionOptions, signal: AbortSignal): Promise<number> {
  const { actor, core, reachedAt } = options;
  let words: string[];
  try {
    words = splitLine(line);
  } catch (error) {
    const rendered = renderFailure(Failure.from(error), '', wantedFormat(line.split(/\s+/)), core.greeting.host);
    io.stdout(rendered.stdout);
    io.stderr(rendered.stderr);
    return rendered.exitCode;
  }
  return runCommand({ words, actor, core, io, signal, prefix: commandPrefix(actor.door, reachedAt), reachedAt: reachedAt.host });
}
