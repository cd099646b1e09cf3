/** core's end of shells: a shell is opened once, even while the journal is read for it. */
import { duplexPair } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { serveShells, type ShellEndpointOptions } from '../../../../src/core/entryPoints/shellEndpoint.ts';
import { shellPlaces } from '../../../../src/core/turns/places.ts';
import { connectOver, notify } from '../../../../src/protocol/connection.ts';
import { messages } from '../../../../src/protocol/messages.ts';
import { carol } from '../../../support/world/world.ts';

let front: MessageConnection;
let core: MessageConnection;
/** Answers of the journal that are awaited. */
let reads: PromiseWithResolvers<[]>[];
let subscriptions: number;
let shells: number;
let loginEnded: (login: string) => void;

beforeEach(() => {
  reads = [];
  subscriptions = 0;
  shells = 0;
  const [mine, theirs] = duplexPair();
  [core, front] = [connectOver(mine), connectOver(theirs)];
  const options = {
    memory: { of: () => ({ lines: [], leftAt: '2030-01-01T00:00:00Z', settings: {} }), left: () => undefined },
    feed: {
      subscribe: () => {
        subscriptions++;
        return () => {
          subscriptions--;
        };
      },
    },
    frontRestarts: { next: () => undefined },
    logins: {
      identify: () => carol,
      countShells: (_: string, by: number) => void (shells += by),
      onEnd: (listener: typeof loginEnded) => void (loginEnded = listener),
    },
    service: {
      room: { enter: () => undefined, leave: () => undefined, welcome: () => ({}) },
      certificates: { issued: [] },
      now: () => new Date(),
    },
    places: shellPlaces({ all: 10, ofOwners: 8, perAdmin: 2, perOwner: 2 }),
    notes: () => [],
    endedSince: () => {
      const read = Promise.withResolvers<[]>();
      reads.push(read);
      return read.promise;
    },
  };
  serveShells(core, options as unknown as ShellEndpointOptions);
  core.listen();
  front.listen();
});
afterEach(() => {
  core.dispose();
  front.dispose();
});

/** Asks to open a shell. Resolves once core reads the journal for it, or has refused it. */
async function enter(shell: string): Promise<{ readonly answer: Promise<'opened' | 'refused'> }> {
  const before = reads.length;
  const answer = front.sendRequest(messages.enter, { shell, login: 'login' }).then(
    () => 'opened' as const,
    () => 'refused' as const,
  );
  let refused: unknown;
  while (reads.length === before && refused === undefined) refused = await Promise.race([answer, tick()]);
  return { answer };
}
const tick = (): Promise<undefined> => new Promise((resolve) => setImmediate(() => resolve(undefined)));

describe('a shell', () => {
  it('is refused if another one with its id is being opened', async () => {
    const [first, second] = [await enter('a'), await enter('a')];
    for (const read of reads) read.resolve([]);
    expect(await Promise.all([first.answer, second.answer])).toEqual(['opened', 'refused']);
    expect([subscriptions, shells]).toEqual([1, 1]);
    notify(front, messages.leave, { shell: 'a' });
    const again = await enter('a');
    expect([subscriptions, shells]).toEqual([0, 0]);
    for (const read of reads) read.resolve([]);
    expect(await again.answer).toBe('opened');
  });

  it('is not opened if it left while the journal was read', async () => {
    const { answer } = await enter('a');
    notify(front, messages.leave, { shell: 'a' });
    // Messages arrive in their order.
    await enter('b');
    for (const read of reads) read.resolve([]);
    expect(await answer).toBe('refused');
    expect([subscriptions, shells]).toEqual([1, 1]);
  });

  it('can be opened again after the journal could not be read', async () => {
    const failed = await enter('a');
    reads[0]?.reject(new Error('the disk is gone'));
    expect(await failed.answer).toBe('refused');
    const again = await enter('a');
    reads[1]?.resolve([]);
    expect(await again.answer).toBe('opened');
  });

  it('is refused beyond the limit of one person, also while others open, until one ends or fails to open', async () => {
    const [first, second] = [await enter('a'), await enter('b')];
    expect(await (await enter('c')).answer).toBe('refused');
    reads[0]?.resolve([]);
    reads[1]?.reject(new Error('the disk is gone'));
    expect(await Promise.all([first.answer, second.answer])).toEqual(['opened', 'refused']);
    const third = await enter('c');
    expect(await (await enter('d')).answer).toBe('refused');
    reads[2]?.resolve([]);
    expect(await third.answer).toBe('opened');
    notify(front, messages.leave, { shell: 'a' });
    const fourth = await enter('d');
    reads[3]?.resolve([]);
    expect(await fourth.answer).toBe('opened');
    // Those that end with their login leave their places too.
    loginEnded('login');
    for (const [i, shell] of ['e', 'f'].entries()) {
      const { answer } = await enter(shell);
      reads[4 + i]?.resolve([]);
      expect(await answer).toBe('opened');
    }
  });
});
