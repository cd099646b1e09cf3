import { describe, expect, it } from 'vitest';
import { eitherSignal } from '../../../src/domain/signals.ts';

describe('a signal of which the first counts', () => {
  it.each([0, 1])('is aborted with signal %i, for its reason', (which) => {
    const controllers = [new AbortController(), new AbortController()];
    using either = eitherSignal(...controllers.map(({ signal }) => signal));
    expect(either.signal.aborted).toBe(false);
    controllers[which]?.abort('gone');
    expect(either.signal.reason).toBe('gone');
  });

  it('is aborted from the beginning if one is', () => {
    using either = eitherSignal(new AbortController().signal, AbortSignal.abort('before'));
    expect(either.signal.reason).toBe('before');
  });

  it('is forgotten by the signals when it is disposed of', () => {
    const controller = new AbortController();
    const either = eitherSignal(controller.signal);
    either[Symbol.dispose]();
    controller.abort();
    expect(either.signal.aborted).toBe(false);
  });
});
