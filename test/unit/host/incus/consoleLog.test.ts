import { describe, expect, it, test } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import { consoleLogBytes, ConsoleLogs, plainLog } from '../../../../src/host/incus/consoleLog.ts';
import type { Incus } from '../../../../src/host/incus/incus.ts';
import { incusBy } from '../../../support/incus.ts';
import type { Command, Output } from '../../../../src/host/runner.ts';
import { failureOf } from '../../simulated/support.ts';

test.each([
  ['[\u001b[0;32m  OK  \u001b[0m] Reached \u001b[0;1;39mtarget\u001b[0m.\r\r\n', '[  OK  ] Reached target.\n'],
  ['one\r\ntwo\nthree\rfour', 'one\ntwo\nthree\rfour'],
  ['\u001b]0;title\u0007\u001b]8;;http://x\u001b\\link\u001bM', 'link'],
  // A partial sequence stays; the renderer makes it harmless.
  ['\u001b[31', '\u001b[31'],
])('plainLog makes %j plain', (text, plain) => {
  expect(plainLog(text)).toBe(plain);
});

test('plainLog keeps only the end, from the start of a line', () => {
  const line = 'ä'.repeat(99);
  const text = `${line}\n`.repeat(5000);
  const kept = plainLog(text);
  expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(consoleLogBytes);
  expect(Buffer.byteLength(kept)).toBeGreaterThan(consoleLogBytes - 400);
  expect(new Set(kept.split('\n'))).toEqual(new Set([line, '']));
});

test.each(['\u001b[', '\u001b]', '\u001b[0;0;0 ', '\r', '\r\r\n', '\u001b', '\u001b[;;;;'])(
  'plainLog handles a megabyte of %j quickly',
  (piece) => {
    const before = process.threadCpuUsage();
    plainLog(piece.repeat(Math.ceil(1_000_000 / piece.length)));
    plainLog(`\u001b[${'0;'.repeat(500_000)}`);
    // CPU time, because other processes run on this machine too.
    expect(process.threadCpuUsage(before).user / 1000).toBeLessThan(1000);
  },
);

describe('the remembered console log', () => {
  it('of a running container is returned again with the new output', () => {
    const logs = new ConsoleLogs();
    expect(logs.running('a', 'run 1', 'one\n')).toBe('one\n');
    expect(logs.running('a', 'run 1', '')).toBe('one\n');
    expect(logs.running('a', 'run 1', 'two\n')).toBe('one\ntwo\n');
    expect(logs.running('b', 'run 1', 'other\n')).toBe('other\n');
    expect(logs.running('a', 'run 2', 'again\n')).toBe('again\n');
  });

  it('of a stopped container comes before the unread output, and is not repeated', () => {
    const logs = new ConsoleLogs();
    logs.running('a', 'run 1', 'one\n');
    expect(logs.stopped('a', 'run 1', 'bye\n')).toBe('one\nbye\n');
    expect(logs.stopped('a', 'run 1', 'bye\n')).toBe('one\nbye\n');
    expect(logs.stopped('a', 'run 1', 'older\none\n')).toBe('older\none\n');
    expect(logs.stopped('a', 'run 2', 'bye\n')).toBe('bye\n');
  });

  it('is bounded in length and in number of containers', () => {
    const logs = new ConsoleLogs();
    for (let n = 0; n < 10; n++) logs.running('a', 'run', 'x'.repeat(100_000));
    expect(Buffer.byteLength(logs.running('a', 'run', ''))).toBeLessThanOrEqual(consoleLogBytes);
    for (let n = 0; n < 200; n++) logs.running(`c${n}`, 'run', 'x');
    expect(logs.running('a', 'run', '')).toBe('');
    expect(logs.running('c199', 'run', '')).toBe('x');
  });
});

describe('Incus.consoleLog', () => {
  const refused = (stderr: string): Failure =>
    new Failure('program-failed', { what: '"incus console"', why: stderr, details: { stderr } });
  const instance = (status: string): unknown => ({
    name: 'a',
    status,
    created_at: '2026-01-01',
    last_used_at: '2026-01-02',
  });
  const incusOf = (found: unknown, log: string): { incus: Incus; commands: Command[] } => {
    const commands: Command[] = [];
    const run = (command: Command): Promise<Output> => {
      commands.push(command);
      const isQuery = command.args[0] === 'query';
      const output = { stdout: isQuery ? JSON.stringify(found) : log, stderr: '', exitCode: 0 };
      const missing = new Failure('program-failed', { what: '"incus query"', why: 'Instance not found' });
      return isQuery && found === undefined ? Promise.reject(missing) : Promise.resolve(output);
    };
    return { incus: incusBy({ run }), commands };
  };

  it('runs the client, and removes the line end that the client adds', async () => {
    const { incus, commands } = incusOf(instance('Running'), 'Welcome!\r\n\r\na login: \n');
    expect(await incus.consoleLog('a')).toBe('Welcome!\n\na login: ');
    expect(commands.at(-1)?.args).toEqual(['console', 'a', '--show-log']);
    expect(await incus.consoleLog('a')).toBe('Welcome!\n\na login: Welcome!\n\na login: ');
  });

  it('is empty for a container that was never started', async () => {
    expect(await incusOf(instance('Stopped'), '\n').incus.consoleLog('a')).toBe('');
  });

  it('asks again in the moment in which a container that does not start is neither running nor stopped', async () => {
    const answers = [
      () => Promise.reject(refused('Error: connection reset by peer')),
      () => Promise.reject(refused('Error: connection refused')),
      () => Promise.resolve({ stdout: 'cannot execute init\n\n', stderr: '', exitCode: 0 }),
    ];
    const run = ({ args }: Command): Promise<Output> =>
      args[0] === 'query'
        ? Promise.resolve({
            stdout: JSON.stringify(instance(answers.length > 1 ? 'Running' : 'Stopped')),
            stderr: '',
            exitCode: 0,
          })
        : (answers.shift() ?? expect.fail('read once too often'))();
    expect(await incusBy({ run }).consoleLog('a')).toBe('cannot execute init\n');
    expect(answers).toEqual([]);
  });

  it('does not query the log of a container that does not exist', async () => {
    const { incus, commands } = incusOf(undefined, '');
    expect(await failureOf(incus.consoleLog('a'))).toMatchObject({ code: 'not-found', what: 'instance "a"' });
    expect(commands).toHaveLength(1);
  });
});
