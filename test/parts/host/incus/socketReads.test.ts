import { describe, expect, it } from 'vitest';
import { SocketReads } from '../../../../src/host/incus/socketReads.ts';
import { isTooMuch } from '../../../../src/host/runner.ts';
import { failureOf } from '../../../unit/simulated/support.ts';
import { answer, fakeIncus, refusal, temporaryFolder } from './fakeIncus.ts';

const timeoutMs = 5000;
const reply = (metadata: unknown): unknown => ({ type: 'sync', error: '', error_code: 0, metadata });

describe('a read over the socket of Incus', () => {
  it('returns the metadata of the reply', async () => {
    const { path } = await fakeIncus({ request: ({ url }, _, response) => answer(response, reply({ asked: url })) });
    const reads = new SocketReads(path);
    expect(await reads.document('/1.0/instances?recursion=1', { timeoutMs })).toEqual({
      asked: '/1.0/instances?recursion=1',
    });
  });

  it('returns an answer that is text as it is', async () => {
    const { path } = await fakeIncus({ request: (_, __, response) => void response.end('incus_memory 1\n') });
    expect(await new SocketReads(path).text('/1.0/metrics', { timeoutMs })).toBe('incus_memory 1\n');
  });

  it('uses the connection of the read before it', async () => {
    const ports = new Set<unknown>();
    const { path } = await fakeIncus({
      request({ socket }, _, response) {
        ports.add(socket);
        answer(response, reply({}));
      },
    });
    const reads = new SocketReads(path);
    for (let read = 0; read < 5; read++) await reads.document('/1.0', { timeoutMs });
    expect(ports.size).toBe(1);
  });

  it('is sent again if Incus closes a kept connection just then', async () => {
    let asked = 0;
    const { path } = await fakeIncus({
      request({ socket }, _, response) {
        asked += 1;
        if (asked === 2) socket.destroy();
        else answer(response, reply({ asked }));
      },
    });
    const reads = new SocketReads(path);
    expect(await reads.document('/1.0', { timeoutMs })).toEqual({ asked: 1 });
    expect(await reads.document('/1.0', { timeoutMs })).toEqual({ asked: 3 });
  });

  it('fails if Incus closes a fresh connection, and does not try again', async () => {
    let asked = 0;
    const { path } = await fakeIncus({
      request({ socket }) {
        asked += 1;
        socket.destroy();
      },
    });
    const failure = await failureOf(new SocketReads(path).document('/1.0', { timeoutMs }));
    expect([failure.code, asked]).toEqual(['incus-unavailable', 1]);
  });

  it('waits while eight others are under way', async () => {
    const waiting: (() => void)[] = [];
    let most = 0;
    let arrived = 0;
    const all = Promise.withResolvers<undefined>();
    const { path } = await fakeIncus({
      request(_, __, response) {
        waiting.push(() => answer(response, reply({})));
        most = Math.max(most, waiting.length);
        if (++arrived === 8) all.resolve(undefined);
        if (arrived > 8) waiting.pop()?.();
      },
    });
    const reads = new SocketReads(path);
    const done = Promise.all(Array.from({ length: 20 }, () => reads.document('/1.0', { timeoutMs })));
    await all.promise;
    expect(arrived).toBe(8);
    while (waiting.length > 0) waiting.pop()?.();
    await done;
    expect([arrived, most]).toEqual([20, 8]);
  });

  it.each([
    ['a document', (reads: SocketReads) => reads.document('/1.0/instances/no', { timeoutMs })],
    ['a text', (reads: SocketReads) => reads.text('/1.0/instances/no', { timeoutMs })],
  ])('fails with the reason of Incus, which is made printable, for %s', async (_, read) => {
    const refused = refusal('Instance \u001b[31mnot found', 404);
    const { path } = await fakeIncus({ request: (__, ___, response) => answer(response, refused, 404) });
    const failure = await failureOf(read(new SocketReads(path)));
    expect(failure).toMatchObject({ code: 'program-failed', what: '"GET /1.0/instances/no"' });
    expect(failure.why).toMatch(/not found$/);
    expect(failure.why).not.toContain('\u001b');
    expect(failure.details?.['stderr']).toBe(failure.why);
  });

  it.each([
    ['is not JSON', '<html>'],
    ['has an unexpected format', '{"type":7}'],
  ])('fails if the reply %s', async (why, text) => {
    const { path } = await fakeIncus({ request: (_, __, response) => void response.end(text) });
    const failure = await failureOf(new SocketReads(path).document('/1.0', { timeoutMs }));
    expect([failure.code, failure.why]).toEqual(['unexpected-output', `the reply of Incus ${why}`]);
  });

  it('fails for an answer that is too long, and says so to those who ask again for less', async () => {
    const { path } = await fakeIncus({
      request: (_, __, response) => answer(response, reply('x'.repeat(10_000))),
    });
    const failure = await failureOf(new SocketReads(path).document('/1.0', { timeoutMs, maxBytes: 5000 }));
    expect(failure.code).toBe('unexpected-output');
    expect(isTooMuch(failure)).toBe(true);
  });

  it('is not sent again if it fails at its time limit on a kept connection', async () => {
    let asked = 0;
    const { path } = await fakeIncus({
      request(_, __, response) {
        asked += 1;
        if (asked === 1) answer(response, reply({}));
      },
    });
    const reads = new SocketReads(path);
    await reads.document('/1.0', { timeoutMs });
    expect((await failureOf(reads.document('/1.0', { timeoutMs: 30 }))).code).toBe('timeout');
    await reads.document('/1.0', { timeoutMs: 30 }).catch(() => undefined);
    expect(asked).toBe(3);
  });

  it('fails at its time limit', async () => {
    const { path } = await fakeIncus({ request: () => undefined });
    expect((await failureOf(new SocketReads(path).document('/1.0', { timeoutMs: 20 }))).code).toBe('timeout');
  });

  it.each([
    ['before', (stop: AbortController) => stop.abort()],
    ['while Incus works', (stop: AbortController) => void setImmediate(() => stop.abort())],
  ])('can be cancelled %s', async (_, cancel) => {
    const { path } = await fakeIncus({ request: () => undefined });
    const stop = new AbortController();
    cancel(stop);
    const failure = await failureOf(new SocketReads(path).document('/1.0', { timeoutMs, signal: stop.signal }));
    expect(failure.code).toBe('cancelled');
  });

  it('fails if there is no Incus', async () => {
    const path = `${await temporaryFolder()}/unix.socket`;
    expect((await failureOf(new SocketReads(path).document('/1.0', { timeoutMs }))).code).toBe('incus-unavailable');
  });
});
