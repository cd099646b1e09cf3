/**
 * Ends a user's connections through the host's own sshd. That sshd reads the keys of a jump account at a login only, so
 * a connection outlives its key and the container behind it, and can open new channels.
 */
import { Failure } from '../../domain/failure.ts';
import type { Username } from '../../domain/values/username.ts';
import type { Running } from '../../journal/operations.ts';
import type { HostContext } from './context.ts';
import { isOurAccount } from './jumpAccount.ts';

export interface EndedConnections {
  /** Whether the user had connections, and all of them were ended. */
  readonly ended: boolean;
  /** Set if connections may still be open: what failed, why, and the next step. */
  readonly warning?: string;
}

/**
 * Ends every connection of the user, with whichever key it logged in: sshd tells nobody but its log which key that was.
 * Clients with a valid key can connect again at once.
 *
 * Never rejects. The change that calls it has removed an access, and must not be undone because a connection stays.
 */
export async function endConnections(
  { accounts, settings, log, connectionsEnded }: HostContext,
  user: Username,
): Promise<EndedConnections> {
  try {
    const [account, groupId] = await Promise.all([accounts.account(user), accounts.groupId(settings.jump.group)]);
    if (account === undefined || !isOurAccount(account, groupId)) return { ended: false };
    const ended = await accounts.endSessions(user);
    // sshd was killed, so its log will not tell.
    if (ended) connectionsEnded(user);
    return { ended };
  } catch (error) {
    const failure = Failure.from(error);
    log.warn({ user, failure: failure.toData() }, 'the connections of a jump account could not be ended');
    return {
      ended: false,
      warning: `connections of ${user} through the host may still be open: ${failure.what}: ${failure.why}; end them on the host: pkill -KILL -u ${user}`,
    };
  }
}

/** Like {@link endConnections}, as a step of an operation. */
export async function endConnectionsStep(
  context: HostContext,
  operation: Running,
  user: Username,
): Promise<EndedConnections> {
  const done = await operation.step(context.steps.endConnections, { user }, () => endConnections(context, user));
  return done ?? { ended: false };
}
