/** The limits of disk and network that new containers get. Unset by default: then Incus limits nothing. */
import type { Settings } from '../../settings/settings.ts';

type Defaults = Pick<Settings['defaults'], 'diskPriority' | 'egress' | 'ingress'>;
type Options = Readonly<Record<string, string>>;

/** Returns the limits in an instance's configuration. */
export function diskLimits({ diskPriority }: Defaults): Options {
  return diskPriority === undefined ? {} : { 'limits.disk.priority': String(diskPriority) };
}

/** Returns the limits among the options of an instance's NIC. */
export function networkLimits({ egress, ingress }: Defaults): Options {
  return {
    ...(egress === undefined ? {} : { 'limits.egress': egress }),
    ...(ingress === undefined ? {} : { 'limits.ingress': ingress }),
  };
}
