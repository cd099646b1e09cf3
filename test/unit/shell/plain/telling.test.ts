/** What is said of things that go on: steps, other admins, the live list. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FeedContainer, FeedUpdate } from '../../../../src/domain/events/notice.ts';
import { ListTeller } from '../../../../src/shell/plain/following.ts';
import { StepTeller } from '../../../../src/shell/plain/stepTeller.ts';
import { LiveCalls } from '../../../../src/shell/model/liveCalls.ts';
import type { StepEvent } from '../../../../src/domain/events/callEvent.ts';

const begun: StepEvent = { index: 1, total: 2, title: 'Starting container', state: 'begun', elapsedMs: 0 };
const done: StepEvent = { ...begun, state: 'done', elapsedMs: 200 };

describe('steps', () => {
  let said: string[];
  let teller: StepTeller;
  let liveCalls: LiveCalls;
  beforeEach(() => {
    vi.useFakeTimers();
    said = [];
    teller = new StepTeller((text) => said.push(text));
    liveCalls = new LiveCalls();
    liveCalls.begin({ id: 'a', title: 'create bob', verb: 'create', target: 'bob', own: true, startedMs: 0 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const step = (event: StepEvent): void => {
    liveCalls.step('a', event);
    teller.look(liveCalls.all);
  };

  test('are told once, when they end', () => {
    step(begun);
    vi.advanceTimersByTime(1000);
    step(done);
    teller.look(liveCalls.all);
    const ended = liveCalls.end('a');
    teller.finish(ended?.steps ?? [], ended?.notes ?? []);
    teller.look(liveCalls.all);
    vi.advanceTimersByTime(5000);
    expect(said).toEqual(['Step 1 of 2: Starting container, done, 0.2 s.']);
  });

  test('are told as begun after two seconds', () => {
    step(begun);
    vi.advanceTimersByTime(2000);
    teller.look(liveCalls.all);
    vi.advanceTimersByTime(5000);
    step({ ...done, state: 'failed', detail: 'no answer' });
    expect(said).toEqual([
      'Step 1 of 2: Starting container, begun.',
      'Step 1 of 2: Starting container, failed, 0.2 s: no answer.',
    ]);
  });

  test('nothing is said of what was cut off', () => {
    step(begun);
    const ended = liveCalls.end('a');
    teller.finish(ended?.steps ?? [], ended?.notes ?? []);
    teller.look(liveCalls.all);
    vi.advanceTimersByTime(5000);
    expect(said).toEqual([]);
  });

  test('notes are told once', () => {
    liveCalls.note('a', 'it waits');
    teller.look(liveCalls.all);
    liveCalls.note('a', 'it goes on');
    teller.look(liveCalls.all);
    const ended = liveCalls.end('a');
    teller.finish(ended?.steps ?? [], ended?.notes ?? []);
    expect(said).toEqual(['it waits.', 'it goes on.']);
  });

  test('what others do is told where it lasts, without its steps', () => {
    const call = { verb: 'delete', target: 'dave', actor: 'carol', startedAt: '', steps: [begun] };
    liveCalls.beginOther({ ...call, id: 'short' }, 0);
    liveCalls.beginOther({ ...call, id: 'long', target: 'erin' }, 0);
    teller.look(liveCalls.all);
    vi.advanceTimersByTime(1000);
    liveCalls.end('short');
    teller.look(liveCalls.all);
    vi.advanceTimersByTime(5000);
    expect(said).toEqual(['carol: delete erin has begun.']);
  });
});

describe('the list', () => {
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
    autostart: true,
    docker: true,
    image: 'x',
    labels: {},
    createdAt: '2026-01-01T00:00:00Z',
    createdBy: 'carol',
    startedAt: null,
    processes: 3,
    snapshots: 0,
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

  test('is told once, and then what changes', () => {
    const teller = new ListTeller();
    expect(teller.tell(update({ whole: true, changed: [bob] }))).toEqual([
      'Container bob-container: status Running, IP 10.0.3.2, autostart Yes, memory 512 MiB of 2 GiB, 25 percent.',
      '1 container. What changes is said. Enter or Ctrl-C ends this.',
    ]);
    expect(teller.tell(update({ changed: [{ ...bob, memoryUsedBytes: 0, cpuPercent: 50 }] }))).toEqual([]);
    expect(teller.tell(update({ changed: [{ ...bob, status: 'stopped' }] }))).toEqual([
      'Container bob-container: status Stopped, before Running; IP none, before 10.0.3.2.',
    ]);
    expect(teller.tell(update({ changed: [{ ...bob, user: 'al', name: 'al-container' }] }))[0]).toMatch(
      /^New: Container al-container: status Running/,
    );
    expect(teller.tell(update({ removed: ['bob', 'nobody'] }))).toEqual(['Container bob-container is gone.']);
    expect(teller.tell(update({ whole: true, changed: [] }))).toEqual(['Container al-container is gone.']);
  });

  test('says when it cannot be followed, once', () => {
    const teller = new ListTeller();
    teller.tell(update({ whole: true }));
    expect(teller.tell(update({ stale: 'Incus: no answer' }))).toEqual([
      'The list cannot be followed at the moment: Incus: no answer.',
    ]);
    expect(teller.tell(update({ stale: 'Incus: no answer' }))).toEqual([]);
    expect(teller.tell(update({}))).toEqual(['The list is up to date again.']);
  });
});
