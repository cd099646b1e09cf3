/** The verbs about alerts and the report. */
import * as z from 'zod';
import type { AlertInfo, AlertList, AlertTest, ChannelInfo } from '../../domain/results/alerts.ts';
import { reportSections } from '../../domain/results/reportLines.ts';
import type { Report } from '../../domain/results/report.ts';
import { plural } from '../../domain/text.ts';
import { someText } from '../declaration/schema.ts';
import { showDate, showTime } from '../declaration/show.ts';
import { defineVerb, type Option } from '../declaration/verb.ts';
import type { Block, ViewContext } from '../declaration/view.ts';
import { readEnds } from './shared.ts';

const sinceOption: Option = {
  kind: 'option',
  name: 'since',
  long: ['since'],
  value: 'time',
  summary: 'only what happened since this time: 2h, 3d, yesterday, 2026-11-23',
};

const sinceInput = someText(64).optional();

function alertTable(alerts: readonly AlertInfo[], context: ViewContext): Block {
  return {
    kind: 'table',
    noun: 'Alert',
    columns: [
      { title: 'ALERT', priority: 2 },
      { title: 'ABOUT', priority: 2 },
      { title: 'SEVERITY', priority: 3 },
      { title: 'SINCE', priority: 1 },
      { title: 'OVER', priority: 3 },
      { title: 'WHAT', priority: 1 },
    ],
    rows: alerts.map(({ code, subject, severity, since, endedAt, text }) => [
      code,
      subject,
      severity,
      showTime(since, context),
      showTime(endedAt, context),
      text,
    ]),
    empty: 'No alerts',
  };
}

function channelText(
  { name, to, queued, dropped, lastAt, lastOutcome, lastText }: ChannelInfo,
  context: ViewContext,
): Block {
  const last =
    lastOutcome === null
      ? 'nothing sent yet'
      : lastOutcome === 'ok'
        ? `last sent ${showTime(lastAt, context)}`
        : `failed ${showTime(lastAt, context)}: ${lastText ?? ''}`;
  const lost = dropped === 0 ? '' : `, ${plural(dropped, 'message')} given up`;
  const waits = queued === 0 ? '' : `, ${plural(queued, 'message')} waiting`;
  return {
    kind: 'text',
    tone: lastOutcome === 'failed' ? 'bad' : 'quiet',
    text: `By ${name} to ${to}: ${last}${waits}${lost}`,
  };
}

export const alertList = defineVerb({
  name: 'alert list',
  readsHistory: true,
  aliases: ['alert ls'],
  summary: 'Show what needs an admin, such as a full pool or a failed backup',
  description: [
    'The server looks every five minutes, and tells what begins and what is over: in the shells of admins, and by mail and webhook if the configuration names them (`alerts`). A condition is over when three looks in a row have not found it; one that comes back within a day takes longer each time. If a look fails, that is an alert of its own (`unknown`), and what was open stays open.',
  ],
  examples: [
    { line: 'alert list', says: 'what is open now' },
    { line: 'alert list --all --since 7d', says: 'also what was over in the last week' },
  ],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [
    {
      kind: 'option',
      name: 'all',
      long: ['all'],
      short: 'a',
      summary: 'also those that are over, of the last 30 days',
    },
    { ...sinceOption, summary: 'also those that were over since this time' },
  ],
  input: () => z.strictObject({ all: z.boolean().optional(), since: sinceInput }),
  ends: { failed: 'the journal contains an invalid record: run audit verify' },
  view: (result: AlertList, context) => [
    alertTable(result.alerts, context),
    ...(result.channels.length === 0
      ? [
          {
            kind: 'text',
            tone: 'quiet',
            text: 'Told in shells only: alerts.mail and alerts.webhook are not set',
          } as const,
        ]
      : result.channels.map((channel) => channelText(channel, context))),
  ],
  rows: ({ alerts }) => ({
    columns: ['code', 'subject', 'severity', 'since', 'ended_at', 'text', 'next'],
    rows: alerts.map((one) => [one.code, one.subject, one.severity, one.since, one.endedAt, one.text, one.next]),
  }),
});

export const alertTest = defineVerb({
  name: 'alert test',
  summary: 'Send a test message by every way that alerts take',
  description: ['Waits for the outcome of each. A mail server that has taken a message may still fail to deliver it.'],
  examples: [{ line: 'alert test', says: 'after a change of the configuration' }],
  access: { manage: 'operator' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: () => z.strictObject({}),
  ends: { usage: 'the configuration names no way', failed: 'a way did not work' },
  view: ({ channels }: AlertTest) =>
    channels.map(({ name, to, outcome, text }) => ({
      kind: 'text',
      tone: outcome === 'ok' ? 'good' : 'bad',
      text: `${name} to ${to}: ${text}`,
    })),
  rows: ({ channels }) => ({
    columns: ['name', 'to', 'outcome', 'text'],
    rows: channels.map(({ name, to, outcome, text }) => [name, to, outcome, text]),
  }),
  exit: ({ channels }) => (channels.every(({ outcome }) => outcome === 'ok') ? 'ok' : 'failed'),
});

export const report = defineVerb({
  name: 'report',
  readsHistory: true,
  summary: 'Report what happened on this host, and how it is',
  description: [
    'Containers, backups, logins and bans, the fullest pools and containers, alerts, keys and certificates that end, and the journal. It is sent every day through the channels of alerts (`report` in the configuration). A part that cannot be found out says why.',
  ],
  examples: [
    { line: 'report', says: 'the last 24 hours' },
    { line: 'report --since 7d', says: 'the last week' },
  ],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [sinceOption],
  input: () => z.strictObject({ since: sinceInput }),
  ends: readEnds,
  view: (result: Report) => [
    { kind: 'text', tone: 'quiet', text: `${result.host}, ${showDate(result.since)} to ${showDate(result.until)}` },
    ...reportSections(result).map(({ title, lines }): Block => ({ kind: 'verbatim', title, text: lines.join('\n') })),
  ],
});
