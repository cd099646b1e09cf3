/**
 * The schedule by which Incus makes snapshots of a container, in the instance's own configuration (Incus documentation,
 * "Instance options", `snapshots.*`). Incus runs it by itself, also while this server is down.
 */
import { dayMs, hourMs, isSpan, parseSpan } from '../../domain/values/duration.ts';
import { scheduledPattern, snapshotFrequencies, type SnapshotFrequency } from '../../domain/values/snapshotName.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import type { Settings } from '../../settings/settings.ts';
import { field } from '../instances/metadata.ts';

export interface Schedule {
  readonly every: SnapshotFrequency;
  /** A duration: `30d`. */
  readonly keep: string;
}

type Config = Readonly<Record<string, string>>;

/** Returns the instance configuration of a schedule. An empty value unsets a key. */
export function scheduleConfig({ every, keep }: Schedule): Config {
  return every === 'never'
    ? { 'snapshots.schedule': '', 'snapshots.expiry': '', 'snapshots.pattern': '' }
    : {
        'snapshots.schedule': `@${every}`,
        'snapshots.expiry': expiryOf(keep),
        'snapshots.pattern': scheduledPattern,
      };
}

/** Returns a duration as Incus writes it: `30d`, `12H`. Shorter than an hour becomes an hour. */
function expiryOf(keep: string): string {
  const ms = parseSpan(keep);
  return ms % dayMs === 0 ? `${ms / dayMs}d` : `${Math.max(1, Math.round(ms / hourMs))}H`;
}

/** Returns what was chosen for this container; undefined if it follows the settings. */
export function chosenSchedule({ config }: Pick<IncusInstance, 'config'>): Schedule | undefined {
  const [every, keep = '30d'] = (config[field.snapshots] ?? '').split(' ');
  const known = snapshotFrequencies.find((frequency) => frequency === every);
  // The configuration may be that of a backup, which others can have written.
  return known === undefined || !isSpan(keep) ? undefined : { every: known, keep };
}

/** Returns the configuration that stores a choice; without one, the container follows the settings. */
export function choiceConfig(choice: Schedule | undefined): Config {
  return { [field.snapshots]: choice === undefined ? '' : `${choice.every} ${choice.keep}` };
}

/** Returns the schedule that the container should have. */
export function wantedSchedule(
  instance: Pick<IncusInstance, 'config'>,
  { snapshots: { every, keep } }: Pick<Settings, 'snapshots'>,
): Schedule {
  return chosenSchedule(instance) ?? { every, keep };
}

/** Returns the schedule by which Incus makes snapshots now, in its words; null if by none. */
export function presentSchedule({
  config,
}: Pick<IncusInstance, 'config'>): { every: string; keep: string | null } | null {
  const every = config['snapshots.schedule'] ?? '';
  const keep = config['snapshots.expiry'] ?? '';
  return every === '' || every === '@never'
    ? null
    : { every: every.replace(/^@/, ''), keep: keep === '' ? null : keep };
}

/** Returns the change that gives an instance the schedule it should have; undefined if it has it. */
export function scheduleChange(
  instance: Pick<IncusInstance, 'config'>,
  settings: Pick<Settings, 'snapshots'>,
): Config | undefined {
  const wanted = Object.entries(scheduleConfig(wantedSchedule(instance, settings)));
  const different = wanted.filter(([key, value]) => (instance.config[key] ?? '') !== value);
  return different.length === 0 ? undefined : Object.fromEntries(different);
}
