/** `debug`: why can a user not get in? Checks every link from the client to the shell, in the order of a login. */
import { Failure } from '../domain/failure.ts';
import type { AccessPath } from '../domain/results/debug.ts';
import type { Check } from '../domain/results/upkeep.ts';
import type { Username } from '../domain/values/username.ts';
import { ok, problem, warning, type Outcome } from './checks/outcome.ts';
import type { ServiceContext } from './context.ts';
import {
  checkAddress,
  checkDisk,
  checkInnerKeys,
  checkInnerSshd,
  checkState,
  checkUser,
} from './debug/containerLinks.ts';
import { checkAccount, checkBans, checkJumpKeys, checkJumpSshd, checkKeys } from './debug/hostLinks.ts';
import { instanceOf } from './instances/containers.ts';
import type { Call } from './instances/context.ts';
import { targetContainer } from './instances/target.ts';

interface Link {
  readonly name: string;
  readonly check: () => Outcome | Promise<Outcome>;
  /** Whether only a running container can answer. */
  readonly needsRunning?: true;
  /** Whether it is about the host, which owners are told nothing of. */
  readonly ofHost?: true;
}

export async function debugAccess(
  context: ServiceContext,
  { user: named, from }: { readonly user?: Username | undefined; readonly from?: string | undefined },
  call: Call,
): Promise<AccessPath> {
  const { signal, actor } = call;
  const user = targetContainer('debug', named, actor);
  const instance = await instanceOf(context, user, signal);
  const links: readonly Link[] = [
    { name: 'clock', check: () => checkClock(context, instance.last_used_at), ofHost: true },
    { name: 'bans', check: () => checkBans(context.bans.list(), from), ofHost: true },
    { name: 'jump account', check: () => checkAccount(context, user, signal), ofHost: true },
    { name: 'keys', check: () => checkKeys(user, instance) },
    { name: 'jump keys', check: () => checkJumpKeys(context, user, instance), ofHost: true },
    { name: 'sshd of the host', check: () => checkJumpSshd(context, context.doctor, user, signal), ofHost: true },
    { name: 'container', check: () => checkState(context, user, instance) },
    { name: 'address', check: () => checkAddress(user, instance), needsRunning: true },
    { name: 'sshd inside', check: () => checkInnerSshd(context, user, instance, signal), needsRunning: true },
    { name: 'user inside', check: () => checkUser(context, user, instance, signal), needsRunning: true },
    { name: 'keys inside', check: () => checkInnerKeys(context, user, instance, signal) },
    { name: 'disk', check: () => checkDisk(user, instance) },
  ];
  const seen = actor.entryPoint === 'self' ? links.filter(({ ofHost }) => ofHost !== true) : links;
  const done = await Promise.all(
    seen.map(async ({ name, check, needsRunning }): Promise<Check> => {
      if (needsRunning === true && instance.status !== 'Running')
        return { name, ...warning('not known: the container does not run') };
      try {
        return { name, ...(await check()) };
      } catch (error) {
        signal.throwIfAborted();
        const failure = Failure.from(error);
        return { name, ...problem(`it could not be checked: ${failure.what}: ${failure.why}`, failure.next) };
      }
    }),
  );
  return {
    user,
    container: instance.name,
    links: done,
    broken: done.find(({ severity }) => severity === 'problem')?.name ?? null,
  };
}

/** Keys and certificates end by the clock. One that was set back shows by a start in the future. */
function checkClock({ now }: ServiceContext, lastUsedAt: string): Outcome {
  const present = now();
  return Date.parse(lastUsedAt) > present.getTime() + 60_000
    ? problem(
        `the clock of the host shows ${present.toISOString()}, and the container was started at ${lastUsedAt}`,
        'set it on the host: timedatectl set-ntp true',
      )
    : ok(present.toISOString());
}
