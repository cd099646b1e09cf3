/** Diagnoses the host. Each check tests one thing; a check that cannot run is a problem, never a pass. */
import { Failure } from '../domain/failure.ts';
import type { Check, Diagnosis, Severity } from '../domain/results/upkeep.ts';
import { checkAlerts } from './checks/alertCheck.ts';
import { checkBackups } from './checks/backupCheck.ts';
import { checkConnections } from './checks/connectionsCheck.ts';
import { checkFirewall } from './checks/firewallCheck.ts';
import { checkAppArmor } from './checks/confinementChecks.ts';
import { checkHoles } from './checks/holeChecks.ts';
import { checkAccounts, checkFront, checkHost, checkHostname, checkSshd } from './checks/hostChecks.ts';
import { checkImage, checkIncus, checkMirror, checkNetwork, checkPool, checkStorage } from './checks/incusChecks.ts';
import { checkIsolation, checkKernel, checkSubordinateIds } from './checks/isolationChecks.ts';
import { problem, warning, type Outcome } from './checks/outcome.ts';
import { checkKernelPackage, checkNode, checkPackages } from './checks/packageChecks.ts';
import {
  checkAdminKeys,
  checkHostKey,
  checkJournal,
  checkKeyExchange,
  checkLimits,
  checkOperations,
  checkState,
} from './checks/serverChecks.ts';
import { checkRemote } from './checks/remoteCheck.ts';
import { checkRoom } from './checks/roomChecks.ts';
import { checkSchedule } from './checks/scheduleCheck.ts';
import { checkSubvolumes } from './checks/subvolumeChecks.ts';
import type { ServiceContext } from './context.ts';
import type { Call } from './instances/context.ts';

/** The checks that are about security, for `security`. */
const securityChecks: ReadonlySet<string> = new Set([
  'firewall',
  'isolation',
  'AppArmor',
  'known holes',
  'jump accounts',
  'front',
  'host key',
  'admin keys',
  'remote interface',
  'sshd',
  'connections',
]);

type NamedCheck = readonly [name: string, check: () => Promise<Outcome>];

export async function diagnose(
  context: ServiceContext,
  { containers }: { readonly containers?: number | undefined },
  call: Call,
): Promise<Diagnosis> {
  const done =
    containers === undefined
      ? await outcomes(checksOf(context, call))
      : await checkRoom(context, containers, call.signal);
  const order: readonly Severity[] = ['ok', 'warning', 'problem'];
  const worst = done.reduce<Severity>(
    (soFar, { severity }) => (order.indexOf(severity) > order.indexOf(soFar) ? severity : soFar),
    'ok',
  );
  return { host: context.host, checks: done, worst };
}

export function checkSecurity(context: ServiceContext, call: Pick<Call, 'actor' | 'signal'>): Promise<Check[]> {
  return outcomes(checksOf(context, call).filter(([name]) => securityChecks.has(name)));
}

function checksOf(context: ServiceContext, { actor, signal }: Pick<Call, 'actor' | 'signal'>): readonly NamedCheck[] {
  const tools = context.doctor;
  const transport = actor.login === undefined ? undefined : context.logins.means(actor.login)?.transport;
  return [
    ['host', () => Promise.resolve(checkHost(context))],
    ['incus', () => checkIncus(context, signal)],
    ['events', () => Promise.resolve(checkMirror(context))],
    ['storage', () => checkStorage(context, signal)],
    ['pool', () => checkPool(context, tools, signal)],
    ['subvolumes', () => checkSubvolumes(context, tools, signal)],
    ['network', () => checkNetwork(context, signal)],
    ['firewall', () => checkFirewall(context, context.firewall, signal)],
    ['kernel', () => checkKernel(context, signal)],
    ['isolation', () => checkIsolation(context, signal)],
    ['subordinate ids', () => checkSubordinateIds(context, signal)],
    ['AppArmor', () => checkAppArmor(context, signal).catch(asWarning)],
    ['packages', () => checkPackages(context, tools, signal).catch(asWarning)],
    ['kernel package', () => checkKernelPackage(context, tools, signal).catch(asWarning)],
    ['Node.js', () => checkNode(context, tools, signal).catch(asWarning)],
    ['known holes', () => checkHoles(context, tools, signal).catch(asWarning)],
    ['image', () => checkImage(context, signal)],
    ['jump accounts', () => checkAccounts(context, signal)],
    ['front', () => Promise.resolve(checkFront(context, tools))],
    ['key exchange', () => Promise.resolve(checkKeyExchange(transport))],
    ['host key', () => checkHostKey(tools.server, context.now())],
    ['admin keys', () => Promise.resolve(checkAdminKeys(tools.server, context.now()))],
    ['remote interface', () => Promise.resolve(checkRemote(context))],
    ['limits', () => checkLimits(tools.server)],
    ['host name', () => Promise.resolve(checkHostname(context))],
    ['sshd', () => checkSshd(context, tools, signal)],
    ['connections', () => checkConnections(context, tools, signal)],
    ['operations', () => Promise.resolve(checkOperations(context))],
    ['backups', () => checkBackups(context, tools, signal)],
    ['schedule', () => Promise.resolve(checkSchedule(context.schedule.list()))],
    ['alerts', () => Promise.resolve(checkAlerts(context.alerts.open.length, context.alerts.delivery.channels))],
    ['state', () => checkState(tools.server)],
    ['journal', () => checkJournal(tools, signal)],
  ];
}

async function outcomes(checks: readonly NamedCheck[]): Promise<Check[]> {
  const done: Check[] = [];
  for (const [name, check] of checks) done.push({ name, ...(await check().catch(asProblem)) });
  return done;
}

function asProblem(error: unknown): Outcome {
  const failure = Failure.from(error);
  return problem(`${failure.what}: ${failure.why}`, failure.next);
}

/** For checks of what containarium does not depend on: it works without an answer. */
function asWarning(error: unknown): Outcome {
  const failure = Failure.from(error);
  return warning(`not known: ${failure.what}: ${failure.why}`, failure.next);
}
