/** The queues in which messages wait for a way out. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import { openAlertStore, type AlertStore } from '../../../../src/service/alerts/alerts.ts';
import { Delivery } from '../../../../src/service/notify/delivery.ts';
import { makeMessage, type Channel } from '../../../../src/service/notify/message.ts';

let folder: string;
let store: AlertStore;
let nowMs: number;
let sent: string[];
let trouble: Failure | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-delivery-'));
  store = await openAlertStore(join(folder, 'alerts.json'), unexpected);
  nowMs = Date.parse('2026-11-29T12:00:00.000Z');
  [sent, trouble] = [[], undefined];
});
afterEach(() => rm(folder, { recursive: true }));

const unexpected = (failure: Failure): never => {
  throw failure;
};
const now = (): Date => new Date(nowMs);

function channel(name: Channel['name'] = 'mail', send?: Channel['send']): Channel {
  const take: Channel['send'] = ({ subject }) => {
    if (trouble !== undefined) return Promise.reject(trouble);
    sent.push(`${name} ${subject}`);
    return Promise.resolve();
  };
  return { name, to: 'somewhere', send: send ?? take };
}

function delivery(channels: readonly Channel[] = [channel()]): Delivery {
  return new Delivery({ channels, store, now, log: pino({ level: 'silent' }) });
}

async function add(to: Delivery, subject: string): Promise<void> {
  await store.update(({ queues }) => to.enqueue(queues, makeMessage(now(), subject, 'text', { type: 'test' })));
  to.kick();
  await to.settled();
}

const refusal = new Failure('undeliverable', { what: 'https://hooks.example.org', why: 'it answers with status 503' });

describe('a message', () => {
  it('goes to every channel, in the order in which they came', async () => {
    const to = delivery([channel('mail'), channel('webhook')]);
    await add(to, 'first');
    await add(to, 'second');
    expect(sent).toEqual(['mail first', 'webhook first', 'mail second', 'webhook second']);
    expect(to.channels).toMatchObject([{ queued: 0, lastOutcome: 'ok', lastAt: '2026-11-29T12:00:00.000Z' }, {}]);
  });

  it('waits while the channel fails, across a restart, and is sent once', async () => {
    trouble = refusal;
    const to = delivery();
    await add(to, 'first');
    await add(to, 'second');
    expect(to.channels).toMatchObject([
      { queued: 2, lastOutcome: 'failed', lastText: 'https://hooks.example.org: it answers with status 503' },
    ]);
    trouble = undefined;
    store = await openAlertStore(join(folder, 'alerts.json'), unexpected);
    const again = delivery();
    again.kick();
    await again.settled();
    expect(sent).toEqual(['mail first', 'mail second']);
    expect(again.channels).toMatchObject([{ queued: 0, dropped: 0, lastOutcome: 'ok' }]);
  });

  it('is not held up by the other channel', async () => {
    const to = delivery([channel('mail', () => Promise.reject(refusal)), channel('webhook')]);
    await add(to, 'first');
    expect(sent).toEqual(['webhook first']);
  });

  it('is given up when a hundred newer ones wait, and that is counted', async () => {
    trouble = refusal;
    const to = delivery();
    for (let number = 0; number < 103; number += 1) await add(to, `message ${number}`);
    expect(to.channels).toMatchObject([{ queued: 100, dropped: 3 }]);
    trouble = undefined;
    to.kick();
    await to.settled();
    expect(sent[0]).toBe('mail message 3');
  });

  it('is given up after three days', async () => {
    trouble = refusal;
    const to = delivery();
    await add(to, 'old');
    nowMs += 73 * 3_600_000;
    await add(to, 'new');
    expect(to.channels).toMatchObject([{ queued: 1, dropped: 1 }]);
    trouble = undefined;
    to.kick();
    await to.settled();
    expect(sent).toEqual(['mail new']);
  });

  it('that is being sent at a stop stays in the queue', async () => {
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const hanging = channel('mail', (_message, signal) => {
      begin();
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('cut off'))));
    });
    const to = delivery([hanging]);
    await store.update(({ queues }) => to.enqueue(queues, makeMessage(now(), 'slow', 'text', {})));
    to.kick();
    await begun;
    await to.stop();
    expect(to.channels).toMatchObject([{ queued: 1, lastOutcome: null }]);
  });
});

describe('a test of the channels', () => {
  it('says how each went, and leaves the queues alone', async () => {
    const to = delivery([channel('mail', () => Promise.reject(refusal)), channel('webhook')]);
    const message = makeMessage(now(), 'test', 'text', {});
    expect((await to.test(message, new AbortController().signal)).channels).toEqual([
      {
        name: 'mail',
        to: 'somewhere',
        outcome: 'failed',
        text: 'https://hooks.example.org: it answers with status 503',
      },
      { name: 'webhook', to: 'somewhere', outcome: 'ok', text: 'sent' },
    ]);
    expect(to.channels).toMatchObject([{ queued: 0, lastOutcome: null }, { queued: 0 }]);
  });
});
