/** What keeps a container apart and is missing: computed in one place, for `reconcile`, `doctor` and the results. */
import type { IncusInstance } from '../../host/incus/documents.ts';
import type { Settings } from '../../settings/settings.ts';
import { missingConfig, pendingConfig } from './config.ts';
import { unboundNics } from './nic.ts';

/** A change of an instance, in the form that `Incus.patch` takes, and what to say about it. */
export interface IsolationChange {
  readonly config: Readonly<Record<string, string>>;
  readonly devices: Readonly<Record<string, Record<string, string>>>;
  /** The missing keys, and the network interfaces that are not bound to their address. */
  readonly missing: readonly string[];
  /** Why a part of it takes effect only when the running container restarts, as clauses; empty if all does at once. */
  readonly restartFor: readonly string[];
}

/**
 * Returns the change that gives an instance all that keeps it apart, or undefined if it has all that it can have now.
 * Incus would take the network interface of a running container away and give it a new one, which most systems do not
 * configure; so `start` and `restart` bind it while the container is stopped.
 */
export function isolationChange(
  instance: IncusInstance,
  { defaults }: Settings,
  hasAutorestart: boolean,
): IsolationChange | undefined {
  const { config, restartFor } = missingConfig(instance, defaults.processes, hasAutorestart);
  const devices = instance.status === 'Stopped' ? unboundNics(instance) : {};
  const missing = [...Object.keys(config), ...Object.keys(devices).map((name) => `the binding of ${name}`)];
  return missing.length === 0 ? undefined : { config, devices, missing, restartFor };
}

/** Returns why a running instance has to restart for its isolation to take effect, as clauses. */
export function pendingIsolation(instance: IncusInstance): readonly string[] {
  const isUnbound = instance.status !== 'Stopped' && Object.keys(unboundNics(instance)).length > 0;
  return [
    ...pendingConfig(instance),
    ...(isUnbound ? ['its network interface is not bound to its address, so the firewall does not know it'] : []),
  ];
}
