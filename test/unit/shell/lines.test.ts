/** The order in which the lines of a shell run. */
import { expect, it } from 'vitest';
import { Lines } from '../../../src/shell/model/lines.ts';

function made() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const lines = new Lines(
    (line) => {
      begun.push(line);
      return new Promise((resolve) => ends.set(line, () => resolve(0)));
    },
    () => Promise.resolve(),
  );
  const end = async (line: string): Promise<void> => {
    ends.get(line)?.();
    await new Promise(setImmediate);
  };
  return { lines, begun, end };
}

it('is beside one another for lines that are typed, and in turn for those that were typed ahead', async () => {
  const { lines, begun, end } = made();
  void lines.run('create a');
  void lines.run('create b');
  lines.runNext('list');
  lines.runNext('exit');
  expect(begun).toEqual(['create a', 'create b']);
  await end('create a');
  expect(begun).toEqual(['create a', 'create b']);
  await end('create b');
  expect(begun.slice(2)).toEqual(['list']);
  await end('list');
  expect(begun.slice(3)).toEqual(['exit']);
  await end('exit');
  await lines.ended();
  expect(lines.areWorking).toBe(false);
});

it('forgets those that wait, if they are dropped', async () => {
  const { lines, begun, end } = made();
  void lines.run('create a');
  lines.runNext('list');
  expect(lines.drop()).toBe(1);
  await end('create a');
  await lines.ended();
  expect(begun).toEqual(['create a']);
});
