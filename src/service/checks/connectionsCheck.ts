/** The check of `doctor` for the record of connections through the host: whether sshd's log is there, and read. */
import { Failure } from '../../domain/failure.ts';
import type { ConnectionCoverage } from '../../domain/results/connections.ts';
import type { HostContext } from '../instances/context.ts';
import { isOurAccount } from '../instances/jumpAccount.ts';
import { ok, warning, type Outcome } from './outcome.ts';
import type { DoctorTools } from './tools.ts';

/** The levels at which sshd logs no logins (sshd_config(5), LogLevel). */
const quietLevels: ReadonlySet<string | undefined> = new Set(['QUIET', 'FATAL', 'ERROR']);

type Context = Pick<HostContext, 'host' | 'accounts' | 'settings'> & {
  readonly connections: { coverage(): ConnectionCoverage };
};

export async function checkConnections(
  context: Context,
  { sshd }: Pick<DoctorTools, 'sshd'>,
  signal: AbortSignal,
): Promise<Outcome> {
  let coverage: ConnectionCoverage;
  try {
    coverage = context.connections.coverage();
  } catch (error) {
    const { why, next } = Failure.from(error);
    return warning(`not recorded: ${why}`, next);
  }
  const { trouble, recordedSince } = coverage;
  if (trouble !== null) return warning(`not recorded at present: ${trouble}`, 'wait: it is tried again by itself');
  const level = context.host.simulated ? undefined : await levelOf(context, sshd, signal);
  return quietLevels.has(level)
    ? warning(`sshd logs no logins of jump accounts: its LogLevel is ${level ?? ''}`, 'set LogLevel to INFO or VERBOSE')
    : ok(`recorded since ${recordedSince}`);
}

/** Returns the LogLevel for jump accounts; undefined if there is none yet. */
async function levelOf(
  { accounts, settings }: Context,
  sshd: DoctorTools['sshd'],
  signal: AbortSignal,
): Promise<string | undefined> {
  const groupId = await accounts.groupId(settings.jump.group, signal);
  const account = (await accounts.all(signal)).find((candidate) => isOurAccount(candidate, groupId));
  return account === undefined
    ? undefined
    : (await sshd.settingsFor(account.name, signal)).get('loglevel')?.toUpperCase();
}
