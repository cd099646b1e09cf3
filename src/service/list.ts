/** `list`: the containers of this system, and the number of other instances. */
import type { ContainerList } from '../domain/results/container.ts';
import { selects, type Selection } from '../domain/results/selection.ts';
import { toContainer } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { ownerOfInstance } from './instances/metadata.ts';
import { foreignAmong } from './foreign.ts';
import { generationsAmong, withGenerations } from './snapshots/generations.ts';

export async function listContainers(
  context: HostContext,
  selection: Selection,
  call: Pick<Call, 'signal'>,
): Promise<ContainerList> {
  const [{ instances, memoryInUse, measuredAt }, kills] = await Promise.all([
    context.mirror.read(call.signal),
    context.oomLog.listedKills(),
  ]);
  const generations = generationsAmong(instances);
  const ours = instances
    .filter((instance) => ownerOfInstance(instance) !== undefined)
    .map((instance) => ({
      ...toContainer(withGenerations(instance, generations), memoryInUse, kills),
      lastBackupAt: context.backupAges.of(instance.name),
    }));
  const containers = ours.filter((container) => selects(selection, container));
  return {
    containers,
    total: containers.length,
    running: containers.filter((c) => c.status === 'running').length,
    stopped: containers.filter((c) => c.status === 'stopped').length,
    foreign: foreignAmong(instances).length,
    measuredAt: measuredAt.toISOString(),
  };
}
