/** `session list`, `session kick`: logins over ssh. */
import type { LoginInfo } from '../domain/access/login.ts';
import { Failure } from '../domain/failure.ts';
import type { KickResult } from '../domain/results/sessions.ts';
import { quoted } from '../domain/text.ts';
import type { ServiceContext } from './context.ts';
import type { Call } from './instances/context.ts';

function overSsh({ logins }: Pick<ServiceContext, 'logins'>): LoginInfo[] {
  return logins.list().filter(({ entryPoint }) => entryPoint !== 'local');
}

export function listSessions(
  context: Pick<ServiceContext, 'logins'>,
): Promise<{ readonly sessions: readonly LoginInfo[] }> {
  return Promise.resolve({ sessions: overSsh(context) });
}

/** Ends the login with the id `session`, or all logins of the person with that name. Rejects with `not-found`. */
export function kickSession(
  context: Pick<ServiceContext, 'logins'>,
  { session, reason }: { readonly session: string; readonly reason?: string | undefined },
  { actor }: Pick<Call, 'actor'>,
): Promise<KickResult> {
  const matching = overSsh(context).filter(({ login, name }) => login === session || name === session);
  if (matching.length === 0)
    return Promise.reject(
      new Failure('not-found', {
        what: `session ${quoted(session)}`,
        why: 'no login has this id or name',
        next: 'see "session list"',
      }),
    );
  const message = `ended by ${actor.name}${reason === undefined ? '' : `: ${reason}`}`;
  for (const { login } of matching) context.logins.end(login, message);
  return Promise.resolve({ ended: matching });
}
