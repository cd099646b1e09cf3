/**
 * The sessions of a connection that uses an invitation. Every command and every shell prints whether the key was
 * bound, and ends.
 */
import type { ServerChannel, Session } from 'ssh2';
import { commandPrefix } from '../../catalogue/help.ts';
import { exitCodes, Failure } from '../../domain/failure.ts';
import type { KeyBound } from '../../protocol/messages.ts';
import { exit } from '../sessions/exit.ts';
import type { ServedSession } from '../sessions/session.ts';

/** Returns the answer for a key that was bound, with the command to try next. */
export function boundText(
  { entryPoint, name, fingerprint }: KeyBound,
  reachedAt: { readonly host: string; readonly port: number },
): string {
  const prefix = commandPrefix(entryPoint, reachedAt);
  return [
    entryPoint === 'manage'
      ? `Your key ${fingerprint} is now a key of the admin ${name}.`
      : `Your key ${fingerprint} now opens the container of ${name}.`,
    entryPoint === 'manage' ? `Next: ${prefix} help` : `Next: ${prefix} config`,
    'The invitation has been used and is no longer valid.',
    '',
  ].join('\n');
}

/** Serves one session; `answer` rejects when the invitation could not be used. */
export function serveInvited(session: Session, answer: Promise<string>): ServedSession {
  const closed = new Promise<void>((resolve) => session.on('close', () => resolve()));
  let terminal = false;
  const serve = (channel: ServerChannel | undefined): void => {
    if (channel === undefined) return;
    channel.on('error', () => undefined);
    channel.stderr.on('error', () => undefined);
    const finish = (text: string, code: number): void => {
      if (!channel.writable) return;
      channel.write(terminal ? text.replaceAll('\n', '\r\n') : text);
      exit(channel, code);
    };
    answer.then(
      (text) => finish(text, exitCodes.ok),
      (error: unknown) => finish(`Error: ${Failure.from(error).message}\n`, Failure.from(error).exitCode),
    );
  };
  session.on('error' as never, () => undefined);
  session.on('pty', (accept: (() => void) | undefined) => {
    terminal = true;
    accept?.();
  });
  session.on('env', (_accept: unknown, reject: (() => void) | undefined) => reject?.());
  session.on('shell', (accept) => serve(accept()));
  session.on('exec', (accept) => serve(accept()));
  const ended = answer.then(
    () => undefined,
    () => undefined,
  );
  return { ended, closed, end: () => undefined, warn: () => undefined, disconnected: () => undefined };
}
