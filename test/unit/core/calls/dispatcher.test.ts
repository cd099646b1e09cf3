/** `changing`, for which a stop of the server waits: true until the answer to a change can be sent. */
import { expect, test } from 'vitest';
import { Dispatcher } from '../../../../src/core/calls/dispatcher.ts';
import type { Capabilities } from '../../../../src/core/calls/capabilities.ts';
import type { Actor } from '../../../../src/domain/access/actor.ts';

const tester: Actor = { name: 'tester', role: 'admin', entryPoint: 'manage' };

function world() {
  const verb = Promise.withResolvers<unknown>();
  const changed = Promise.withResolvers<undefined>();
  const nothing = (): undefined => undefined;
  const capability = (): Promise<unknown> => verb.promise;
  const dispatcher = new Dispatcher({
    journal: { append: () => Promise.resolve({ seq: 0, hash: '' }), head: undefined } as never,
    capabilities: { stop: capability, shell: capability, list: capability } as unknown as Capabilities,
    service: { room: { begun: nothing, step: nothing, ended: nothing } } as never,
    changed: () => changed.promise.then(nothing),
    now: Date.now,
    touch: { withinMs: 0, touchedAt: nothing },
  });
  const call = (name: string, input: Record<string, unknown>): Promise<unknown> =>
    dispatcher.call({
      actor: tester,
      verb: name,
      input,
      reachedAt: undefined,
      shell: undefined,
      terminal: undefined,
      signal: new AbortController().signal,
      emit: nothing,
    });
  return { dispatcher, verb, changed, call };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test.each(['done', 'failed'])('a change that is %s counts as running until the directory is refreshed', async (end) => {
  const { dispatcher, verb, changed, call } = world();
  const answer = call('stop', { user: 'alice' }).catch((error: unknown) => error);
  await turn();
  expect(dispatcher.changing).toBe(true);
  if (end === 'done') verb.resolve({});
  else verb.reject(new Error('no'));
  await turn();
  expect(dispatcher.changing).toBe(true);
  changed.resolve(undefined);
  await answer;
  expect(dispatcher.changing).toBe(false);
});

test.each(['shell', 'list'])('%s does not count as a running change', async (name) => {
  const { dispatcher, verb, changed, call } = world();
  const answer = call(name, name === 'shell' ? { user: 'alice' } : {});
  await turn();
  expect(dispatcher.changing).toBe(false);
  verb.resolve({});
  changed.resolve(undefined);
  await answer;
  expect(dispatcher.changing).toBe(false);
});

test('a refused call does not count as a running change', async () => {
  const { dispatcher, call } = world();
  await expect(call('stop', { user: '../etc' })).rejects.toThrow();
  expect(dispatcher.changing).toBe(false);
});
