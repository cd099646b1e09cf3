/**
 * What begins and what is over, from one look at the conditions to the next. Pure, so that every course can be tested.
 *
 * A condition is over when several looks in a row have not found it. If it comes back within a day, it takes twice as
 * many, so that one that comes and goes does not send a message each time. A look that failed tells nothing: what was
 * open stays open, and that nobody knows becomes an alert of its own.
 */
import * as z from 'zod';
import { alertCodes, type AlertCode, type AlertInfo, type AlertSeverity } from '../../domain/results/alerts.ts';
import { printable } from '../../domain/text.ts';
import { dayMs } from '../../domain/values/duration.ts';

/** What a look has found. */
export interface Finding {
  /** What it is about; with the code it says whether two findings are the same. */
  readonly subject: string;
  readonly severity: AlertSeverity;
  readonly text: string;
  readonly next?: string | null;
}

/** The outcome of one look at one condition. */
export type Look =
  | { readonly code: AlertCode; readonly findings: readonly Finding[]; readonly settle: number }
  | { readonly code: AlertCode; readonly failure: Finding };

const open = z.object({
  code: z.enum(alertCodes),
  subject: z.string(),
  severity: z.enum(['warning', 'problem']),
  text: z.string(),
  next: z.string().nullable(),
  since: z.iso.datetime(),
  /** False while too few looks have found it to tell. */
  isTold: z.boolean(),
  /** Number of looks in a row that have found it, while it is not told, or that have not, since it is. */
  looks: z.number(),
  /** How often it has come back within a day. */
  returns: z.number(),
});
export type OpenAlert = z.output<typeof open>;

export const alertState = z.object({
  open: z.array(open),
  /** Conditions that are over, for as long as their return counts as one. */
  over: z.array(z.object({ code: z.string(), subject: z.string(), at: z.string(), returns: z.number() })),
});
export type AlertState = z.output<typeof alertState>;

/** Number of looks that must fail before that is told: a restart of Incus is no news. */
const failedLooks = 2;
/** A condition that comes back within this time, in milliseconds, has been there all along. */
const returnMs = dayMs;
/** The number of looks is doubled so many times at most. */
const maxDoublings = 4;
/** Number of alerts that are open at most; more tell no more. */
const maxOpen = 500;
const maxTextLength = 500;

export interface Advanced {
  readonly state: AlertState;
  readonly begun: readonly AlertInfo[];
  readonly over: readonly AlertInfo[];
}

/** Returns the state after a round of looks, and what has begun and what is over. */
export function advance(before: AlertState, looks: readonly Look[], now: Date): Advanced {
  const at = now.toISOString();
  const remembered = before.over.filter((one) => now.getTime() - Date.parse(one.at) < returnMs);
  const found = new Map<string, Finding & { readonly code: AlertCode }>();
  for (const look of looks)
    if ('failure' in look)
      found.set(keyOf({ code: 'unknown', subject: look.failure.subject }), { code: 'unknown', ...look.failure });
    else
      for (const finding of look.findings)
        found.set(keyOf({ code: look.code, ...finding }), { code: look.code, ...finding });

  const state: AlertState = { open: [], over: remembered };
  const begun: AlertInfo[] = [];
  const over: AlertInfo[] = [];
  for (const alert of before.open) {
    const finding = found.get(keyOf(alert));
    found.delete(keyOf(alert));
    if (finding !== undefined) state.open.push(seenAgain(alert, finding));
    else {
      const settle = settleOf(alert, looks);
      if (settle === undefined) state.open.push(alert);
      else if (alert.isTold && alert.looks + 1 < settle * 2 ** Math.min(alert.returns, maxDoublings))
        state.open.push({ ...alert, looks: alert.looks + 1 });
      else if (alert.isTold) {
        over.push({ ...infoOf(alert), endedAt: at });
        const { code, subject, returns } = alert;
        state.over = [...state.over.filter((one) => keyOf(one) !== keyOf(alert)), { code, subject, at, returns }];
      }
    }
  }
  for (const finding of found.values()) {
    if (state.open.length >= maxOpen) break;
    const last = remembered.find((one) => keyOf(one) === keyOf(finding));
    const { code, subject } = finding;
    const returns = last === undefined ? 0 : last.returns + 1;
    state.open.push({ code, subject, since: at, isTold: false, looks: 1, returns, ...saying(finding) });
  }
  state.open = state.open.map((alert) => {
    if (alert.isTold || alert.looks < (alert.code === 'unknown' ? failedLooks : 1)) return alert;
    const told = { ...alert, isTold: true, looks: 0 };
    begun.push(infoOf(told));
    return told;
  });
  return { state, begun, over };
}

export function infoOf({ code, subject, severity, text, next, since }: OpenAlert): AlertInfo {
  return { code, subject, severity, text, next, since, endedAt: null };
}

/** Returns the number of looks after which an alert that was not found is over; undefined if nobody looked. */
function settleOf({ code, subject }: OpenAlert, looks: readonly Look[]): number | undefined {
  if (code === 'unknown') return looks.some((look) => look.code === subject && !('failure' in look)) ? 1 : undefined;
  const look = looks.find((one) => one.code === code);
  return look === undefined || 'failure' in look ? undefined : look.settle;
}

function seenAgain(alert: OpenAlert, finding: Finding): OpenAlert {
  return { ...alert, ...saying(finding), looks: alert.isTold ? 0 : alert.looks + 1 };
}

/** Names come from clients, containers and programs. */
function saying({ severity, text, next = null }: Finding): Pick<OpenAlert, 'severity' | 'text' | 'next'> {
  const cut = (value: string): string => printable(value).slice(0, maxTextLength);
  return { severity, text: cut(text), next: next === null ? null : cut(next) };
}

function keyOf({ code, subject }: { readonly code: string; readonly subject: string }): string {
  return `${code} ${subject}`;
}
