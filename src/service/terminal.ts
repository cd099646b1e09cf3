/** Into a container: a shell on the caller's terminal, and its console log. */
import { Failure } from '../domain/failure.ts';
import type { ConsoleLog, ShellEnd } from '../domain/results/terminal.ts';
import type { Username } from '../domain/values/username.ts';
import { instanceOf } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { targetContainer } from './instances/target.ts';

/** How TERM may look (terminfo(5) names are file names); anything else could be a path. */
const termName = /^[A-Za-z0-9][A-Za-z0-9.+_-]{0,40}$/;

/**
 * Hands the caller's terminal to a login shell in the container, and resolves with the shell's own exit status. Rejects
 * with `usage` without a terminal, `not-found`, `wrong-state` for a container that does not run.
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
      why: 'there is no terminal to hand over',
      next: 'ssh -t asks for one',
    });
  }
  const instance = await instanceOf(context, user, call.signal);
  if (instance.status.toLowerCase() !== 'running') {
    throw new Failure('wrong-state', {
      what: `container "${instance.name}"`,
      why: `it is ${instance.status.toLowerCase()}`,
      next: `start ${user}`,
    });
  }
  const opened = await context.streams.terminal({
    instance: instance.name,
    // su(1) makes a login shell with the user's own environment; its argument is a name that has been checked. With a
    // terminal of its own the shell leads its session, so that what it started in the background is hung up with it.
    argv: ['su', '--pty', '--login', asRoot ? 'root' : user],
    environment: { TERM: termName.test(terminal.type) ? terminal.type : 'xterm' },
    columns: terminal.columns,
    rows: terminal.rows,
  });
  const close = (): void => opened.close();
  // Opening cannot be interrupted: whoever has gone meanwhile is noticed here.
  if (call.signal.aborted) close();
  call.signal.addEventListener('abort', close, { once: true });
  opened.onDrain(() => terminal.hold(false));
  const input = (data: Buffer): void => {
    // The program does not read: a client can send faster than memory grows for ever.
    if (!opened.write(data)) terminal.hold(true);
  };
  terminal.attach({ input, resize: (columns, rows) => opened.resize(columns, rows), end: close });
  let showing: Promise<void> = Promise.resolve();
  let waiting = 0;
  opened.onData((data) => {
    waiting += data.length;
    if (waiting > maxWaitingBytes) opened.pause();
    showing = showing.then(async () => {
      await terminal.output(data).catch(close);
      waiting -= data.length;
      if (waiting <= maxWaitingBytes / 2) opened.resume();
    });
  });
  try {
    const exitStatus = await opened.exit;
    await showing;
    return { user, container: instance.name, exitStatus };
  } finally {
    call.signal.removeEventListener('abort', close);
    close();
  }
}

/** Bytes that the caller's terminal may be behind before the program is made to wait. */
const maxWaitingBytes = 256 * 1024;

/** Between two looks at a log that is followed, in milliseconds: Incus has no stream of it. */
const followEveryMs = 1000;

/** The console log; with `follow` it goes on in pieces until the caller is gone, and the answer is empty. */
export async function consoleLog(
  context: HostContext,
  request: {
    readonly user?: Username | undefined;
    readonly follow?: boolean | undefined;
    /** Only the last ones. */
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
  while (!call.signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, followEveryMs));
    const now = await context.incus.consoleLog(name, call.signal).catch((error: unknown) => {
      if (call.signal.aborted) return shown;
      throw error;
    });
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
 * What `now` has beyond `before`. The log is a ring: its beginning is lost as it grows, and a restart begins it anew.
 */
export function added(before: string, now: string): string {
  if (now.startsWith(before)) return now.slice(before.length);
  // The end of what was shown, found again in the new text.
  const tail = before.slice(-200);
  const at = tail === '' ? -1 : now.lastIndexOf(tail);
  return at === -1 ? now : now.slice(at + tail.length);
}
