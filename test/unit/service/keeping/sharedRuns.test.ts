import { describe, expect, it } from 'vitest';
import { SharedRuns } from '../../../../src/service/keeping/sharedRuns.ts';

/** Work that ends when it is told to. */
function work() {
  const runs: { readonly signal: AbortSignal; readonly end: (result: number) => void }[] = [];
  const shared = new SharedRuns<number>((signal) => {
    const { promise, resolve } = Promise.withResolvers<number>();
    runs.push({ signal, end: resolve });
    return promise;
  });
  return { runs, shared };
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a check of the whole journal', () => {
  it('that a hundred ask for at once runs once, and once more for all who came during it', async () => {
    const { runs, shared } = work();
    const first = shared.ask();
    await turn();
    const others = Array.from({ length: 100 }, () => shared.ask(new AbortController().signal));
    await turn();
    expect(runs).toHaveLength(1);
    runs[0]?.end(1);
    await turn();
    expect(runs).toHaveLength(2);
    runs[1]?.end(2);
    expect(await first).toBe(1);
    // None gets an answer that is older than its question.
    expect(new Set(await Promise.all(others))).toEqual(new Set([2]));
  });

  it('is aborted when the last who waits for it has left, and does not keep the next from running', async () => {
    const { runs, shared } = work();
    const [one, two] = [new AbortController(), new AbortController()];
    const left = Promise.allSettled([shared.ask(one.signal), shared.ask(two.signal)]);
    await turn();
    one.abort();
    expect(runs[0]?.signal.aborted).toBe(false);
    two.abort();
    expect(runs[0]?.signal.aborted).toBe(true);
    expect((await left).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const gone = new AbortController();
    const never = shared.ask(gone.signal).catch(() => 'left');
    gone.abort();
    const next = shared.ask();
    runs[0]?.end(1);
    await turn();
    await turn();
    runs[1]?.end(2);
    expect([await never, await next]).toEqual(['left', 2]);
    expect(runs).toHaveLength(2);
  });
});
