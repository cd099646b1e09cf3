/** `alert list` and `alert test`. */
import {
  alertCodes,
  type AlertCode,
  type AlertInfo,
  type AlertList,
  type AlertTest,
} from '../domain/results/alerts.ts';
import { Failure } from '../domain/failure.ts';
import type { JsonValue } from '../domain/json.ts';
import { dayMs } from '../domain/values/duration.ts';
import { parseWhen } from '../domain/values/time.ts';
import { queryJournal } from '../journal/query.ts';
import type { JournalRecord } from '../journal/chain.ts';
import type { ServiceContext } from './context.ts';
import type { Call } from './instances/context.ts';

/** How far back `--all` looks without `since`, in milliseconds. */
const historyMs = 30 * dayMs;
/** Number of alerts that are over in one answer. */
const maxOver = 1000;

export async function listAlerts(
  context: ServiceContext,
  { all = false, since }: { readonly all?: boolean | undefined; readonly since?: string | undefined },
  { signal }: Call,
): Promise<AlertList> {
  const { alerts, schedule, journalFolder, now } = context;
  const from = since === undefined ? new Date(now().getTime() - historyMs) : parseWhen(since, now());
  const over =
    all || since !== undefined
      ? await Array.fromAsync(queryJournal(journalFolder, { since: from, types: ['alert'] }, signal), endedAlert)
      : [];
  return {
    alerts: [
      ...alerts.open,
      ...over
        .filter((one) => one !== undefined)
        .slice(-maxOver)
        .reverse(),
    ],
    channels: alerts.delivery.channels,
    checkedAt: schedule.list().jobs.find(({ name }) => name === 'alerts')?.lastAt ?? null,
  };
}

/** Returns the alert that a record says is over. */
function endedAlert(record: JournalRecord): AlertInfo | undefined {
  const { outcome, kind, target, severity, text, since, time } = record;
  const code = alertCodes.find((one): one is AlertCode => one === kind);
  if (outcome !== 'over' || code === undefined) return undefined;
  return {
    code,
    subject: textOf(target),
    severity: severity === 'problem' ? 'problem' : 'warning',
    text: textOf(text),
    next: null,
    since: textOf(since),
    endedAt: time,
  };
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Sends a message to every channel, and says how that went. Rejects with `settings` if there is none. */
export async function testAlerts(
  { alerts }: ServiceContext,
  _input: object,
  { actor, signal }: Call,
): Promise<AlertTest> {
  if (alerts.delivery.channels.length === 0)
    throw new Failure('settings', {
      what: 'alerts',
      why: 'no channel is set up: neither alerts.mail nor alerts.webhook is set',
      next: 'set one of them in the configuration (docs/configuration.md), and restart the server',
    });
  const message = alerts.message('test', `${actor.name} tests whether alerts arrive. They do.`, { type: 'test' });
  return alerts.delivery.test(message, signal);
}
