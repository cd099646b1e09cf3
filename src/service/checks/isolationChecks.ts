/** The checks of `doctor` for what keeps containers apart: their configuration, and the ids and limits of the host. */
import { isTrue } from '../../host/incus/booleans.ts';
import { plural } from '../../domain/text.ts';
import { lowLimits } from '../../host/kernelLimits.ts';
import {
  idChange,
  preparedContainers,
  readSubordinateIds,
  rootIds,
  type SubordinateIds,
} from '../../host/subordinateIds.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import { isolatedKey } from '../../host/incus/idChoice.ts';
import type { HostContext } from '../instances/context.ts';
import { ownerOfInstance, provisioningOf } from '../instances/metadata.ts';
import { isolationChange, pendingIsolation } from '../isolation/change.ts';
import { ok, problem, warning, type Outcome } from './outcome.ts';

export async function checkIsolation({ incus, settings }: HostContext, signal: AbortSignal): Promise<Outcome> {
  const [instances, hasAutorestart] = await Promise.all([incus.instances(signal), incus.hasAutorestart(signal)]);
  const ours = instances.filter(
    (instance) => ownerOfInstance(instance) !== undefined && provisioningOf(instance) === 'ready',
  );
  const lacking = ours.filter((instance) => isolationChange(instance, settings, hasAutorestart) !== undefined);
  if (lacking.length > 0)
    return warning(
      `${lacking.length} of ${plural(ours.length, 'container')} lack configuration that keeps them apart from the others`,
      '"reconcile --apply" sets it',
    );
  const shared = sharingIds(instances);
  if (shared.length > 0)
    return problem(
      `${shared.join(' and ')} have the same user ids, because they were isolated at the same time`,
      `on the host, "incus config unset" and then "incus config set" security.idmap.isolated=true of one of them, and restart it`,
    );
  const pending = ours.flatMap((instance) =>
    pendingIsolation(instance).length === 0 ? [] : [ownerOfInstance(instance) ?? ''],
  );
  const verbs = pending.slice(0, maxNamed).map((user) => `"restart ${user}"`);
  if (pending.length > 0)
    return warning(
      `${plural(pending.length, 'container')} to restart before they are apart from the others`,
      `${verbs.join(', ')}${pending.length > verbs.length ? ' and more, see "list"' : ''}`,
    );
  return ok(`${plural(ours.length, 'container')} with ids of their own, a process limit and no guest API`);
}

/** Returns the names of isolated instances whose ids are also those of another; empty if there are none. */
function sharingIds(instances: readonly IncusInstance[]): string[] {
  const byBase = Map.groupBy(
    instances.filter(({ config }) => isTrue(config[isolatedKey])),
    ({ config }) => config['volatile.idmap.base'],
  );
  return [...byBase]
    .flatMap(([base, sharing]) => (base === undefined || sharing.length === 1 ? [] : [sharing]))
    .flat()
    .map(({ name }) => name);
}

const maxNamed = 5;

/** Below this number of further containers, more ids are urgent. */
const fewContainers = 10;

/** Checks the ids from which Incus takes those of containers. */
export async function checkSubordinateIds(
  { host, incus }: HostContext,
  signal: AbortSignal,
  read: () => Promise<SubordinateIds> = readSubordinateIds,
): Promise<Outcome> {
  if (host.simulated) return ok('not used by the simulated host');
  const [ids, instances] = await Promise.all([read(), incus.instances(signal)]);
  const root = rootIds(ids);
  const mend =
    idChange(ids) === null
      ? `give root one range of ${(preparedContainers + 2) * 65_536} ids or more, the same in /etc/subuid and /etc/subgid (usermod --add-subuids, --add-subgids), then restart Incus and the containers`
      : 'containarium serve --real adds them';
  if ('fault' in root) return problem(`${faults[root.fault]}, so containers cannot have ids of their own`, mend);
  const text = `root has ids for ${plural(root.containers, 'container')}, Incus has ${plural(instances.length, 'instance')}`;
  if (root.containers < instances.length + fewContainers) return problem(text, mend);
  return root.containers < preparedContainers ? warning(text, mend) : ok(text);
}

const faults = {
  none: 'root has no subordinate ids',
  several: 'root has several ranges of subordinate ids',
  differ: 'root has different subordinate user and group ids',
} as const;

/** Checks the limits of the kernel that all containers share, and whether it has ids for all their processes. */
export async function checkKernel(
  { host, incus, settings }: HostContext,
  signal: AbortSignal,
  sysctls = '/proc/sys',
): Promise<Outcome> {
  if (host.simulated) return ok('not used by the simulated host');
  const instances = await incus.instances(signal);
  const low = await lowLimits(settings.sysctl, sysctls);
  const processes = instances.reduce(
    (sum, instance) => sum + (processLimit(instance) ?? settings.defaults.processes),
    hostProcesses,
  );
  const short = low.filter(({ name, value }) => name === 'kernel.pid_max' && value < processes);
  const raise = 'containarium serve --real raises them';
  if (short.length > 0)
    return problem(`${plural(instances.length, 'instance')} may run more processes than kernel.pid_max allows`, raise);
  return low.length === 0
    ? ok('the limits that all containers share are high enough')
    : warning(
        `too low for ${plural(instances.length, 'instance')} that share them: ${low.map(({ name, value }) => `${name} (${value})`).join(', ')}`,
        raise,
      );
}

/** Returns the process limit of an instance, its profiles included; undefined if it has none that is a number. */
function processLimit({ config, expanded_config }: IncusInstance): number | undefined {
  const limit = Number.parseInt(config['limits.processes'] ?? expanded_config?.['limits.processes'] ?? '', 10);
  return limit > 0 ? limit : undefined;
}

/** Process ids that the host itself needs. */
const hostProcesses = 4096;
