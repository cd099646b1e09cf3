import { describe, expect, it } from 'vitest';
import { CallTurns } from '../../../src/protocol/callTurns.ts';

/** Calls whose end the test decides, and the order in which they began. */
class Calls {
  readonly begun: string[] = [];
  readonly #turns: CallTurns;
  readonly #ends = new Map<string, () => void>();

  /** A busy machine makes calls slow, so by default none is. */
  constructor(slowAfterMs = 600_000) {
    this.#turns = new CallTurns(slowAfterMs);
  }

  make(person: string, name = person): Promise<string> {
    return this.#turns.run(
      person,
      () =>
        new Promise((resolve) => {
          this.begun.push(name);
          this.#ends.set(name, () => resolve(`answer to ${name}`));
        }),
    );
  }

  /** Ends a call, and resolves when the next one has had the chance to begin. */
  async end(name: string): Promise<void> {
    this.#ends.get(name)?.();
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Makes as many calls as begin at the same time. */
function occupy(calls: Calls, person: string): string[] {
  const names = [1, 2, 3, 4].map((number) => `${person} ${number}`);
  for (const name of names) void calls.make(person, name);
  return names;
}

describe('the turns of calls', () => {
  it('answer as the calls do', async () => {
    const turns = new CallTurns();
    await expect(turns.run('alice', () => Promise.resolve(1))).resolves.toBe(1);
    await expect(turns.run('alice', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(turns.run('alice', () => Promise.resolve(2))).resolves.toBe(2);
  });

  it('let the call of another person begin before those that wait of one who makes many', async () => {
    const calls = new Calls();
    const [first = ''] = occupy(calls, 'bob');
    for (let number = 5; number <= 100; number++) void calls.make('bob', `bob ${number}`);
    void calls.make('alice');
    expect(calls.begun).toHaveLength(4);
    await calls.end(first);
    expect(calls.begun.slice(4)).toEqual(['alice']);
  });

  it('let who has made few calls go before those who have made many', async () => {
    const calls = new Calls();
    const people = Array.from({ length: 50 }, (_, i) => `person ${i}`);
    for (const person of people) void calls.make(person);
    // Each answer is followed by the next call of the same person.
    for (const person of people) {
      await calls.end(person);
      void calls.make(person);
    }
    const before = calls.begun.length;
    void calls.make('alice');
    await calls.end(calls.begun[before - 4] ?? '');
    expect(calls.begun.slice(before)).toEqual(['alice']);
  });

  it('keep the order of the calls of one person', async () => {
    const calls = new Calls();
    const names = Array.from({ length: 12 }, (_, i) => `call ${i}`);
    for (const name of names) void calls.make('alice', name);
    for (const name of names) await calls.end(name);
    expect(calls.begun).toEqual(names);
  });

  it('do not wait for slow calls', async () => {
    const calls = new Calls(1);
    occupy(calls, 'bob');
    const fifth = calls.make('bob', 'bob 5');
    await expect.poll(() => calls.begun).toHaveLength(5);
    await calls.end('bob 5');
    await expect(fifth).resolves.toBe('answer to bob 5');
  });
});
