/** The announcements of screen-reader mode: steps, other admins' calls, the live list. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FeedContainer, FeedUpdate } from '../../../../src/domain/events/notice.ts';
import { ListAnnouncer } from '../../../../src/shell/plain/listAnnouncer.ts';
import { StepAnnouncer } from '../../../../src/shell/plain/stepAnnouncer.ts';
import { LiveCalls } from '../../../../src/shell/model/liveCalls.ts';
import type { StepEvent } from '../../../../src/domain/events/callEvent.ts';

const begun: StepEvent = { index: 1, total: 2, title: 'Starting container', state: 'begun', elapsedMs: 0 };
const done: StepEvent = { ...begun, state: 'done', elapsedMs: 200 };

describe('StepAnnouncer', () => {
  let said: string[];
  let announcer: StepAnnouncer;
  let liveCalls: LiveCalls;
  beforeEach(() => {
    vi.useFakeTimers();
    said = [];
    announcer = new StepAnnouncer((text) => said.push(text));
    liveCalls = new LiveCalls();
    liveCalls.add({ id: 'a', title: 'create bob', verb: 'create', target: 'bob', own: true, startedMs: 0 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const step = (event: StepEvent): void => {
    liveCalls.setStep('a', event);
    announcer.update(liveCalls.all);
  };

  test('announces a step once, when it ends', () => {
    step(begun);
    vi.advanceTimersByTime(1000);
    step(done);
    announcer.update(liveCalls.all);
    const ended = liveCalls.remove('a');
    announcer.finish(ended?.steps ?? [], ended?.notes ?? []);
    announcer.update(liveCalls.all);
    vi.advanceTimersByTime(5000);
    expect(said).toEqual(['Step 1 of 2: Starting container, done, 200 milliseconds.']);
  });

  test('announces a running step after two seconds', () => {
    step(begun);
    vi.advanceTimersByTime(2000);
    announcer.update(liveCalls.all);
    vi.advanceTimersByTime(5000);
    step({ ...done, state: 'failed', detail: 'no answer' });
    expect(said).toEqual([
      'Step 1 of 2: Starting container, in progress.',
      'Step 1 of 2: Starting container, failed, 200 milliseconds: no answer.',
    ]);
  });

  test('is silent about a step that was cut off', () => {
    step(begun);
    const ended = liveCalls.remove('a');
    announcer.finish(ended?.steps ?? [], ended?.notes ?? []);
    announcer.update(liveCalls.all);
    vi.advanceTimersByTime(5000);
    expect(said).toEqual([]);
  });

  test('announces each note once', () => {
    liveCalls.addNote('a', 'it waits');
    announcer.update(liveCalls.all);
    liveCalls.addNote('a', 'it continues');
    announcer.update(liveCalls.all);
    const ended = liveCalls.remove('a');
    announcer.finish(ended?.steps ?? [], ended?.notes ?? []);
    expect(said).toEqual(['it waits.', 'it continues.']);
  });

  test("announces another admin's call without its steps, if it takes a while", () => {
    const call = { verb: 'delete', target: 'dave', actor: 'carol', startedAt: '', steps: [begun] };
    liveCalls.addOther({ ...call, id: 'short' }, 0);
    liveCalls.addOther({ ...call, id: 'long', target: 'erin' }, 0);
    announcer.update(liveCalls.all);
    vi.advanceTimersByTime(1000);
    liveCalls.remove('short');
    announcer.update(liveCalls.all);
    vi.advanceTimersByTime(5000);
    expect(said).toEqual(['carol: delete erin has started.']);
  });
});

describe('ListAnnouncer', () => {
  const bob: FeedContainer = {
    user: 'bob',
    name: 'bob-container',
    status: 'running',
    provisioning: 'ready',
    address: '10.0.3.2',
    cpus: 2,
    memoryLimitBytes: 2 ** 31,
    memoryUsedBytes: 2 ** 29,
    diskQuotaBytes: null,
    diskUsedBytes: null,
    processLimit: 2000,
    restartFor: [],
    autostart: true,
    docker: true,
    protected: false,
    expiresAt: null,
    image: 'x',
    labels: {},
    createdAt: '2026-01-01T00:00:00Z',
    createdBy: 'carol',
    startedAt: null,
    processes: 3,
    snapshots: 0,
    lastSnapshotAt: null,
    lastBackupAt: null,
    outOfMemory: null,
    keys: [],
    cpuPercent: 1,
  };
  const update = (change: Partial<FeedUpdate>): FeedUpdate => ({
    whole: false,
    changed: [],
    removed: [],
    measuredAt: null,
    stale: null,
    ...change,
  });

  test('announces every container once, then the changes', () => {
    const announcer = new ListAnnouncer();
    expect(announcer.announce(update({ whole: true, changed: [bob] }))).toEqual([
      'Container of bob: status Running, IP 10.0.3.2, autostart Yes, memory 512 MiB of 2 GiB, 25 percent.',
      '1 container. Changes are announced. Press Enter or Ctrl-C to stop.',
    ]);
    expect(announcer.announce(update({ changed: [{ ...bob, memoryUsedBytes: 0, cpuPercent: 50 }] }))).toEqual([]);
    expect(announcer.announce(update({ changed: [{ ...bob, status: 'stopped' }] }))).toEqual([
      'Container of bob: status Stopped, was Running; IP none, was 10.0.3.2.',
    ]);
    expect(announcer.announce(update({ changed: [{ ...bob, user: 'al', name: 'al-container' }] }))[0]).toMatch(
      /^New: Container of al: status Running/,
    );
    expect(announcer.announce(update({ removed: ['bob', 'nobody'] }))).toEqual([
      'Container of bob is no longer listed.',
    ]);
    expect(announcer.announce(update({ whole: true, changed: [] }))).toEqual(['Container of al is no longer listed.']);
  });

  test('announces once that the list is out of date', () => {
    const announcer = new ListAnnouncer();
    announcer.announce(update({ whole: true }));
    expect(announcer.announce(update({ stale: 'Incus: no answer' }))).toEqual([
      'The list is out of date: Incus: no answer.',
    ]);
    expect(announcer.announce(update({ stale: 'Incus: no answer' }))).toEqual([]);
    expect(announcer.announce(update({}))).toEqual(['The list is up to date again.']);
  });
});
