import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LocalCall } from '../../../src/client/local/localCall.ts';
import type { Input, Output } from '../../../src/client/commandLine.ts';
import { socketPair, type SocketPair } from '../../support/socketPair.ts';

let pair: SocketPair;
let core: Socket;
let call: LocalCall;
let gaveUp: AbortController;

beforeEach(async () => {
  pair = await socketPair();
  core = pair.accepted;
  gaveUp = new AbortController();
  call = new LocalCall(pair.connected, gaveUp.signal, { name: 'carla', takesBytes: true });
});
afterEach(async () => {
  vi.useRealTimers();
  await pair.close();
});

const answer = (...messages: readonly object[]): void => {
  for (const message of messages) core.write(`${JSON.stringify(message)}\n`);
};

async function outputs(): Promise<Output[]> {
  const all: Output[] = [];
  for await (const output of call) all.push(output);
  return all;
}

describe('a command line on its way to core', () => {
  it('says who runs it, and whether standard output takes bytes', async () => {
    const inputs: Input[] = [
      { case: 'command', value: { words: ['list'], prefix: 'containarium' } },
      { case: 'reply', value: { reply: { case: 'text', value: 'a key' } } },
      { case: 'typed', value: Buffer.from('ls') },
      { case: 'interrupt', value: true },
    ];
    for (const input of inputs) call.send(input);
    let text = '';
    while (text.split('\n').length <= inputs.length) text += String((await once(core, 'data'))[0]);
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { command: { words: ['list'], prefix: 'containarium', name: 'carla', takesBytes: true } },
      { reply: { text: 'a key' } },
      { typed: { base64: 'bHM=' } },
      { interrupt: true },
    ]);
  });

  it('gets output and questions in the form of the remote interface', async () => {
    answer(
      { begun: true },
      { stdout: 'x' },
      { question: { write_file: { path: 'a', text: 'b' } } },
      { terminal: { base64: 'bHM=' } },
      { exit: 3 },
    );
    core.end();
    expect(await outputs()).toEqual([
      { case: 'stdout', value: 'x' },
      { case: 'question', value: { question: { case: 'writeFile', value: { path: 'a', text: 'b' } } } },
      { case: 'terminal', value: Buffer.from('ls') },
      { case: 'exit', value: 3 },
    ]);
  });

  it('fails if core ends before it answers', async () => {
    answer({ begun: true }, { stdout: 'x' });
    core.end();
    await expect(outputs()).rejects.toMatchObject({
      code: 'core-unavailable',
      why: expect.stringContaining('ended before it answered'),
    });
  });

  it('fails with what core says of it', async () => {
    answer({ failure: { code: 'usage', what: 'the command line', why: 'it is none' } });
    await expect(outputs()).rejects.toMatchObject({ code: 'usage', why: 'it is none' });
  });

  it('fails if a server of another version never begins', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const all = expect(outputs()).rejects.toMatchObject({
      code: 'core-unavailable',
      next: expect.stringContaining('restart the server'),
    });
    await vi.advanceTimersByTimeAsync(20_000);
    await all;
  });

  it('can be left', async () => {
    const all = expect(outputs()).rejects.toMatchObject({ why: 'you left it before its end' });
    gaveUp.abort();
    await all;
  });
});
