/** `shell` and `logs`: a terminal session in a container, and the container's console log. */
import { once } from 'node:events';
import { Failure } from '../domain/failure.ts';
import type { ConsoleLog, ShellEnd } from '../domain/results/terminal.ts';
import type { Username } from '../domain/values/username.ts';
import { instanceOf } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { targetContainer } from './instances/target.ts';
import { nextLog } from './logReads.ts';

/** Valid values of TERM: terminfo(5) names are file names, so anything else could be a path. */
const termName = /^[A-Za-z0-9][A-Za-z0-9.+_-]{0,40}$/;

/**
 * Runs a login shell in the container on the caller's terminal and resolves with its exit status. Rejects with `usage`
 * without a terminal, `not-found`, or `wrong-state` for a container that is not running.
 */
export async function openShell(
  context: HostContext,
  { user, root: asRoot = false }: { readonly user: Username; readonly root?: boolean | undefined },
  call: Call,
): Promise<ShellEnd> {
  const { terminal } = call;
  if (terminal === undefined) {
    throw new Failure('usage', {
      what: `"shell ${user}"`,
      why: 'it needs a terminal',
      next: 'use ssh -t',
    });
  }
  const instance = await instanceOf(context, user, call.signal);
  if (instance.status.toLowerCase() !== 'running') {
    throw new Failure('wrong-state', {
      what: `container "${instance.name}"`,
      why: `it is ${instance.status.toLowerCase()}`,
      next: `start it: "start ${user}"`,
    });
  }
  const opened = await context.streams.terminal({
    instance: instance.name,
    // su(1) starts a login shell with the user's own environment; its argument is a validated name. With --pty the
    // shell leads its own session, so that its background jobs are hung up with it.
    argv: ['su', '--pty', '--login', asRoot ? 'root' : user],
    environment: { TERM: termName.test(terminal.type) ? terminal.type : 'xterm' },
    columns: terminal.columns,
    rows: terminal.rows,
  });
  const close = (): void => opened.close();
  // Opening cannot be interrupted, so a caller that left meanwhile is noticed here.
  if (call.signal.aborted) close();
  call.signal.addEventListener('abort', close, { once: true });
  opened.onDrain(() => terminal.hold(false));
  const input = (data: Buffer): void => {
    // The program does not read: a client could fill memory without end.
    if (!opened.write(data)) terminal.hold(true);
  };
  terminal.attach({ input, resize: (columns, rows) => opened.resize(columns, rows), end: close });
  let shown: Promise<void> = Promise.resolve();
  let unshownBytes = 0;
  opened.onData((data) => {
    unshownBytes += data.length;
    if (unshownBytes > maxUnshownBytes) opened.pause();
    shown = shown.then(async () => {
      await terminal.output(data).catch(close);
      unshownBytes -= data.length;
      if (unshownBytes <= maxUnshownBytes / 2) opened.resume();
    });
  });
  try {
    const exitStatus = await opened.exit;
    await shown;
    return { user, container: instance.name, exitStatus };
  } finally {
    call.signal.removeEventListener('abort', close);
    close();
  }
}

/** Bytes of output not yet sent to the caller's terminal at which the program is paused. */
const maxUnshownBytes = 256 * 1024;

/** Returns the console log. With `follow` it is sent in pieces until the caller leaves, and the result is empty. */
export async function consoleLog(
  context: HostContext,
  request: {
    readonly user?: Username | undefined;
    readonly follow?: boolean | undefined;
    /** Return only this many lines, the last ones. */
    readonly lines?: number | undefined;
  },
  call: Call,
): Promise<ConsoleLog> {
  const user = targetContainer('logs', request.user, call.actor);
  const { name } = await instanceOf(context, user, call.signal);
  let shown = await context.incus.consoleLog(name, call.signal);
  const first = lastLines(shown, request.lines);
  if (request.follow !== true) return { user, text: first };
  call.progress.output(first);
  const left = call.signal.aborted ? Promise.resolve([]) : once(call.signal, 'abort');
  while (!call.signal.aborted) {
    const now = await Promise.race([nextLog(context.incus, name), left.then(() => shown)]);
    const more = added(shown, now);
    if (more !== '') call.progress.output(more);
    shown = now;
  }
  return { user, text: '' };
}

function lastLines(text: string, count: number | undefined): string {
  if (count === undefined) return text;
  const lines = text.replace(/\n$/, '').split('\n');
  return count === 0 ? '' : `${lines.slice(-count).join('\n')}\n`;
}

/**
 * Returns what `now` adds to `before`. The log is a ring: it loses its beginning as it grows, and a restart empties it.
 */
function added(before: string, now: string): string {
  if (now.startsWith(before)) return now.slice(before.length);
  // The beginning is lost, so find the end of the old text in the new one.
  const tail = before.slice(-200);
  const at = tail === '' ? -1 : now.lastIndexOf(tail);
  return at === -1 ? now : now.slice(at + tail.length);
}
