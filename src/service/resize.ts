/** Resizes a container: all checks first, then one request to Incus that changes everything or nothing. */
import { Failure } from '../domain/failure.ts';
import type { ResizeResult } from '../domain/results/changes.ts';
import { ensureMinimum } from '../domain/values/minSizes.ts';
import { formatExact, formatHuman, parseIncusSize } from '../domain/values/size.ts';
import type { Username } from '../domain/values/username.ts';
import type { IncusInstance } from '../host/incus/documents.ts';
import { memoryUsed } from './instances/memory.ts';
import { changeableInstanceOf, rootDevice } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { capacityWarnings, capacityWith } from './instances/capacity.ts';
import { findPlacement } from './instances/placement.ts';

export interface ResizeRequest {
  readonly user: Username;
  readonly cpu?: number | undefined;
  readonly memory?: number | undefined;
  readonly disk?: number | undefined;
  readonly processes?: number | undefined;
}

type Change = ResizeResult['changes'][number];
type Devices = Record<string, Record<string, string>>;

interface Plan {
  readonly instance: IncusInstance;
  readonly changes: Change[];
  readonly to: { config: Record<string, string>; devices: Devices };
  readonly back: { config: Record<string, string>; devices: Devices };
}

export async function resizeContainer(context: HostContext, request: ResizeRequest, call: Call): Promise<ResizeResult> {
  const { user } = request;
  let plan = await planResize(context, request, { own: false });
  const nothing = { user, container: plan.instance.name, changes: [], operation: null };
  if (plan.changes.length === 0) return nothing;
  const warnings = await warningsOf(context, request);
  return context.operations.run(
    {
      verb: 'resize',
      target: user,
      actor: call.actor,
      input: Object.fromEntries(plan.changes.map((change) => [change.what, change.to])),
    },
    async () => {
      plan = await planResize(context, request, { own: true });
    },
    async (operation) => {
      const { instance, to, back, changes } = plan;
      const previous = JSON.stringify({ config: back.config, devices: back.devices });
      await operation.step(context.steps.patchInstance, { instance: instance.name, previous }, () =>
        context.incus.patch(instance.name, { config: to.config, devices: to.devices }),
      );
      return {
        user,
        container: instance.name,
        changes,
        ...(warnings.length === 0 ? {} : { warnings }),
        operation: operation.id,
      };
    },
  );
}

/** Returns a warning for each wanted limit that the host cannot give. */
async function warningsOf({ incus, ...context }: HostContext, request: ResizeRequest): Promise<string[]> {
  const space =
    request.disk === undefined ? undefined : await incus.poolSpace((await findPlacement({ incus, ...context })).pool);
  return capacityWarnings(request, capacityWith(space?.totalBytes ?? 0));
}

async function planResize(context: HostContext, request: ResizeRequest, { own }: { own: boolean }): Promise<Plan> {
  const instance = await changeableInstanceOf(context, request.user, { own });
  const plan: Plan = { instance, changes: [], to: { config: {}, devices: {} }, back: { config: {}, devices: {} } };
  if (request.cpu !== undefined) planConfig(plan, 'cpu', 'limits.cpu', String(request.cpu));
  if (request.memory !== undefined) {
    const used = memoryUsed(instance, await context.incus.memoryInUse()) ?? 0;
    if (used > request.memory)
      throw belowUse('memory', request.memory, used, 'stop programs in the container, or choose a larger size');
    ensureMinimum('memory', request.memory);
    const now = parseIncusSize(instance.config['limits.memory'] ?? '');
    if (now !== request.memory) planConfig(plan, 'memory', 'limits.memory', formatExact(request.memory));
  }
  if (request.processes !== undefined) planProcesses(plan, request.processes);
  if (request.disk !== undefined) await planDisk(context, plan, request.disk);
  return plan;
}

/** Refuses a limit below the number of running processes, with which no further program could start. */
function planProcesses(plan: Plan, limit: number): void {
  const running = plan.instance.state?.processes ?? 0;
  if (running >= limit) {
    throw new Failure('below-use', {
      what: `process limit ${limit}`,
      why: `${running} processes and threads are running`,
      next: 'stop programs in the container, or choose a larger limit',
      details: { wanted: limit, used: running },
    });
  }
  planConfig(plan, 'processes', 'limits.processes', String(limit));
}

function planConfig(plan: Plan, what: Change['what'], key: string, value: string): void {
  const before = plan.instance.config[key];
  if (before === value) return;
  plan.changes.push({ what, from: before ?? null, to: value });
  plan.to.config[key] = value;
  // An empty value unsets a key that was not set before.
  plan.back.config[key] = before ?? '';
}

async function planDisk(context: HostContext, plan: Plan, bytes: number): Promise<void> {
  const { instance } = plan;
  const root = rootDevice(instance);
  if (root === undefined || !root.own) {
    throw new Failure('wrong-state', {
      what: `container "${instance.name}"`,
      why: 'its root disk comes from a profile',
      next: `incus config device override ${instance.name} ${root?.name ?? 'root'} size=${formatExact(bytes)}`,
    });
  }
  const placement = await findPlacement(context);
  if (!placement.quotas) {
    throw new Failure('settings', {
      what: `storage pool "${placement.pool}"`,
      why: `its driver (${placement.driver}) has no quotas`,
    });
  }
  const before = root.device['size'];
  if (parseIncusSize(before ?? '') === bytes) return;
  ensureRoom(instance, parseIncusSize(before ?? ''), bytes);
  ensureMinimum('disk', bytes);
  const size = formatExact(bytes);
  plan.changes.push({ what: 'disk', from: before ?? null, to: size });
  plan.to.devices[root.name] = { ...root.device, size };
  plan.back.devices[root.name] = { ...root.device };
}

/**
 * Refuses a disk smaller than its usage. This is checked before any change because btrfs rejects such a quota and
 * enforces it all the same. If Incus does not know the usage (-1 or absent), a disk may only grow.
 */
function ensureRoom(instance: IncusInstance, beforeBytes: number | undefined, bytes: number): void {
  const used = instance.state?.disk?.['root']?.usage ?? -1;
  if (used >= bytes) throw belowUse('disk', bytes, used, 'delete files in the container, or choose a larger size');
  if (used >= 0 || (beforeBytes !== undefined && beforeBytes < bytes)) return;
  throw new Failure('wrong-state', {
    what: `disk ${formatExact(bytes)}`,
    why: 'Incus does not know how much of it is in use, so it cannot be made smaller',
    next: 'start the container and try again',
  });
}

function belowUse(what: string, wanted: number, used: number, next: string): Failure {
  return new Failure('below-use', {
    what: `${what} ${formatExact(wanted)}`,
    why: `${formatHuman(used)} is in use`,
    next,
    details: { wantedBytes: wanted, usedBytes: used },
  });
}
