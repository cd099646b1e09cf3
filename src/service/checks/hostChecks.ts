/** The checks of `doctor` for the host: jump accounts, sshd, its name, and the user of the front. */
import { jumpSettingFaults, offeredMethods, serverSettingFaults } from '../../host/jumpSettings.ts';
import type { Settings } from '../../settings/settings.ts';
import type { HostContext } from '../instances/context.ts';
import { isOurAccount } from '../instances/jumpAccount.ts';
import { hostnameWarnings } from '../instances/jumpHost.ts';
import { ownerOfInstance, provisioningOf } from '../instances/metadata.ts';
import { ok, problem, warning, type Outcome } from './outcome.ts';
import type { DoctorTools } from './tools.ts';

export function checkHost({ host }: HostContext): Outcome {
  return host.simulated
    ? warning(`simulated: ${host.why}`, 'containarium serve --real prepares a real host')
    : ok('Incus');
}

export async function checkAccounts(context: HostContext, signal: AbortSignal): Promise<Outcome> {
  const { accounts, incus, operations, settings } = context;
  const busy = new Set(operations.open().map(({ target }) => target));
  const [all, groupId, instances] = await Promise.all([
    accounts.all(signal),
    accounts.groupId(settings.jump.group, signal),
    incus.instances(signal),
  ]);
  // An operation that began meanwhile may have changed one side and not yet the other.
  for (const { target } of operations.open()) busy.add(target);
  const owned = instances.flatMap((instance) => {
    const user = ownerOfInstance(instance);
    return user === undefined ? [] : [{ user, ready: provisioningOf(instance) === 'ready' }];
  });
  const owners = new Set<string>(owned.map(({ user }) => user));
  const ours = all.filter((account) => isOurAccount(account, groupId));
  const names = new Set(ours.map(({ name }) => name));
  // A container that was left unfinished may lack its account, and "reconcile --apply" makes none for it.
  const missing = owned.filter(({ user, ready }) => ready && !names.has(user) && !busy.has(user)).length;
  const orphans = ours.filter(({ name }) => !owners.has(name) && !busy.has(name)).length;
  if (orphans + missing > 0)
    return problem(
      `${missing} missing, ${orphans} without a container`,
      '"reconcile" shows them, "reconcile --apply" repairs them',
    );
  return ok(`${ours.length} for ${owners.size} containers`);
}

export function checkFront({ host }: HostContext, { front }: DoctorTools): Outcome {
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

export function checkHostname(context: HostContext): Outcome {
  const [unset] = hostnameWarnings(context);
  return unset === undefined
    ? ok(`ssh configurations name ${context.settings.jump.hostname ?? ''}`)
    : warning(unset, 'set jump.hostname to the name of this host, as users reach it');
}

export async function checkSshd(context: HostContext, tools: DoctorTools, signal: AbortSignal): Promise<Outcome> {
  if (context.host.simulated) return ok('not used by the simulated host');
  const { accounts, settings } = context;
  const groupId = await accounts.groupId(settings.jump.group, signal);
  const all = await accounts.all(signal);
  const account = all.find((candidate) => isOurAccount(candidate, groupId));
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
  const unknown = await tools.sshd.settingsFor(unknownName(all.map(({ name }) => name)), signal);
  return judgeServer(settings.jump, found, unknown) ?? ok('the drop-in for jump accounts is in force');
}

/** Returns a name that no account has. */
function unknownName(taken: readonly string[]): string {
  let name = 'nosuchuser';
  while (taken.includes(name)) name += 'x';
  return name;
}

/** Judges the settings for every connection, from those of a jump account and of a name that no account has. */
export function judgeServer(
  { pendingLoginsPerSource, passwordLogins }: Settings['jump'],
  jump: ReadonlyMap<string, string>,
  unknown: ReadonlyMap<string, string>,
): Outcome | undefined {
  const wanted = { pendingLoginsPerSource, passwordLogins: passwordLogins ?? true };
  const faults = serverSettingFaults(unknown, wanted);
  if (faults.length > 0) {
    return warning(
      `for all connections ${faults.join('; ')}`,
      'containarium serve --real installs the sshd drop-in; if it is installed, remove these settings from the files that sshd reads before it',
    );
  }
  const [offered, own] = [unknown, jump].map((settings) => offeredMethods(settings).join(', '));
  if (offered === own) return undefined;
  return warning(
    `a name without an account is offered ${offered || 'nothing'}, a jump account ${own || 'nothing'}: anyone can find out who has a container`,
    'set jump.passwordLogins to false and run containarium serve --real, or put "PasswordAuthentication no" and "KbdInteractiveAuthentication no" at the top of the configuration of sshd',
  );
}

/** Turns a listen address of `sshd -T` (`0.0.0.0:22`, `[::]:22`) into an address to connect to. */
function listenAddress(text: string): { readonly address: string; readonly port: number } | undefined {
  const [, host, port] = /^\[?([0-9a-f.:]+?)\]?:(\d+)$/i.exec(text) ?? [];
  if (host === undefined || port === undefined) return undefined;
  return { address: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port: Number(port) };
}
