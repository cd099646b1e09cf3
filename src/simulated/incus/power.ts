/** Simulates `incus start`, `stop`, `restart`, `pause` and `delete`. */
import { isTrue } from '../../host/incus/booleans.ts';
import { done, incusError } from '../program/answer.ts';
import type { Answer, World } from '../program/answer.ts';
import { addressClash, bootAddress, nics } from './devices.ts';
import { logAfterStop } from '../inside/console.ts';
import { digest, macOf, pick } from '../state/deterministic.ts';
import { bootInside } from '../inside/firstBoot.ts';
import { instanceNamed } from '../program/lookup.ts';
import { isMasked } from '../inside/units.ts';
import type { InstanceRecord } from '../state/state.ts';
import { writeTemplates } from './templates.ts';
import { upMs } from './usage.ts';

/** Adds the hint that the client prints after some errors, depending on how fast the server answers. */
function withHint(message: string, name: string): string {
  return `${message}\nTry \`incus info --show-log ${name}\` for more info`;
}

function boot(world: World, instance: InstanceRecord): void {
  const { state, nowMs } = world;
  state.serial += 1;
  writeTemplates(instance);
  instance.run = {
    startedAtMs: nowMs,
    pid: 4000 + state.serial * 7,
    address: bootAddress(state, instance.name, instance.devices, pick(`${instance.name} lease`, 250)),
    hostKey: bootInside(instance, state.isCopy === true || instance.isCopy === true),
  };
  instance.lastUsedAtMs = nowMs;
  delete instance.config['volatile.apply_template'];
  instance.config['volatile.idmap.current'] = instance.config['volatile.idmap.next'] ?? '[]';
  instance.config['volatile.last_state.power'] = 'RUNNING';
  for (const [device] of nics(instance.devices)) {
    instance.config[`volatile.${device}.hwaddr`] ??= macOf(`${instance.name} ${device}`);
    instance.config[`volatile.${device}.host_name`] =
      `veth${digest(`${instance.name} ${device} ${state.serial}`).slice(0, 8)}`;
  }
}

function halt(world: World, instance: InstanceRecord, isForced: boolean): void {
  instance.consoleLog = logAfterStop(instance, isForced);
  instance.ranMs += upMs(instance, world.nowMs);
  instance.run = null;
  instance.config['volatile.last_state.power'] = 'STOPPED';
  instance.config['volatile.last_state.ready'] = 'false';
  for (const [device] of nics(instance.devices)) delete instance.config[`volatile.${device}.host_name`];
}

/** Starts a stopped instance, and resumes a paused one. */
export function startInstance(world: World, name: string): Answer {
  const instance = instanceNamed(world, name);
  if (instance.run?.isPaused === true) return resumeInstance(world, name);
  if (instance.run !== null) return incusError(withHint('The instance is already running', name));
  for (const [device, nic] of nics(instance.devices)) {
    if (!addressClash(world.state, name, nic)) continue;
    const address = nic['ipv4.address'] ?? '';
    const problem = `Failed start validation for device "${device}": IP address "${address}" already defined on another NIC`;
    return incusError(withHint(problem, name));
  }
  boot(world, instance);
  world.emit('instance-started', name);
  return done();
}

export function pauseInstance(world: World, name: string): Answer {
  const { run } = instanceNamed(world, name);
  if (run === null) return incusError(withHint("The instance isn't running", name));
  if (run.isPaused === true) return incusError(withHint('The container is already frozen', name));
  run.isPaused = true;
  world.emit('instance-paused', name);
  return done();
}

function resumeInstance(world: World, name: string): Answer {
  const { run } = instanceNamed(world, name);
  delete run?.isPaused;
  world.emit('instance-resumed', name);
  return done();
}

/**
 * Returns the error of Incus for a guest that does not go down when it is told to: it is paused, or its systemd has no
 * target for that. The status in the message is Running even for one that is paused (incus 6.0.4, observed).
 */
function shutdownProblem(instance: InstanceRecord): string | undefined {
  if (instance.run?.isPaused !== true && !isMasked(instance, 'halt.target')) return undefined;
  return withHint('Failed shutting down instance, status is "Running": context deadline exceeded', instance.name);
}

export function stopInstance(world: World, name: string, isForced: boolean): Answer {
  const instance = instanceNamed(world, name);
  if (instance.run === null) return incusError('The instance is already stopped');
  const problem = isForced ? undefined : shutdownProblem(instance);
  if (problem !== undefined) return incusError(problem);
  halt(world, instance, isForced);
  world.emit(isForced ? 'instance-stopped' : 'instance-shutdown', name);
  return done();
}

export function restartInstance(world: World, name: string, isForced: boolean): Answer {
  const instance = instanceNamed(world, name);
  if (instance.run === null) return incusError(withHint('The instance is already stopped', name));
  const problem = isForced ? undefined : shutdownProblem(instance);
  if (problem !== undefined) return incusError(problem);
  halt(world, instance, isForced);
  boot(world, instance);
  // A restart is a single event (incus 6.0.4, observed).
  world.emit('instance-restarted', name);
  return done();
}

/** Deletes an instance. By force, the client stops it first, even if the server then refuses to delete it. */
export function deleteInstance(world: World, name: string, force: boolean): Answer {
  if (!Object.hasOwn(world.state.instances, name)) {
    return incusError(
      `Failed checking instance exists "local:${name}": Failed to fetch instance "${name}" in project "default": Instance not found`,
    );
  }
  const instance = instanceNamed(world, name);
  if (instance.run !== null && !force)
    return incusError('The instance is currently running, stop it first or pass --force');
  const isRunning = instance.run !== null;
  if (isRunning) {
    halt(world, instance, true);
    world.emit('instance-stopped', name);
  }
  if (isTrue(instance.config['security.protection.delete']))
    return {
      ...incusError(`Failed deleting instance "${name}" in project "default": Instance is protected`),
      changed: isRunning,
    };
  delete world.state.instances[name];
  world.emit('instance-deleted', name);
  return done();
}
