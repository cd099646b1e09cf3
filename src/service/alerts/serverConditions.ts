/** Conditions of the server itself. */
import { endsSoon } from '../../domain/access/certificateEnd.ts';
import { plural } from '../../domain/text.ts';
import { hourMs, minuteMs } from '../../domain/values/duration.ts';
import { endOf } from '../certificates/certificateStore.ts';
import { lastOfAdmins } from '../certificates/expiry.ts';
import { checkState, endingAdminKeys } from '../checks/serverChecks.ts';
import type { Finding } from './advance.ts';
import type { AlertContext } from './alertContext.ts';
import { findingOf } from './hostConditions.ts';

/** Time for which an operation may be unfinished before that is told, in milliseconds: most end by themselves. */
const unfinishedMs = 10 * minuteMs;

export function atBans({ bans, settings, now }: AlertContext): Finding[] {
  const sinceMs = now().getTime() - hourMs;
  const recent = bans.penalties.filter(({ at }) => Date.parse(at) >= sinceMs).length;
  if (recent < settings.alerts.banStorm) return [];
  const text = `${plural(recent, 'source')} banned by themselves within an hour: many hosts are trying to log in`;
  return [
    { subject: 'bans', severity: 'warning', text, next: '"ban list" shows them, "audit --since 1h" what they did' },
  ];
}

export function atCertificates({ certificates, settings, now }: AlertContext): Finding[] {
  const { server } = certificates;
  if (settings.remote.listen === undefined || settings.remote.insecureAs !== undefined || server === undefined)
    return [];
  const finding = (subject: string, what: string, at: Date, next: string): Finding[] => {
    const ends = endsSoon(at, now());
    if (ends === undefined) return [];
    return [{ subject, severity: at <= now() ? 'problem' : 'warning', text: `${what} ${ends}`, next }];
  };
  return [
    ...finding(
      'CA',
      'the CA of the remote interface',
      endOf(server.authority),
      '"cert generate --replace", then "cert issue" for each admin',
    ),
    ...finding('server', 'the server certificate of the remote interface', endOf(server.certificate), '"cert renew"'),
    // Who has let it expire no longer uses it.
    ...lastOfAdmins(certificates)
      .filter(({ endsAt }) => endsAt > now())
      .flatMap(({ admin, endsAt }) =>
        finding(`admin ${admin}`, `the certificate of ${admin}`, endsAt, `"cert issue ${admin}"`),
      ),
  ];
}

export function atKeys({ doctor, now }: AlertContext): Finding[] {
  return endingAdminKeys(doctor.server, now()).map(({ name, fingerprint, leftMs, text }) => ({
    subject: fingerprint,
    severity: leftMs <= 0 ? 'problem' : 'warning',
    text: `the admin key ${text}`,
    next: `give it a later expiry-time ("admin add ${name}"), or remove it ("admin remove ${fingerprint}")`,
  }));
}

export async function atState({ doctor }: AlertContext): Promise<Finding[]> {
  return findingOf('state', 'little room for the state of the server', await checkState(doctor.server));
}

export function atOperations({ operations, now }: AlertContext): Finding[] {
  return operations
    .unfinished()
    .filter(({ startedAt }) => now().getTime() - Date.parse(startedAt) > unfinishedMs)
    .map(({ verb, target, startedAt }) => ({
      subject: target,
      severity: 'problem',
      text: `"${verb} ${target}" of ${startedAt} can be neither completed nor undone`,
      next: '"reconcile --apply" tries again',
    }));
}

export function atJobs({ schedule }: AlertContext): Finding[] {
  return schedule
    .list()
    .jobs.filter(({ lastOutcome }) => lastOutcome === 'failed')
    .map(({ name, lastText }) => ({
      subject: name,
      severity: 'problem',
      text: `the job "${name}" failed: ${lastText ?? ''}`,
      next: `"schedule run ${name}" tries again`,
    }));
}

export function atClock({ schedule }: AlertContext): Finding[] {
  const { heldUntil } = schedule.list();
  if (heldUntil === null) return [];
  const text = 'the clock has jumped, or the host was down for long: nothing is deleted by the clock for a day';
  return [{ subject: 'clock', severity: 'warning', text, next: 'check the clock of the host (timedatectl)' }];
}

export function atAnchors({ keeping }: AlertContext): Finding[] {
  const trouble = keeping.anchorTrouble;
  if (trouble === undefined) return [];
  const text = `the head of the journal was not written outside: ${trouble}`;
  return [{ subject: 'journal', severity: 'warning', text, next: '"schedule run anchor" tries again' }];
}

export function atChannels({ alerts }: AlertContext): Finding[] {
  return alerts.delivery.channels
    .filter(({ lastOutcome, dropped }) => lastOutcome === 'failed' || dropped > 0)
    .map(({ name, to, queued, lastText }) => ({
      subject: name,
      severity: 'warning',
      text: `messages by ${name} to ${to} do not arrive, ${queued} wait: ${lastText ?? ''}`,
      next: '"alert test" tries each channel',
    }));
}
