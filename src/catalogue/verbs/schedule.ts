/** The verbs about what the server does by itself. */
import * as z from 'zod';
import type { JobRun, Schedule } from '../../domain/results/schedule.ts';
import { durationInWords } from '../../domain/values/duration.ts';
import { existing } from '../declaration/schema.ts';
import { showTime } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block, ViewContext } from '../declaration/view.ts';
import { readEnds } from './shared.ts';

function held({ heldUntil }: Schedule, context: ViewContext): Block[] {
  if (heldUntil === null) return [];
  const text = `The clock has jumped, or the host was down for long: nothing is deleted by the clock for now. This ends: ${showTime(heldUntil, context)}`;
  return [{ kind: 'text', tone: 'warn', text }];
}

export const scheduleList = defineVerb({
  name: 'schedule list',
  aliases: ['schedule ls'],
  summary: 'Show what the server does by itself, when, and how it went',
  description: [
    'What was missed while the host was down runs once, late. After a gap of more than a day, or when the clock jumps, nothing is deleted by the clock until the server has run for a day.',
    'Snapshots are not in the list: Incus makes them by its own schedule (`snapshot list` shows it).',
  ],
  examples: [{ line: 'schedule list', says: 'each job with its last outcome and its next time' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: () => z.strictObject({}),
  view: (result: Schedule, context) => [
    ...held(result, context),
    {
      kind: 'table',
      noun: 'Job',
      columns: [
        { title: 'JOB', priority: 1 },
        { title: 'NEXT', priority: 1 },
        { title: 'LAST', priority: 2 },
        { title: 'OUTCOME', priority: 2 },
        { title: 'WHAT', priority: 3 },
      ],
      rows: result.jobs.map((job) => [
        job.name,
        showTime(job.next, context),
        showTime(job.lastAt, context),
        outcomeText(job),
        job.summary,
      ]),
      empty: 'No jobs',
    },
  ],
  rows: ({ jobs }) => ({
    columns: ['name', 'pattern', 'next', 'last_at', 'last_outcome', 'last_text', 'late_ms'],
    rows: jobs.map((job) => [job.name, job.pattern, job.next, job.lastAt, job.lastOutcome, job.lastText, job.lateMs]),
  }),
});

function outcomeText({ lastOutcome, lastText, lateMs }: Schedule['jobs'][number]): string {
  if (lastOutcome === null) return '-';
  const late = lateMs === 0 ? '' : ` (${durationInWords(lateMs)} late)`;
  return `${lastOutcome === 'ok' ? '' : 'failed: '}${lastText ?? ''}${late}`;
}

export const scheduleRun = defineVerb({
  name: 'schedule run',
  summary: 'Run a job of the schedule now',
  description: ['Its next time stays as it is.'],
  examples: [{ line: 'schedule run trash', says: 'purges what is due, and says what it did' }],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  target: 'job',
  parameters: [{ kind: 'argument', name: 'job', summary: 'name of the job', required: true, complete: 'jobs' }],
  input: () => z.strictObject({ job: existing('job', 'schedule list') }),
  ends: { ...readEnds, notFound: 'there is no such job', failed: 'the job failed' },
  view: ({ job, text }: JobRun) => [{ kind: 'text', tone: 'good', text: `${job}: ${text}` }],
});
