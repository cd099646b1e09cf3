/** The report: what happened on this host, and how it is. */
import { Failure } from '../../domain/failure.ts';
import type {
  AlertSummary,
  BackupCounts,
  ContainerCounts,
  Expiry,
  Fill,
  JournalSummary,
  Part,
  Report,
} from '../../domain/results/report.ts';
import { dayMs } from '../../domain/values/duration.ts';
import { percentOf } from '../../domain/values/size.ts';
import type { AlertContext } from '../alerts/alertContext.ts';
import type { Alerts } from '../alerts/alerts.ts';
import { endOf } from '../certificates/certificateStore.ts';
import { lastOfAdmins } from '../certificates/expiry.ts';
import { overdue } from '../checks/backupCheck.ts';
import { endingAdminKeys } from '../checks/serverChecks.ts';
import { toContainer } from '../instances/containers.ts';
import { ownerOfInstance } from '../instances/metadata.ts';
import { poolsInUse } from '../instances/pools.ts';
import { trashedAmong } from '../trash/record.ts';
import { happenedSince, type Happened } from './journalParts.ts';

export interface ReportContext extends AlertContext {
  readonly alerts: Alerts;
  readonly journalFolder: string;
  readonly journalHead: () => { readonly seq: number; readonly hash: string };
}

/** Keys and certificates are named that end within so many days. */
const expiryDays = 30;
/** Number of containers that are named. */
const maxDisks = 5;

/** Makes a report. A part that cannot be made says why; the others are made all the same. */
export async function makeReport(context: ReportContext, since: Date, signal: AbortSignal): Promise<Report> {
  const { alerts, now, journalFolder } = context;
  const happened = happenedSince(journalFolder, since, signal);
  const of = <T>(value: (found: Happened) => T): Promise<Part<T>> => part(async () => value(await happened));
  const [summary, containers, changes, backups, logins, pools, disks, expiries, journal] = await Promise.all([
    of(({ begun, over }): AlertSummary => ({ begun, over, open: alerts.open })),
    part(() => countContainers(context, signal)),
    of((found) => found.changes),
    part(() => countBackups(context, happened, signal)),
    of((found) => found.logins),
    part(() => poolFills(context, signal)),
    part(() => diskFills(context, signal)),
    part(() => Promise.resolve(endings(context))),
    part(() => Promise.resolve(journalSummary(context))),
  ]);
  return {
    host: alerts.host,
    since: since.toISOString(),
    until: now().toISOString(),
    alerts: summary,
    containers,
    changes,
    backups,
    logins,
    pools,
    disks,
    expiries,
    journal,
  };
}

async function part<T>(make: () => Promise<T>): Promise<Part<T>> {
  try {
    return { value: await make(), trouble: null };
  } catch (error) {
    const failure = Failure.from(error);
    if (failure.code === 'cancelled') throw failure;
    return { value: null, trouble: `${failure.what}: ${failure.why}` };
  }
}

async function countContainers({ mirror }: ReportContext, signal: AbortSignal): Promise<ContainerCounts> {
  const instances = await mirror.instances(signal);
  const own = instances.filter((instance) => ownerOfInstance(instance) !== undefined).map((one) => toContainer(one));
  const running = own.filter(({ status }) => status === 'running').length;
  const stopped = own.filter(({ status }) => status === 'stopped').length;
  return {
    total: own.length,
    running,
    stopped,
    other: own.length - running - stopped,
    trash: trashedAmong(instances).length,
  };
}

async function countBackups(
  context: ReportContext,
  happened: Promise<Happened>,
  signal: AbortSignal,
): Promise<BackupCounts> {
  const { directory, s3, every } = context.settings.backups;
  const { made, failed } = (await happened).backups;
  if (directory === undefined && s3 === undefined) return { made, failed, overdue: null };
  if (every === 'never') return { made, failed, overdue: [] };
  await context.backupAges.refresh(signal);
  return { made, failed, overdue: await overdue(context, signal) };
}

async function poolFills(context: ReportContext, signal: AbortSignal): Promise<Fill[]> {
  const names = await poolsInUse(context, await context.mirror.instances(signal), signal);
  return Promise.all(
    names.map(async (name): Promise<Fill> => {
      const { usedBytes, totalBytes } = await context.incus.poolSpace(name, signal);
      return { name, percent: percentOf(usedBytes, totalBytes), usedBytes, totalBytes };
    }),
  );
}

async function diskFills({ mirror }: ReportContext, signal: AbortSignal): Promise<Fill[]> {
  const fills = (await mirror.read(signal)).instances.flatMap((instance): Fill[] => {
    const user = ownerOfInstance(instance);
    const { diskUsedBytes: usedBytes, diskQuotaBytes: totalBytes } = toContainer(instance);
    if (user === undefined || usedBytes === null || totalBytes === null) return [];
    return [{ name: user, percent: percentOf(usedBytes, totalBytes), usedBytes, totalBytes }];
  });
  return fills.sort((a, b) => b.percent - a.percent || (a.name < b.name ? -1 : 1)).slice(0, maxDisks);
}

function endings({ doctor, certificates, settings, now }: ReportContext): Expiry[] {
  const { server } = certificates;
  const limit = new Date(now().getTime() + expiryDays * dayMs);
  const keys = endingAdminKeys(doctor.server, now(), expiryDays).map(({ name, fingerprint, leftMs }) => ({
    what: `key of admin ${name}, ${fingerprint}`,
    at: new Date(now().getTime() + leftMs),
  }));
  const isUsed = settings.remote.listen !== undefined && settings.remote.insecureAs === undefined;
  const certified =
    server === undefined || !isUsed
      ? []
      : [
          { what: 'CA of the remote interface', at: endOf(server.authority) },
          { what: 'server certificate', at: endOf(server.certificate) },
          ...lastOfAdmins(certificates)
            .filter(({ endsAt }) => endsAt > now())
            .map(({ admin, endsAt }) => ({ what: `certificate of ${admin}`, at: endsAt })),
        ];
  return [...keys, ...certified]
    .filter(({ at }) => at <= limit)
    .sort((a, b) => a.at.getTime() - b.at.getTime())
    .map(({ what, at }) => ({ what, at: at.toISOString() }));
}

function journalSummary({ journalHead, schedule, keeping }: ReportContext): JournalSummary {
  const { seq, hash } = journalHead();
  const check = schedule.list().jobs.find(({ name }) => name === 'journal');
  return {
    records: seq,
    head: hash,
    verifiedAt: check?.lastAt ?? null,
    verified: check?.lastOutcome ?? null,
    anchorTrouble: keeping.anchorTrouble ?? null,
  };
}
