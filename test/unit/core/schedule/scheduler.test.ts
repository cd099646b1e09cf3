/** The scheduler with a clock and jobs of the test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Scheduler } from '../../../../src/core/schedule/scheduler.ts';
import { openScheduleStore } from '../../../../src/core/schedule/scheduleStore.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import type { JsonObject } from '../../../../src/domain/json.ts';
import { dayMs, hourMs, minuteMs } from '../../../../src/domain/values/duration.ts';
import type { ServiceContext } from '../../../../src/service/context.ts';
import type { Job } from '../../../../src/service/jobs/job.ts';

let folder: string;
let clockMs: number;
let monotonicMs: number;
let runs: { readonly job: string; readonly mayDelete: boolean }[];
let records: JsonObject[];
let announced: string[];
let failing: Failure | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-schedule-'));
  clockMs = Date.UTC(2026, 10, 29, 12, 0);
  monotonicMs = 0;
  [runs, records, announced, failing] = [[], [], [], undefined];
});
afterEach(() => rm(folder, { recursive: true }));

function job(name: string, pattern: string, did: string | undefined = 'something'): Job {
  return {
    name,
    summary: `Do ${name}`,
    pattern,
    run: (_context, { mayDelete }) => {
      runs.push({ job: name, mayDelete });
      return failing === undefined ? Promise.resolve(did) : Promise.reject(failing);
    },
  };
}

async function start(jobs: readonly Job[] = [job('hourly', '17 * * * *')]): Promise<Scheduler> {
  return new Scheduler({
    jobs,
    store: await openScheduleStore(join(folder, 'schedule.json')),
    service: () => ({}) as ServiceContext,
    append: (entry) => Promise.resolve(records.push(entry)),
    log: pino({ level: 'silent' }),
    changed: () => Promise.resolve(),
    announce: (text) => announced.push(text),
    now: () => clockMs,
    monotonic: () => monotonicMs,
  });
}

/** Lets time pass, with a look at the clock every minute or, for long times, every hour. */
async function pass(scheduler: Scheduler, ms: number): Promise<void> {
  const stepMs = ms > dayMs ? hourMs : minuteMs;
  for (let passed = 0; passed < ms; passed += stepMs) {
    clockMs += stepMs;
    monotonicMs += stepMs;
    await scheduler.tick('short');
  }
}

