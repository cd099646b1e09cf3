/**
 * What a call leaves in the journal, and `changing`, for which a stop of the server waits: true until the answer to a
 * change can be sent.
 */
import { describe, expect, it, test } from 'vitest';
import { catalogue, verbNames, verbNamed, type AnyVerb } from '../../../../src/catalogue/catalogue.ts';
import { Dispatcher } from '../../../../src/core/calls/dispatcher.ts';
import type { Capabilities } from '../../../../src/core/calls/capabilities.ts';
import type { CallEvent } from '../../../../src/domain/events/callEvent.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import type { Actor } from '../../../../src/domain/access/actor.ts';

const tester: Actor = { name: 'tester', role: 'admin', entryPoint: 'manage' };

function world({ unwritable = false } = {}) {
  const verb = Promise.withResolvers<unknown>();
  const changed = Promise.withResolvers<undefined>();
  const nothing = (): undefined => undefined;
  const records: object[] = [];
  const capability = (): Promise<unknown> => verb.promise;
  const dispatcher = new Dispatcher({
    journal: {
      append: (entry: object) => {
        records.push(entry);
        if (unwritable) return Promise.reject(new Failure('journal-unwritable', { what: 'journal', why: 'no space' }));
        return Promise.resolve({ seq: 0, hash: '' });
      },
      head: undefined,
    } as never,
    capabilities: {
      stop: capability,
      shell: capability,
      list: capability,
      doctor: capability,
    } as unknown as Capabilities,
    service: {
      room: { begun: nothing, step: nothing, ended: nothing },
      incus: { instances: () => Promise.resolve([]) },
    } as never,
    plan: () => Promise.reject(new Error('no plan')),
    changed: () => changed.promise.then(nothing),
    now: Date.now,
    touch: { withinMs: 0, touchedAt: nothing },
  });
  const events: CallEvent[] = [];
  const call = (name: string, input: Record<string, unknown>, actor = tester): Promise<unknown> =>
    dispatcher.call({
      actor,
      verb: name,
      input,
      reachedAt: undefined,
      shell: undefined,
      terminal: undefined,
      signal: new AbortController().signal,
      emit: (event) => void events.push(event),
    });
  return { dispatcher, verb, changed, call, records, events };
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

test('doctor runs without a record if the journal cannot be written, and says so', async () => {
  const { verb, call, events } = world({ unwritable: true });
  verb.resolve({ checks: [] });
  expect(await call('doctor', {})).toEqual({ result: { checks: [] } });
  expect(events).toEqual([{ type: 'note', text: 'This call is not recorded: journal: no space' }]);
  await expect(call('list', {})).rejects.toMatchObject({ code: 'journal-unwritable' });
  await expect(call('stop', { user: 'alice' })).rejects.toMatchObject({ code: 'journal-unwritable' });
});

test('only verbs that change nothing run without a record', () => {
  const repairs = Object.values(catalogue).filter((verb: AnyVerb) => verb.helpsRepair === true);
  expect(repairs.map(({ name }) => name)).toContain('doctor');
  expect(repairs.filter(({ changes }) => changes)).toEqual([]);
});

test('a refused call does not count as a running change', async () => {
  const { dispatcher, call } = world();
  await expect(call('stop', { user: '../etc' })).rejects.toThrow();
  expect(dispatcher.changing).toBe(false);
});

describe('the record of a refused call', () => {
  const secret = 'Secret Words';
  const viewer: Actor = { ...tester, role: 'viewer' };
  /** Takes the comment of a key as its target, which is any text. */
  const takesAnyText = new Set<string>([catalogue['admin remove'].name]);

  it.each(verbNames.filter((name) => verbNamed(name).answeredLocally !== true))(
    'of %s keeps nothing of an input that is not valid',
    async (name) => {
      const { call, records } = world();
      const verb = verbNamed(name);
      const target = verb.target === undefined || takesAnyText.has(name) ? {} : { [verb.target]: secret };
      const inputs = [{ ...target, [secret]: secret }, { [secret]: secret }, target];
      for (const input of inputs) {
        records.length = 0;
        if (Object.keys(input).length === 0) continue;
        await expect(call(name, input)).rejects.toMatchObject({ name: 'Failure' });
        expect(records).toMatchObject([
          { type: 'refused', verb: name, failure: { code: expect.any(String) as string } },
        ]);
        expect(JSON.stringify(records)).not.toContain('Secret');
      }
    },
  );

  it('keeps the target that the verb accepts, and the reason unless it is about the input', async () => {
    const { call, records } = world();
    await expect(call('stop', { user: 'alice', unknown: 1 })).rejects.toThrow();
    await expect(call('stop', { user: 'alice' }, viewer)).rejects.toThrow();
    await expect(call('delete', { user: 'alice' })).rejects.toThrow();
    expect(records).toMatchObject([
      { target: 'alice', failure: { code: 'usage' } },
      { target: 'alice', failure: { code: 'denied', why: expect.any(String) as string } },
      { target: 'alice', failure: { code: 'confirmation-required', why: expect.any(String) as string } },
    ]);
    expect(records[0]).not.toHaveProperty('failure.why');
  });

  it.each(['abcdefghijklmnopqrstuvwxyz234567', 'invite-abcdefghijklmnopqrstuvwxyz234567'])(
    'of invite cancel does not hold the secret %s',
    async (token) => {
      const { call, records } = world();
      await expect(call('invite cancel', { invitation: token })).rejects.toMatchObject({
        code: 'usage',
        next: 'name the invitation by its id, see "invite list"',
      });
      expect(JSON.stringify(records)).not.toContain('abcdefghij');
    },
  );
});

describe('records of cheap calls', () => {
  const owner: Actor = { name: 'alice', role: 'owner', entryPoint: 'self', owns: ['alice'] };

  test('of one owner are limited, and the rest is summed up, so that they do not fill the disk', async () => {
    const { dispatcher, call, records } = world();
    for (let n = 0; n < 5000; n++) await call('info', { user: 'no such user' }, owner).catch(() => undefined);
    expect(records.length).toBeLessThan(250);
    await dispatcher.settled();
    expect(records.at(-1)).toMatchObject({ type: 'calls', top: [{ name: 'alice', entryPoint: 'self' }] });
    const summed = records
      .filter(({ type }: any) => type === 'calls')
      .reduce<number>((sum, { count }: any) => sum + (count as number), 0);
    expect(records.filter(({ type }: any) => type === 'refused').length + summed).toBe(5000);
  });

  test('of one owner leave those of another, and changes by admins are always recorded', async () => {
    const { call, records } = world();
    for (let n = 0; n < 3000; n++) await call('stop', {}, tester).catch(() => undefined);
    expect(records).toHaveLength(3000);
    for (let n = 0; n < 300; n++) await call('restart', { user: 'x y' }, owner).catch(() => undefined);
    await expect(call('restart', {}, owner)).rejects.toMatchObject({ code: 'busy' });
    const before = records.length;
    await call('restart', { user: 'x y' }, { ...owner, name: 'bob', owns: ['bob'] }).catch(() => undefined);
    expect(records.length).toBe(before + 1);
  });
});
