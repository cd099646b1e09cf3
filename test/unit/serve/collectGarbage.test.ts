import { expect, it } from 'vitest';
import { collectGarbage } from '../../../src/serve/collectGarbage.ts';

it('collects what nothing refers to, and leaves no gc() behind', () => {
  const made = Array.from({ length: 2000 }, () => new WeakRef(new Array(1000).fill({})));
  return new Promise<void>((resolve) =>
    // A WeakRef keeps its object until the end of the turn that has made it.
    setImmediate(() => {
      collectGarbage();
      expect(made.filter((each) => each.deref() !== undefined).length).toBeLessThan(10);
      expect(globalThis.gc).toBeUndefined();
      resolve();
    }),
  );
});
