/** Diagnoses the host. Each check tests one thing; a check that cannot run is a problem, never a pass. */
import { Failure } from '../domain/failure.ts';
import type { Check, Diagnosis, Severity } from '../domain/results/upkeep.ts';
import { formatHuman } from '../domain/values/size.ts';
import { jumpSettingFaults } from '../host/jumpSettings.ts';
import { lowLimits } from '../host/kernelLimits.ts';
import type { DoctorTools } from './checks/tools.ts';
import type { Call, HostContext } from './instances/context.ts';
import { hostnameWarnings } from './instances/jumpHost.ts';
import type { ServiceContext } from './context.ts';
import { ok, problem, warning, type Outcome } from './checks/outcome.ts';
import { preparedImage } from './images/preparedImage.ts';
import { isOurAccount } from './instances/jumpAccount.ts';
import { ownerOfInstance } from './instances/metadata.ts';
import { findPlacement } from './instances/placement.ts';
import { checkAdminKeys, checkHostKey, checkKeyExchange, checkLimits, checkState } from './checks/serverChecks.ts';

export async function diagnose(context: ServiceContext, _input: object, { actor, signal }: Call): Promise<Diagnosis> {
  const tools = context.doctor;
  const transport = actor.login === undefined ? undefined : context.logins.means(actor.login)?.transport;
  const checks: readonly (readonly [string, () => Promise<Outcome>])[] = [
    ['host', () => Promise.resolve(checkHost(context))],
    ['incus', () => checkIncus(context, signal)],
    ['storage', () => checkStorage(context, signal)],
    ['pool', () => checkPool(context, tools, signal)],
    ['network', () => checkNetwork(context, signal)],
    ['kernel', () => checkKernel(context)],
    ['image', () => checkImage(context, signal)],
    ['jump accounts', () => checkAccounts(context, signal)],
    ['front', () => Promise.resolve(checkFront(context, tools))],
    ['key exchange', () => Promise.resolve(checkKeyExchange(transport))],
    ['host key', () => checkHostKey(tools.server, context.now())],
    ['admin keys', () => Promise.resolve(checkAdminKeys(tools.server, context.now()))],
    ['limits', () => checkLimits(tools.server)],
    ['host name', () => Promise.resolve(checkHostname(context))],
    ['sshd', () => checkSshd(context, tools, signal)],
    ['operations', () => Promise.resolve(checkOperations(context))],
    ['state', () => checkState(tools.server)],
    ['journal', () => checkJournal(tools, signal)],
  ];
  const done: Check[] = [];
  for (const [name, check] of checks) done.push({ name, ...(await check().catch(asProblem)) });
  const order: readonly Severity[] = ['ok', 'warning', 'problem'];
  const worst = done.reduce<Severity>(
    (soFar, { severity }) => (order.indexOf(severity) > order.indexOf(soFar) ? severity : soFar),
    'ok',
  );
  return { host: context.host, checks: done, worst };
}

function asProblem(error: unknown): Outcome {
  const failure = Failure.from(error);
  return problem(`${failure.what}: ${failure.why}`, failure.next);
}

function checkHost({ host }: HostContext): Outcome {
  return host.simulated
    ? warning(`simulated: ${host.why}`, 'containarium serve --real prepares a real host')
    : ok('Incus');
}

async function checkIncus({ incus }: HostContext, signal: AbortSignal): Promise<Outcome> {
  const { environment, auth } = await incus.server(signal);
  return auth === 'trusted'
    ? ok(`Incus ${environment.server_version}, kernel ${environment.kernel_version}`)
    : problem('Incus does not trust this user', 'run the server as root');
}

async function checkStorage(context: HostContext, signal: AbortSignal): Promise<Outcome> {
  const placement = await findPlacement(context, signal);
  const { usedBytes, totalBytes } = await context.incus.poolSpace(placement.pool, signal);
  const share = totalBytes === 0 ? 0 : usedBytes / totalBytes;
  const text = `pool ${placement.pool} (${placement.driver}), ${formatHuman(usedBytes)} of ${formatHuman(totalBytes)} used`;
  if (share > 0.95) return problem(text, 'enlarge the pool before it is full');
  if (!placement.quotas)
    return warning(
      `${text}; this driver has no quotas, and one container can slow down the others`,
      'use a zfs or btrfs pool',
    );
  return share > 0.8 ? warning(text, 'enlarge the pool') : ok(text);
}

/** Checks the pool's status in Incus and, with ZFS, the health of the zpool. */
async function checkPool(context: HostContext, { poolTrouble }: DoctorTools, signal: AbortSignal): Promise<Outcome> {
  const { pool: name } = await findPlacement(context, signal);
  const pool = (await context.incus.pools(signal)).find((candidate) => candidate.name === name);
  if (pool === undefined) return problem(`pool ${name} is gone`);
  if (pool.status !== '' && pool.status !== 'Created')
    return problem(`pool ${name}: Incus says ${pool.status}`, `incus storage show ${name}`);
  if (pool.driver !== 'zfs' || context.host.simulated) return ok(`pool ${name} exists`);
  const [zpool = name] = (pool.config['zfs.pool_name'] ?? pool.config['source'] ?? name).split('/');
  try {
    const trouble = await poolTrouble(zpool, signal);
    return trouble === undefined
      ? ok(`pool ${name} is healthy`)
      : problem(`pool ${name}: ${trouble}`, `zpool status -v ${zpool}`);
  } catch (error) {
    const failure = Failure.from(error);
    // Incus may bring its own ZFS tools, so the host can lack them.
    if (failure.code === 'program-missing')
      return warning(`pool ${name} exists; its health is unknown`, 'install zfsutils-linux');
    throw failure;
  }
}

