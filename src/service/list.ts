/** `list`: the containers of this system, and the number of other instances. */
import type { ContainerList } from '../domain/results/container.ts';
import { selects, type Selection } from '../domain/results/selection.ts';
import { toContainer } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { ownerOfInstance } from './instances/metadata.ts';
import { foreignAmong } from './foreign.ts';
import { withGenerations } from './snapshots/generations.ts';

export async function listContainers(
  context: HostContext,
  selection: Selection,
  call: Pick<Call, 'signal'>,
): Promise<ContainerList> {
  const [instances, inUse, kills] = await Promise.all([
    context.incus.instancesWithState(call.signal),
    context.incus.memoryInUse(call.signal),
    context.oomLog.kills(),
  ]);
  const ours = instances
    .filter((instance) => ownerOfInstance(instance) !== undefined)
    .map((instance) => ({
      ...toContainer(withGenerations(instance, instances), inUse, kills),
      lastBackupAt: context.backupAges.of(instance.name),
    }));
  const containers = ours.filter((container) => selects(selection, container));
  return {
    containers,
    total: containers.length,
    running: containers.filter((c) => c.status === 'running').length,
    stopped: containers.filter((c) => c.status === 'stopped').length,
    foreign: foreignAmong(instances).length,
  };
}
