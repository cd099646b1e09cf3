/** core's end of shells: a shell is opened once, even while the journal is read for it. */
import { duplexPair } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { serveShells, type ShellEndpointOptions } from '../../../../src/core/entryPoints/shellEndpoint.ts';
import { connectOver, notify } from '../../../../src/protocol/connection.ts';
import { messages } from '../../../../src/protocol/messages.ts';
import { carol } from '../../../support/world/world.ts';

let front: MessageConnection;
let core: MessageConnection;
/** Answers of the journal that are awaited. */
let reads: PromiseWithResolvers<[]>[];
let subscriptions: number;
let shells: number;

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
      onEnd: () => undefined,
    },
    service: {
      room: { enter: () => undefined, leave: () => undefined, welcome: () => ({}) },
      certificates: { issued: [] },
      now: () => new Date(),
    },
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
});
