/** `session list`, `session kick`: the logins over ssh. */
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

/** Ends the login that `session` names, or all logins of a person of that name. Rejects with `not-found`. */
export function kickSession(
  context: Pick<ServiceContext, 'logins'>,
  { session, reason }: { readonly session: string; readonly reason?: string | undefined },
  { actor }: Pick<Call, 'actor'>,
): Promise<KickResult> {
  const meant = overSsh(context).filter(({ login, name }) => login === session || name === session);
  if (meant.length === 0)
    return Promise.reject(
      new Failure('not-found', {
        what: `session ${quoted(session)}`,
        why: 'nobody of this name is logged in',
        next: 'session list',
      }),
    );
  const told = `${actor.name} ended it${reason === undefined ? '' : `: ${reason}`}`;
  for (const { login } of meant) context.logins.end(login, told);
  return Promise.resolve({ ended: meant });
}
