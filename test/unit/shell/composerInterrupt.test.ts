/** Ctrl-C on an empty line: what runs comes first, and leaving needs two in a row while nothing does. */
import { expect, it } from 'vitest';
import { Composer } from '../../../src/shell/composer/composer.ts';
import { History } from '../../../src/shell/composer/history.ts';

it('asks before it leaves, but first cancels what has begun since', () => {
  let isRunning = false;
  const done: string[] = [];
  const composer = new Composer(new History([]), {
    changed: () => undefined,
    submit: () => undefined,
    submitPasted: () => undefined,
    refuse: () => undefined,
    leave: () => undefined,
    leaveAtOnce: () => done.push('left'),
    hasInputEnded: () => false,
    stop: () => {
      if (isRunning) done.push('cancelled');
      return isRunning;
    },
    clearScreen: () => undefined,
    complete: () => Promise.resolve({ from: 0, candidates: [], after: '' }),
    openView: () => undefined,
  });
  const ctrlC = (): void => composer.key({ name: 'ctrl-c', text: '' });
  ctrlC();
  expect(composer.state.leaving).toBe(true);
  isRunning = true;
  ctrlC();
  expect([composer.state.leaving, done]).toEqual([false, ['cancelled']]);
  isRunning = false;
  ctrlC();
  ctrlC();
  expect(done).toEqual(['cancelled', 'left']);
});
