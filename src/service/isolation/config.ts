/**
 * The instance configuration that keeps a container apart from its neighbours (Incus documentation, "Instance
 * options").
 *
 * - `security.idmap.isolated`: ids that no other container has. Without it all containers have the same, and
 *   what the kernel counts or protects by user id is common to them: keys in the keyring, pipe pages.
 * - `limits.processes`: 4 GiB of memory hold more processes than the kernel has process ids.
 * - `security.guestapi`: no /dev/incus, through which root in the container could change the status of the instance.
 */
import { isTrue } from '../../host/incus/booleans.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import { isolatedKey } from '../../host/incus/idChoice.ts';

const key = {
  isolated: isolatedKey,
  processes: 'limits.processes',
  guestApi: 'security.guestapi',
} as const;

/** Returns the configuration of a new container. */
export function isolationConfig(processes: number): Record<string, string> {
  return { [key.isolated]: 'true', [key.processes]: String(processes), [key.guestApi]: 'false' };
}

/** What a container lacks. A key that is set stays as it is, whatever its value: it is the decision of an admin. */
export interface Lack {
  readonly config: Readonly<Record<string, string>>;
  /** Why what is lacking takes effect only when the running container restarts, as clauses. */
  readonly restartFor: readonly string[];
}

/**
 * Returns the isolation configuration that the instance lacks, because an earlier version made it. `hasAutorestart` is
 * whether this Incus knows the option (`Incus.hasAutorestart`).
 */
export function missingConfig(instance: IncusInstance, processes: number, hasAutorestart: boolean): Lack {
  const present = { ...(instance.expanded_config ?? {}), ...instance.config };
  const wanted = {
    ...isolationConfig(processes),
    // Comes back after the kernel has killed its init for lack of memory, as new ones do (src/service/create.ts).
    ...(hasAutorestart && isTrue(present['boot.autostart']) ? { 'boot.autorestart': 'true' } : {}),
  };
  const config = Object.fromEntries(Object.entries(wanted).filter(([name]) => (present[name] ?? '') === ''));
  // Incus changes the process limit and /dev/incus of a running container at once, the ids only at its start.
  return { config, restartFor: key.isolated in config && instance.status !== 'Stopped' ? [sharesIds] : [] };
}

const sharesIds = 'it still has the user ids of other containers';

/** Returns why a running instance has to restart for its configuration to take effect, as clauses. */
export function pendingConfig({ status, config }: IncusInstance): readonly string[] {
  if (status === 'Stopped') return [];
  const [current, next] = [config['volatile.idmap.current'], config['volatile.idmap.next']].map(idMap);
  return current === undefined || next === undefined || current === next ? [] : [sharesIds];
}

/**
 * Reports whether the next start changes the owner of every file on disk. Where the storage has idmapped mounts, the
 * files keep the ids of the image, which Incus writes as an empty map.
 */
export function shiftsIds({ config }: Pick<IncusInstance, 'config'>): boolean {
  const [onDisk, next] = [config['volatile.last_state.idmap'], config['volatile.idmap.next']].map(idMap);
  return onDisk !== undefined && onDisk !== '[]' && onDisk !== next;
}

/** Returns an id map of Incus in a comparable form; undefined if it is absent or cannot be read. */
function idMap(text: string | undefined): string | undefined {
  try {
    return text === undefined || text === '' ? undefined : JSON.stringify(JSON.parse(text));
  } catch {
    return undefined;
  }
}
