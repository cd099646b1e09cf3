/** The host as a whole: versions, capacity, storage, network and image. */
import { cpus, freemem, hostname, totalmem, uptime } from 'node:os';
import type { HostInfo } from '../domain/results/about.ts';
import type { HostContext } from './instances/context.ts';
import { imageAlias, preparedImage } from './images/preparedImage.ts';
import { ownerOfInstance } from './instances/metadata.ts';
import { findPlacement } from './instances/placement.ts';

export async function hostInfo(context: HostContext, signal: AbortSignal): Promise<HostInfo> {
  const { incus, settings } = context;
  const placement = await findPlacement(context, signal);
  const [server, instances, space, image] = await Promise.all([
    incus.server(signal),
    context.mirror.instances(signal),
    incus.poolSpace(placement.pool, signal),
    preparedImage(context, settings.image.base, signal),
  ]);
  const ours = instances.filter((instance) => ownerOfInstance(instance) !== undefined);
  return {
    kind: context.host.kind,
    why: context.host.why,
    hostname: hostname(),
    uptimeSeconds: Math.floor(uptime()),
    os: [server.environment.os_name, server.environment.os_version].filter(Boolean).join(' '),
    incusVersion: server.environment.server_version,
    kernel: server.environment.kernel_version,
    containers: { total: ours.length, running: ours.filter((instance) => instance.status === 'Running').length },
    cpus: cpus().length,
    memoryTotalBytes: totalmem(),
    memoryFreeBytes: freemem(),
    pool: { name: placement.pool, driver: placement.driver, usedBytes: space.usedBytes, totalBytes: space.totalBytes },
    network: { name: placement.network, address: placement.gateway },
    image: { alias: imageAlias(settings.image.base), ready: image !== undefined, base: settings.image.base },
  };
}
