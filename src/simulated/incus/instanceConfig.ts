/**
 * Validates instance configuration as Incus 6.0 does, with the messages of a real server. The rules are those of the
 * Incus documentation, "Instance options".
 */
import { parseIncusSize } from '../program/units.ts';

/** Returns undefined for a valid value, otherwise the error message. */
type Check = (value: string) => string | undefined;

const anyValue: Check = () => undefined;

const booleans = ['true', 'false', '1', '0', 'yes', 'no', 'on', 'off'];

const boolean: Check = (value) =>
  booleans.includes(value.toLowerCase()) ? undefined : `Invalid value for a boolean "${value}"`;

const integer: Check = (value) => (/^-?\d+$/.test(value) ? undefined : `Invalid value for an integer "${value}"`);

const memory: Check = (value) => {
  if (/^\d+%$/.test(value)) return undefined;
  const bytes = parseIncusSize(value);
  if (bytes === undefined) return `Invalid value: ${value}`;
  return bytes === 0 ? "Memory limit can't be 0" : undefined;
};

const cpu: Check = (value) => {
  if (/^\d+$/.test(value)) return Number(value) === 0 ? `Invalid cpuset value: ${value}` : undefined;
  return /^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(value) ? undefined : 'Invalid CPU limit syntax';
};

const options: Readonly<Record<string, Check>> = {
  'boot.autorestart': boolean,
  'boot.autostart': boolean,
  'boot.autostart.delay': integer,
  'boot.autostart.priority': integer,
  'boot.host_shutdown_action': anyValue,
  'boot.host_shutdown_timeout': integer,
  'boot.stop.priority': integer,
  'cloud-init.network-config': anyValue,
  'cloud-init.user-data': anyValue,
  'cloud-init.vendor-data': anyValue,
  'cluster.evacuate': anyValue,
  'limits.cpu': cpu,
  'limits.cpu.allowance': anyValue,
  'limits.cpu.nodes': anyValue,
  'limits.cpu.priority': integer,
  'limits.disk.priority': integer,
  'limits.memory': memory,
  'limits.memory.enforce': anyValue,
  'limits.memory.hugepages': boolean,
  'limits.memory.swap': anyValue,
  'limits.memory.swap.priority': integer,
  'limits.processes': integer,
  'linux.kernel_modules': anyValue,
  'security.guestapi': boolean,
  'security.guestapi.images': boolean,
  'security.idmap.base': integer,
  'security.idmap.isolated': boolean,
  'security.idmap.size': integer,
  'security.nesting': boolean,
  'security.privileged': boolean,
  'security.protection.delete': boolean,
  'security.protection.shift': boolean,
  'security.syscalls.allow': anyValue,
  'security.syscalls.deny': anyValue,
  'security.syscalls.deny_default': boolean,
  'security.syscalls.intercept.mknod': boolean,
  'security.syscalls.intercept.mount': boolean,
  'security.syscalls.intercept.setxattr': boolean,
  'security.syscalls.intercept.sysinfo': boolean,
  'snapshots.expiry': anyValue,
  'snapshots.pattern': anyValue,
  'snapshots.schedule': anyValue,
  'snapshots.schedule.stopped': boolean,
};

const freeKeys = /^(user|image|environment|volatile|linux\.sysctl|limits\.kernel)\../;

/** Returns the first error in a configuration, or undefined. An empty value is always valid: it unsets the key. */
export function configProblem(config: Readonly<Record<string, string>>): string | undefined {
  for (const key of Object.keys(config).sort()) {
    const value = config[key] ?? '';
    const check = Object.hasOwn(options, key) ? options[key] : undefined;
    if (check === undefined) {
      if (freeKeys.test(key)) continue;
      return `Unknown configuration key: ${key}`;
    }
    const problem = value === '' ? undefined : check(value);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Returns the error in an instance's name, or undefined. Names are RFC 1123 host names, as Incus checks them. */
export function nameProblem(name: string): string | undefined {
  if (name.length < 1 || name.length > 63) return 'Name must be 1-63 characters long';
  if (/^\d+$/.test(name)) return 'Name cannot be a number';
  if (name.startsWith('-')) return 'Name must not start with "-" character';
  if (name.endsWith('-')) return 'Name must not end with "-" character';
  return /^[A-Za-z0-9-]+$/.test(name) ? undefined : 'Name can only contain alphanumeric and hyphen characters';
}
