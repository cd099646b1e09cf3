/** Operations whose first one checks something more before it begins, while it holds its target. */
import type { Operations } from '../../journal/operations.ts';

/** Returns the same operations, of which the first that runs begins only if `check` resolves. */
export function guarded(operations: Operations, check: () => Promise<void>): Operations {
  let isFirst = true;
  const run: Operations['run'] = (request, prepare, body) => {
    if (!isFirst) return operations.run(request, prepare, body);
    isFirst = false;
    const checkAndPrepare = async (): ReturnType<typeof prepare> => {
      await check();
      return prepare();
    };
    return operations.run(request, checkAndPrepare, body);
  };
  return new Proxy(operations, {
    get(target, name) {
      if (name === 'run') return run;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