describe('the scheduler', () => {
  it('runs a job at its times, and not at the start', async () => {
    const scheduler = await start();
    await scheduler.tick('short');
    expect(runs).toEqual([]);
    await pass(scheduler, 16 * minuteMs);
    expect(runs).toEqual([]);
    await pass(scheduler, minuteMs);
    expect(runs).toEqual([{ job: 'hourly', mayDelete: true }]);
    await pass(scheduler, hourMs);
    expect(runs).toHaveLength(2);
    expect(scheduler.list().jobs).toMatchObject([
      { name: 'hourly', next: '2026-11-29T14:17:00.000Z', lastOutcome: 'ok', lastText: 'something', lateMs: 0 },
    ]);
  });

  it('runs what was missed once, and says by how much it was late', async () => {
    await pass(await start(), hourMs);
    runs = [];
    clockMs += 5 * hourMs;
    const next = await start();
    await next.tick('short');
    expect(runs).toEqual([{ job: 'hourly', mayDelete: true }]);
    expect(next.list().jobs[0]?.lateMs).toBe(4 * hourMs + 43 * minuteMs);
    expect(records.at(-1)).toMatchObject({ type: 'job', job: 'hourly', outcome: 'ok' });
    await pass(next, minuteMs);
    expect(runs).toHaveLength(1);
  });

  it.each([
    ['the host was down for days', 3 * dayMs, true],
    ['the clock jumps ahead by years', 400 * dayMs, false],
    ['the clock goes back by years', -400 * dayMs, false],
  ])('allows nothing to be deleted for a day of running when %s', async (_, jumpMs, restarts) => {
    let scheduler = await start();
    await pass(scheduler, hourMs);
    runs = [];
    clockMs += jumpMs;
    if (restarts) scheduler = await start();
    await scheduler.tick('short');
    expect(announced).toHaveLength(1);
    expect(scheduler.list().heldUntil).not.toBeNull();
    await pass(scheduler, 23 * hourMs);
    expect(runs.length).toBeGreaterThan(20);
    expect(runs.every(({ mayDelete }) => !mayDelete)).toBe(true);
    await pass(scheduler, 2 * hourMs);
    expect(runs.at(-1)?.mayDelete).toBe(true);
    expect(scheduler.list().heldUntil).toBeNull();
  });

  it('notices a jump at once when a job is run by hand, and in a list', async () => {
    const scheduler = await start();
    await scheduler.tick('short');
    clockMs += 400 * dayMs;
    expect(scheduler.list().heldUntil).not.toBeNull();
    await scheduler.run('hourly');
    expect(runs).toEqual([{ job: 'hourly', mayDelete: false }]);
  });

  it('runs what may take hours beside the others, one at a time', async () => {
    const hanging = Promise.withResolvers<string>();
    const begun: string[] = [];
    const long = (name: string): Job => ({
      ...job(name, '17 * * * *'),
      isLong: true,
      run: () => (begun.push(name), hanging.promise),
    });
    const scheduler = await start([long('backups'), long('journal'), job('alerts', '17 * * * *')]);
    await scheduler.tick('long');
    await pass(scheduler, 17 * minuteMs);
    const ticked = scheduler.tick('long');
    await pass(scheduler, hourMs);
    expect(runs).toHaveLength(2);
    expect(begun).toEqual(['backups']);
    hanging.resolve('made');
    await ticked;
    expect(begun).toEqual(['backups', 'journal']);
  });

  it('notices a jump while a job ran for hours before it begins the next', async () => {
    const long: Job = {
      ...job('backups', '17 * * * *'),
      run: () => {
        clockMs += 400 * dayMs;
        return Promise.resolve('made');
      },
    };
    const scheduler = await start([long, job('trash', '17 * * * *')]);
    await pass(scheduler, 17 * minuteMs);
    expect(runs).toEqual([{ job: 'trash', mayDelete: false }]);
  });

  it('keeps the day of running over a restart', async () => {
    const first = await start();
    await first.tick('short');
    clockMs += 2 * dayMs;
    await first.tick('short');
    await pass(first, 20 * hourMs);
    monotonicMs = 0;
    const second = await start();
    await pass(second, 3 * hourMs);
    expect(second.list().heldUntil).not.toBeNull();
    await pass(second, 2 * hourMs);
    expect(second.list().heldUntil).toBeNull();
  });

  it('does not put a job off because the clock was set back', async () => {
    const scheduler = await start();
    await pass(scheduler, hourMs);
    clockMs -= 5 * hourMs;
    await scheduler.tick('short');
    expect(scheduler.list().jobs[0]?.next).toBe('2026-11-29T08:17:00.000Z');
  });

  it('goes on after a job that fails, records it and tells the admins', async () => {
    const scheduler = await start([job('first', '17 * * * *'), job('second', '17 * * * *')]);
    failing = new Failure('timeout', { what: 'Incus', why: 'it did not answer' });
    await pass(scheduler, 20 * minuteMs);
    expect(runs.map((run) => run.job)).toEqual(['first', 'second']);
    expect(records).toMatchObject([{ outcome: 'failed', text: 'Incus: it did not answer' }, { job: 'second' }]);
    expect(announced).toContain('The job "first" failed: Incus: it did not answer');
    failing = undefined;
    await pass(scheduler, hourMs);
    expect(scheduler.list().jobs.map(({ lastOutcome }) => lastOutcome)).toEqual(['ok', 'ok']);
  });

  it('records no run that had nothing to do', async () => {
    const scheduler = await start([{ ...job('idle', '17 * * * *'), run: () => Promise.resolve(undefined) }]);
    await pass(scheduler, hourMs);
    expect(scheduler.list().jobs[0]).toMatchObject({ lastOutcome: 'ok', lastText: 'nothing to do' });
    expect(records).toEqual([]);
  });

  it('runs a job when it is asked to, and leaves its next time', async () => {
    const scheduler = await start();
    await scheduler.tick('short');
    expect(await scheduler.run('hourly')).toEqual({ job: 'hourly', text: 'something' });
    expect(scheduler.list().jobs[0]?.next).toBe('2026-11-29T12:17:00.000Z');
    await expect(scheduler.run('nothing')).rejects.toMatchObject({ code: 'not-found' });
    failing = new Failure('timeout', { what: 'Incus', why: 'it did not answer' });
    await expect(scheduler.run('hourly')).rejects.toMatchObject({ code: 'timeout' });
  });

  it('begins no job after it was stopped', async () => {
    const scheduler = await start();
    await scheduler.tick('short');
    await scheduler.stop();
    await pass(scheduler, 2 * hourMs);
    expect(runs).toEqual([]);
  });
});
