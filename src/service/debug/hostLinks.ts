/** The links of a login that are on the host: the jump account, its keys, sshd, and bans. */
import { AddressList } from '../../domain/values/addressList.ts';
import type { Username } from '../../domain/values/username.ts';
import { jumpShell } from '../../host/accounts.ts';
import { jumpSettingFaults } from '../../host/jumpSettings.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import { ok, problem, warning, type Outcome } from '../checks/outcome.ts';
import type { DoctorTools } from '../checks/tools.ts';
import { addressOf } from '../instances/containers.ts';
import type { HostContext } from '../instances/context.ts';
import { isOurAccount, jumpKeysText } from '../instances/jumpAccount.ts';
import { decodeKeys, field } from '../instances/metadata.ts';
import { plural } from '../../domain/text.ts';
import type { BanInfo } from '../../domain/access/ban.ts';

const repair = '"reconcile --apply"';

/** The account on the host that the client logs in to first. */
export async function checkAccount(
  { accounts, settings }: HostContext,
  user: Username,
  signal: AbortSignal,
): Promise<Outcome> {
  const [account, groupId] = await Promise.all([
    accounts.account(user, signal),
    accounts.groupId(settings.jump.group, signal),
  ]);
  if (account === undefined) return problem(`the host has no account ${user}`, repair);
  if (!isOurAccount(account, groupId))
    return problem(
      `the account ${user} of the host was not created by containarium`,
      `rename or remove that account on the host, then ${repair}`,
    );
  return account.shell === jumpShell
    ? ok(`the account ${user}, for jumping only`)
    : problem(`the shell of the account is ${account.shell}`, repair);
}

/** The keys that the user has at all. */
export function checkKeys(user: Username, { config }: IncusInstance): Outcome {
  const keys = decodeKeys(config[field.keys]);
  return keys.length === 0
    ? problem('the user has no key', `"key add ${user}" with the public key on standard input`)
    : ok(`${plural(keys.length, 'key')}; "key list ${user}" shows them`);
}

/** The file from which sshd reads them. */
export async function checkJumpKeys(
  { jumpKeys }: HostContext,
  user: Username,
  instance: IncusInstance,
): Promise<Outcome> {
  const address = addressOf(instance);
  if (address === null) return problem('the container has no fixed address to jump to', '"doctor"');
  const wanted = jumpKeysText(user, address, decodeKeys(instance.config[field.keys]));
  const present = await jumpKeys.read(user);
  if (present === wanted) return ok(`the same keys, which may only jump to ${address}`);
  return problem(
    present === undefined ? 'the account has no file of keys' : 'the keys of the account are not those of the user',
    repair,
  );
}

/** How sshd treats the account. */
export async function checkJumpSshd(
  { host }: HostContext,
  tools: DoctorTools,
  user: Username,
  signal: AbortSignal,
): Promise<Outcome> {
  if (host.simulated) return ok('not used by the simulated host');
  const faults = jumpSettingFaults(await tools.sshd.settingsFor(user, signal), tools.authorizedKeysFolder);
  return faults.length === 0
    ? ok('the settings for jump accounts are in force')
    : problem(`for this account ${faults.join('; ')}`, 'containarium serve --real installs the sshd drop-in');
}

/** Bans and penalties of port 2222 for the client's address. */
export function checkBans(bans: readonly BanInfo[], from: string | undefined): Outcome {
  if (from === undefined)
    return bans.length === 0
      ? ok('nobody is banned from port 2222')
      : warning(
          `${plural(bans.length, 'ban or penalty', 'bans and penalties')} in force at port 2222; which concern this client depends on its address`,
          'name the address with --from',
        );
  const found = bans.find(({ network }) => AddressList.parse(network).has(from));
  return found === undefined
    ? ok(`${from} is not banned from port 2222`)
    : problem(`${found.network} is kept from port 2222: ${found.reason ?? 'banned'}`, `"ban lift ${found.network}"`);
}