async function checkNetwork(context: HostContext, signal: AbortSignal): Promise<Outcome> {
  const [placement, server] = await Promise.all([findPlacement(context, signal), context.incus.server(signal)]);
  const text = `bridge ${placement.network} ${placement.gateway}`;
  return context.host.simulated || server.environment.firewall === 'nftables'
    ? ok(text)
    : warning(`${text}; firewall driver ${server.environment.firewall ?? 'unknown'}`, 'install nftables');
}

async function checkKernel({ host }: HostContext): Promise<Outcome> {
  if (host.simulated) return ok('not used by the simulated host');
  const low = await lowLimits();
  return low.length === 0
    ? ok('the limits that all containers share are high enough')
    : warning(`too low for many containers: ${low.join(', ')}`, 'containarium serve --real raises them');
}

async function checkImage(context: HostContext, signal: AbortSignal): Promise<Outcome> {
  const { base } = context.settings.image;
  const image = await preparedImage(context, base, signal);
  if (image === undefined)
    return warning(`no prepared image for ${base} yet`, '"image build" builds it now; otherwise the first create does');
  return image.current
    ? ok(`${image.alias}, ${formatHuman(image.sizeBytes)}`)
    : warning(`${image.alias} was built by another version`, '"image build" builds it again');
}

async function checkAccounts(context: HostContext, signal: AbortSignal): Promise<Outcome> {
  const { accounts, incus, settings } = context;
  const [all, groupId, instances] = await Promise.all([
    accounts.all(signal),
    accounts.groupId(settings.jump.group, signal),
    incus.instances(signal),
  ]);
  const owners = new Set<string>(instances.flatMap((instance) => ownerOfInstance(instance) ?? []));
  const ours = all.filter((account) => isOurAccount(account, groupId));
  const orphans = ours.filter((account) => !owners.has(account.name)).length;
  const missing = [...owners].filter((owner) => !ours.some((account) => account.name === owner)).length;
  const busy = context.operations.open().length;
  if (busy === 0 && orphans + missing > 0)
    return problem(
      `${missing} missing, ${orphans} without a container`,
      '"reconcile" shows them, "reconcile --apply" repairs them',
    );
  return ok(`${ours.length} for ${owners.size} containers`);
}

function checkFront({ host }: HostContext, { front }: DoctorTools): Outcome {
  const text =
    front.name === null
      ? 'the SSH server runs as the user who started it'
      : `the SSH server runs as ${front.name}${front.unit ? ', in its own systemd unit' : ''}`;
  if (!front.shared || host.simulated) return ok(text);
  return warning(
    `${text}, a user that it shares with other programs`,
    'containarium serve --real creates a dedicated user; npm run service:install adds a systemd unit of its own',
  );
}

function checkHostname(context: HostContext): Outcome {
  const [unset] = hostnameWarnings(context);
  return unset === undefined
    ? ok(`ssh configurations name ${context.settings.jump.hostname ?? ''}`)
    : warning(unset, 'set jump.hostname to the name of this host, as users reach it');
}

async function checkSshd(context: HostContext, tools: DoctorTools, signal: AbortSignal): Promise<Outcome> {
  if (context.host.simulated) return ok('not used by the simulated host');
  const { accounts, settings } = context;
  const groupId = await accounts.groupId(settings.jump.group, signal);
  const account = (await accounts.all(signal)).find((candidate) => isOurAccount(candidate, groupId));
  if (account === undefined) return ok('no jump account yet');
  const found = await tools.sshd.settingsFor(account.name, signal);
  const faults = jumpSettingFaults(found, tools.authorizedKeysFolder);
  if (faults.length > 0)
    return problem(`for jump accounts ${faults.join('; ')}`, 'containarium serve --real installs the sshd drop-in');
  const listens = listenAddress(found.get('listenaddress') ?? '');
  if (
    listens !== undefined &&
    (await context.keyscan.hostKey(listens.address, { port: listens.port, signal })) === undefined
  ) {
    return problem(
      `the drop-in for jump accounts is in force, but no sshd answers on ${listens.address} port ${listens.port}`,
      'start it: systemctl enable --now ssh',
    );
  }
  return ok('the drop-in for jump accounts is in force');
}

/** Turns a listen address of `sshd -T` (`0.0.0.0:22`, `[::]:22`) into an address to connect to. */
function listenAddress(text: string): { readonly address: string; readonly port: number } | undefined {
  const [, host, port] = /^\[?([0-9a-f.:]+?)\]?:(\d+)$/i.exec(text) ?? [];
  if (host === undefined || port === undefined) return undefined;
  return { address: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port: Number(port) };
}

function checkOperations({ operations }: HostContext): Outcome {
  const open = operations.unfinished();
  if (open.length === 0) return ok('none unfinished');
  return warning(
    open.map((operation) => `"${operation.verb} ${operation.target}" since ${operation.startedAt}`).join('; '),
    'wait, or run "reconcile --apply"',
  );
}

async function checkJournal(tools: DoctorTools, signal: AbortSignal): Promise<Outcome> {
  const verified = await tools.verifyJournal(signal);
  return verified.ok
    ? ok(`${verified.records} records, head ${verified.head.seq} ${verified.head.hash.slice(0, 16)}`)
    : problem(
        `${verified.firstBad.segment} line ${verified.firstBad.line}: ${verified.firstBad.reason}`,
        '"audit verify" shows where; do not change the files',
      );
}
