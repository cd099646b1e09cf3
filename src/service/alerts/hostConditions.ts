/** Conditions of the host and its containers. */
import { percentOf } from '../../domain/values/size.ts';
import { checkBackups } from '../checks/backupCheck.ts';
import { checkFirewall } from '../checks/firewallCheck.ts';
import { judgePool } from '../checks/incusChecks.ts';
import type { Outcome } from '../checks/outcome.ts';
import { toContainer } from '../instances/containers.ts';
import { ownerOfInstance } from '../instances/metadata.ts';
import { poolsInUse } from '../instances/pools.ts';
import type { Finding } from './advance.ts';
import type { AlertContext } from './alertContext.ts';

/** Used space from which a pool or a container is about to stop working, in percent. */
const urgentPercent = 97;

/** Returns the finding of a check of `doctor` that is not as it should be. */
export function findingOf(subject: string, what: string, { severity, detail, next }: Outcome): Finding[] {
  return severity === 'ok' ? [] : [{ subject, severity, text: `${what}: ${detail}`, next }];
}

export async function atPool(context: AlertContext, signal: AbortSignal): Promise<Finding[]> {
  const pools = await context.incus.pools(signal);
  const names = await poolsInUse(context, await context.mirror.instances(signal), signal);
  const found = await Promise.all(
    names.map(async (name) => {
      const pool = pools.find((one) => one.name === name);
      return findingOf(name, 'storage', await judgePool(name, pool, context.doctor, signal));
    }),
  );
  return found.flat();
}

export async function atPoolSpace(context: AlertContext, signal: AbortSignal): Promise<Finding[]> {
  const { incus, mirror, settings } = context;
  const names = await poolsInUse(context, await mirror.instances(signal), signal);
  const found = await Promise.all(
    names.map(async (pool): Promise<Finding[]> => {
      const { usedBytes, totalBytes } = await incus.poolSpace(pool, signal);
      const percent = percentOf(usedBytes, totalBytes);
      if (percent < settings.alerts.poolPercent) return [];
      const severity = percent >= urgentPercent ? 'problem' : 'warning';
      const text = `the storage pool ${pool} is ${percent} % full`;
      return [{ subject: pool, severity, text, next: 'enlarge it, or free space: "list" shows who uses it' }];
    }),
  );
  return found.flat();
}

export async function atContainers({ mirror, settings }: AlertContext, signal: AbortSignal): Promise<Finding[]> {
  return (await mirror.read(signal)).instances.flatMap((instance): Finding[] => {
    const user = ownerOfInstance(instance);
    if (user === undefined) return [];
    const { diskUsedBytes, diskQuotaBytes } = toContainer(instance);
    if (diskUsedBytes === null || diskQuotaBytes === null) return [];
    const percent = percentOf(diskUsedBytes, diskQuotaBytes);
    if (percent < settings.alerts.quotaPercent) return [];
    const severity = percent >= urgentPercent ? 'problem' : 'warning';
    const text = `the disk of ${user}'s container is ${percent} % full`;
    return [{ subject: user, severity, text, next: `"resize ${user} --disk SIZE" gives it more` }];
  });
}

export async function atFirewall(context: AlertContext, signal: AbortSignal): Promise<Finding[]> {
  // One that the configuration turns off is not news.
  if (!context.settings.firewall.enabled) return [];
  return findingOf(
    'firewall',
    'the firewall around the containers',
    await checkFirewall(context, context.firewall, signal),
  );
}

export async function atBackups(context: AlertContext, signal: AbortSignal): Promise<Finding[]> {
  const outcome = await checkBackups(context, context.doctor, signal);
  // A warning is about how backups are set up, which "doctor" tells.
  return outcome.severity === 'problem' ? findingOf('backups', 'backups', outcome) : [];
}
