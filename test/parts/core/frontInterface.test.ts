/** The front as core sees it: it loads its code while core is composed, and is served when core is ready. */
import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { startFront, type ReadyCore } from '../../../src/core/frontInterface.ts';
import { emptyDirectory } from '../../../src/domain/access/directory.ts';
import { messages, type FrontStart } from '../../../src/protocol/messages.ts';
import { checkSettings } from '../../../src/settings/settings.ts';
import { FakeStarter, listener } from './processes/fakeFront.ts';

const { ssh } = checkSettings({}, 'no file');
const needed: FrontStart = {
  version: '1.2.3',
  host: { kind: 'simulated', simulated: true, why: 'a test' },
  defaults: {},
  listen: listener.where,
  hostKeys: ['a key'],
  directory: emptyDirectory as FrontStart['directory'],
  bans: [],
  penalties: [],
  limits: ssh,
  transport: ssh,
};

async function start() {
  const { promise: ready, resolve } = Promise.withResolvers<ReadyCore>();
  const starter = new FakeStarter();
  const serve = vi.fn();
  const { process, serving } = startFront({
    ...{ ready, starter, listener, log: pino({ level: 'silent' }) },
    onReplaced: () => undefined,
  });
  await vi.waitUntil(() => starter.fronts.length === 1);
  const [front] = starter.fronts;
  if (front === undefined) throw new Error('no front');
  return { front, process, serving, serve, ready: () => resolve({ serve, start: () => needed }) };
}

describe('a front that starts beside core', () => {
  it('is served when core is ready', async () => {
    const { front, serving, serve, ready } = await start();
    let isAnswered = false;
    const answer = front.connection.sendRequest(messages.frontStart).finally(() => (isAnswered = true));
    // Messages arrive in order, so the request has been handled by now.
    await expect(front.connection.sendRequest(messages.greet)).rejects.toThrow('Unhandled method');
    expect(isAnswered).toBe(false);
    expect(serve).not.toHaveBeenCalled();
    ready();
    await expect(answer).resolves.toMatchObject({ version: '1.2.3', hostKeys: ['a key'] });
    expect(serve).toHaveBeenCalledOnce();
    await front.serves();
    await serving;
  });

  it('is served once, however often it asks', async () => {
    const { front, serve, ready } = await start();
    ready();
    for (let times = 0; times < 3; times++) await front.connection.sendRequest(messages.frontStart);
    expect(serve).toHaveBeenCalledOnce();
  });

  it('can be stopped before core is ready', async () => {
    const { front, process } = await start();
    void front.connection.sendRequest(messages.frontStart);
    await process.stop('the start failed', 60_000);
    expect(front.drained).toBe(true);
  });

  it('ends the start if it ends before core is ready', async () => {
    const { front, serving } = await start();
    front.end({ code: 1, lastLine: 'ssh2 is not patched' });
    await expect(serving).rejects.toMatchObject({ code: 'settings', why: 'ssh2 is not patched' });
  });
});
