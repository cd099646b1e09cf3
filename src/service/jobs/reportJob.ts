/** Sends the daily report. */
import type { JsonObject } from '../../domain/json.ts';
import { reportLines } from '../../domain/results/reportLines.ts';
import { dayMs, minuteMs } from '../../domain/values/duration.ts';
import type { Settings } from '../../settings/settings.ts';
import type { ServiceContext } from '../context.ts';
import { makeReport } from '../report/report.ts';
import type { Job } from './job.ts';

/** Limit for its queries, in milliseconds. */
const limitMs = 5 * minuteMs;

export class ReportJob implements Job {
  readonly name = 'report';
  readonly summary = 'Send the report of the last day';
  readonly pattern: string;

  constructor({ hour }: Pick<Settings['report'], 'hour'>) {
    this.pattern = `7 ${hour} * * *`;
  }

  async run(context: ServiceContext): Promise<string | undefined> {
    const { alerts, now } = context;
    const report = await makeReport(context, new Date(now().getTime() - dayMs), AbortSignal.timeout(limitMs));
    const open = report.alerts.value?.open.length ?? 0;
    const subject = `report${open === 0 ? '' : `, ${open} open alert${open === 1 ? '' : 's'}`}`;
    await alerts.send(subject, reportLines(report).join('\n'), {
      type: 'report',
      report: report as unknown as JsonObject,
    });
    return `sent to ${alerts.delivery.channels.map(({ name }) => name).join(' and ')}`;
  }
}
