/** The report as people read it, in their shells and by mail. */
import type { Fill, Part, Report } from './report.ts';
import { plural } from '../text.ts';
import { formatHuman } from '../values/size.ts';

/** A longer list is not read. */
const maxNamed = 10;

export interface ReportSection {
  readonly title: string;
  readonly lines: readonly string[];
}

/** Returns the sections of a report, each with one line at least. */
export function reportSections(report: Report): ReportSection[] {
  return [
    section('Alerts', report.alerts, ({ begun, over, open }) => [
      ...open.slice(0, maxNamed).map(({ text, since }) => `Open: ${text} (since ${minute(since)})`),
      ...(open.length > maxNamed ? [`and ${open.length - maxNamed} more: alert list`] : []),
      open.length === 0 ? 'None open' : plural(open.length, 'alert') + ' open',
      `${begun.length} began, ${over.length} over in this time`,
    ]),
    section('Containers', report.containers, ({ total, running, stopped, other, trash }) => [
      `${plural(total, 'container')}: ${running} running, ${stopped} stopped${other === 0 ? '' : `, ${other} in other states`}; ${trash} in the trash`,
    ]),
    section('Changes', report.changes, ({ created, deleted, expired, purged }) => {
      const lines = [
        ...named('New', created),
        ...named('Deleted', deleted),
        ...named('Deleted because their time was over', expired),
        ...named('Purged', purged),
      ];
      return lines.length === 0 ? ['No container was created or deleted'] : lines;
    }),
    section('Backups', report.backups, ({ made, failed, overdue }) => [
      `${plural(made, 'backup')} made, ${failed.length} failed`,
      ...named('Failed', failed),
      ...(overdue === null ? ['No place for backups is set'] : named('Overdue', overdue)),
    ]),
    section('Logins', report.logins, ({ logins, failed, sources, penalties, bans }) => [
      `${plural(logins, 'login')}, ${failed === 0 ? 'none failed' : `${failed} failed, from at least ${plural(sources, 'source')}`}`,
      `${plural(penalties, 'source')} banned by themselves, ${plural(bans, 'ban')} by admins`,
    ]),
    section('Storage', report.pools, (pools) => pools.map((pool) => `Pool ${fill(pool)}`)),
    section('Fullest containers', report.disks, (disks) =>
      disks.length === 0 ? ['None has a limit'] : disks.map(fill),
    ),
    section('Ends within 30 days', report.expiries, (expiries) =>
      expiries.length === 0 ? ['No key and no certificate'] : expiries.map(({ what, at }) => `${what}: ${minute(at)}`),
    ),
    section('Journal', report.journal, ({ records, head, verifiedAt, verified, anchorTrouble }) => [
      `${plural(records, 'record')}, head ${head.slice(0, 16)}`,
      verifiedAt === null
        ? 'Not checked as a whole yet'
        : `Checked ${minute(verifiedAt)}: ${verified === 'ok' ? 'intact' : 'NOT INTACT'}`,
      ...(anchorTrouble === null ? [] : [`Its head was not written outside: ${anchorTrouble}`]),
    ]),
  ];
}

/** Returns the whole report as lines. */
export function reportLines(report: Report): string[] {
  return [
    `${report.host}, ${minute(report.since)} to ${minute(report.until)}`,
    ...reportSections(report).flatMap(({ title, lines }) => ['', title, ...lines.map((line) => `  ${line}`)]),
  ];
}

function section<T>(title: string, { value, trouble }: Part<T>, lines: (value: T) => string[]): ReportSection {
  return { title, lines: value === null ? [`Not known: ${trouble ?? ''}`] : lines(value) };
}

function named(what: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const more = names.length - maxNamed;
  return [`${what}: ${names.slice(0, maxNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`];
}

function fill({ name, percent, usedBytes, totalBytes }: Fill): string {
  return `${name}: ${percent} %, ${formatHuman(usedBytes)} of ${formatHuman(totalBytes)}`;
}

/** Returns a time to the minute: `2026-12-06 14:05 UTC`. */
function minute(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;
}
