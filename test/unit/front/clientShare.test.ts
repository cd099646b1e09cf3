/** The share of the event loop that one client has, whatever it does there. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ClientShare } from '../../../src/front/transport/clientShare.ts';
import { InputPacer } from '../../../src/shell/terminal/inputPacer.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'] }));
afterEach(() => vi.useRealTimers());

it('is used up by keys as by packets, and there is another in the next turn', () => {
  const share = new ClientShare();
  const changes: boolean[] = [];
  share.follow((isOver) => changes.push(isOver));
  share.spend(10);
  expect(changes).toEqual([]);
  share.spend(10);
  share.spend(10);
  expect(changes).toEqual([true]);
  vi.advanceTimersByTime(100);
  expect(changes).toEqual([true, false]);
});

it('keeps the keys of a shell waiting that costs more, and drops none', () => {
  const share = new ClientShare();
  const fed: string[] = [];
  const pacer = new InputPacer(
    (text) => {
      fed.push(text);
      share.spend(20);
    },
    () => undefined,
    (act) => share.later(act),
  );
  pacer.push([
    { kind: 'text', text: '\t'.repeat(16) },
    { kind: 'text', text: '\r'.repeat(16) },
  ]);
  expect(fed).toHaveLength(1);
  vi.advanceTimersByTime(90);
  expect(fed).toHaveLength(1);
  vi.advanceTimersByTime(20);
  expect(fed.join('')).toBe('\t'.repeat(16) + '\r'.repeat(16));
});

it('is forgotten with the client, and with a shell that ends', () => {
  const share = new ClientShare();
  const acted: string[] = [];
  share.spend(20);
  share.later(() => acted.push('of a shell that ended'))();
  share.later(() => acted.push('of a client that is gone'));
  share.end();
  vi.advanceTimersByTime(1000);
  expect(acted).toEqual([]);
});
