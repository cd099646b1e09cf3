/** `start`, `stop`, `restart`. A container that is already in the wanted state is not an error. */
import { Failure } from '../domain/failure.ts';
import type { StateChange } from '../domain/results/changes.ts';
import type { Username } from '../domain/values/username.ts';
import type { IncusInstance } from '../host/incus/documents.ts';
import { isAlready } from '../host/incus/incus.ts';
import type { InstanceSpec } from '../host/incus/incus.ts';
import type { Running } from '../journal/operations.ts';
import { endConnectionsStep, type EndedConnections } from './instances/connections.ts';
import { changeableInstanceOf } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { field } from './instances/metadata.ts';
import { inverse } from './instances/retirement.ts';
import { targetContainer } from './instances/target.ts';
import { noteUnlessReachable } from './instances/waiting.ts';
import { shiftsIds } from './isolation/config.ts';
import { unboundNics } from './isolation/nic.ts';

type Verb = 'start' | 'stop' | 'restart';

interface PowerRequest {
  readonly user?: Username | undefined;
  /** Kill processes that do not shut down. */
  readonly force?: boolean | undefined;
}

type Power = (context: HostContext, request: PowerRequest, call: Call) => Promise<StateChange>;

export const startContainer: Power = (context, request, call) => changePower(context, 'start', request, call);
export const stopContainer: Power = (context, request, call) => changePower(context, 'stop', request, call);
export const restartContainer: Power = (context, request, call) => changePower(context, 'restart', request, call);

async function changePower(
  context: HostContext,
  verb: Verb,
  { user: named, force = false }: PowerRequest,
  call: Call,
): Promise<StateChange> {
  const user = targetContainer(verb, named, call.actor);
  const takesOver = verb === 'stop' && force && call.actor.entryPoint !== 'self';
  const now = await changeableInstanceOf(context, user, { takesOver });
  if (isAsWanted[verb](now) && context.operations.holder(user) === undefined) {
    return {
      user,
      container: now.name,
      status: now.status.toLowerCase(),
      changed: false,
      operation: null,
      connectionsEnded: false,
    };
  }
  const result = await context.operations.run(
    { verb, target: user, actor: call.actor, input: force ? { force } : {}, takesOver },
    async () => {
      const instance = await changeableInstanceOf(context, user, { own: true });
      if (verb === 'restart' && call.actor.entryPoint === 'self') refuseStopped(instance);
      return instance;
    },
    async (operation, instance) => {
      const changed = await acts[verb](context, operation, instance, force);
      // Only now: a client that connects again meanwhile would find the container as it was.
      const { ended, warning }: EndedConnections =
        verb === 'start' ? { ended: false } : await endConnectionsStep(context, operation, user);
      if (warning !== undefined) call.progress.note(warning);
      const after = await context.incus.storedInstance(instance.name);
      return {
        user,
        container: instance.name,
        status: after?.status.toLowerCase() ?? 'unknown',
        changed,
        operation: operation.id,
        connectionsEnded: ended,
      };
    },
  );
  if (verb !== 'stop') await noteUnlessReachable(context, now, call);
  return result;
}

/** Whether nothing is left to do. One that has stopped by itself is still to be noted as stopped by an admin. */
const isAsWanted: Record<Verb, (instance: IncusInstance) => boolean> = {
  start: ({ status }) => status === 'Running',
  stop: ({ status, config }) => status === 'Stopped' && config[field.runs] !== 'yes',
  restart: () => false,
};

/** Refuses to start what an admin has stopped. A container that has stopped by itself still counts as one that runs. */
function refuseStopped({ name, status, config }: IncusInstance): void {
  if (status !== 'Stopped' || config[field.runs] === 'yes') return;
  throw new Failure('wrong-state', {
    what: `container "${name}"`,
    why: 'it is stopped, and is not meant to run',
    next: 'ask an admin to start it',
  });
}

/** Each resolves to whether it changed the container: another program may have done so since the status was read. */
const acts: Record<
  Verb,
  (context: HostContext, operation: Running, instance: IncusInstance, force: boolean) => Promise<boolean>
> = {
  start,
  async stop(context, operation, instance, force) {
    await patch(context, operation, instance, { config: { [field.runs]: '' }, devices: {} });
    return halt(context, operation, instance, force);
  },
  async restart(context, operation, instance, force) {
    const { incus, steps } = context;
    const { name, status } = instance;
    if (status === 'Stopped') return start(context, operation, instance);
    if (Object.keys(unboundNics(instance)).length > 0) {
      await halt(context, operation, instance, force);
      return start(context, operation, { ...instance, status: 'Stopped' });
    }
    const act = (): Promise<boolean> =>
      unlessAlready('stopped', () =>
        gently(name, force, () => incus.restart(name, { force, shiftsIds: shiftsIds(instance) })),
      );
    const restarted = (await operation.step(steps.restartInstance, { instance: name, was: status }, act)) ?? true;
    return restarted || start(context, operation, { ...instance, status: 'Stopped' });
  },
};

async function halt(
  { incus, steps }: HostContext,
  operation: Running,
  { name, status }: IncusInstance,
  force: boolean,
): Promise<boolean> {
  const act = (): Promise<boolean> =>
    unlessAlready('stopped', () => gently(name, force, () => incus.stop(name, { force })));
  return (await operation.step(steps.stopInstance, { instance: name, was: status }, act)) ?? true;
}

async function start(context: HostContext, operation: Running, instance: IncusInstance): Promise<boolean> {
  const { incus, steps } = context;
  const { name, status } = instance;
  await prepareStart(context, operation, instance);
  const act = (): Promise<boolean> =>
    unlessAlready('running', () => incus.start(name, { shiftsIds: shiftsIds(instance) }));
  return (await operation.step(steps.startInstance, { instance: name, was: status }, act)) ?? true;
}

/**
 * Notes that a container should run, so that `reconcile` finds it stopped, and binds the network interfaces of a
 * stopped one that an earlier version made to their addresses.
 */
async function prepareStart(context: HostContext, operation: Running, instance: IncusInstance): Promise<void> {
  const devices = instance.status === 'Stopped' ? unboundNics(instance) : {};
  await patch(context, operation, instance, { config: { [field.runs]: 'yes' }, devices });
}

/** Makes a change as a step, unless the instance has it already. */
async function patch(
  { incus, steps }: HostContext,
  operation: Running,
  instance: IncusInstance,
  change: InstanceSpec,
): Promise<void> {
  const isMade = Object.entries(change.config).every(([key, value]) => (instance.config[key] ?? '') === value);
  if (isMade && Object.keys(change.devices).length === 0) return;
  const { name } = instance;
  const previous = JSON.stringify(inverse(change, instance));
  await operation.step(steps.patchInstance, { instance: name, previous }, () => incus.patch(name, change));
}

/** Runs `act`. Resolves to false if Incus refuses it because the instance is in the wanted state already. */
async function unlessAlready(state: 'running' | 'stopped', act: () => Promise<void>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (isAlready(state, error)) return false;
    throw error;
  }
}

/** Runs a clean shutdown. If programs in the container prevent it, the failure suggests --force. */
async function gently(name: string, force: boolean, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (force || !(error instanceof Failure) || error.code !== 'program-failed') throw error;
    throw new Failure(
      'program-failed',
      { ...error.toData(), what: `container "${name}"`, next: 'add --force to kill processes that do not shut down' },
      error,
    );
  }
}
