/** Commands that a session refuses before it parses them. */
import { EventEmitter } from 'node:events';
import type { Connection, Session } from 'ssh2';
import { describe, expect, it, vi } from 'vitest';
import { serveSession, type SessionOptions } from '../../../../src/front/sessions/session.ts';
import { shareOf } from '../../../../src/front/transport/clientShare.ts';
import { carol } from '../../../support/world/world.ts';

const connection = { _sock: { writableNeedDrain: false }, _protocol: {} };

/** Runs a command line in a session. Resolves to its output and exit code. */
function run(command: string): Promise<{ stdout: string; stderr: string; code: number }> {
  const { promise, resolve } = Promise.withResolvers<{ stdout: string; stderr: string; code: number }>();
  const said = { stdout: '', stderr: '' };
  const writer = (stream: keyof typeof said) => (bytes: Buffer | string, done?: () => void) => {
    said[stream] += bytes.toString();
    done?.();
  };
  const channel = Object.assign(new EventEmitter(), {
    writable: true,
    write: writer('stdout'),
    stderr: Object.assign(new EventEmitter(), { writable: true, write: writer('stderr') }),
    exit: (code: number) => resolve({ ...said, code }),
    end: () => undefined,
    close: () => undefined,
  });
  const session = new EventEmitter();
  serveSession(
    session as unknown as Session,
    {
      connection,
      actor: Promise.resolve(carol),
      core: { greeting: { host: { kind: 'simulated', simulated: true, why: 'a test' } } },
      reachedAt: { host: '192.0.2.1', port: 22 },
      isFirst: () => false,
    } as unknown as SessionOptions,
  );
  session.emit('exec', () => channel, undefined, { command });
  return promise;
}

describe('a command line that would take long to parse', () => {
  it.each([
    ['of many words', `list ${'-l a '.repeat(6000)}`, 'it has 12001 words, more than 500'],
    ['of many letters', `list -${'v'.repeat(32_000)}`, 'more than 20 letters after one hyphen'],
    ['of many letters and a digit', `list -${'v'.repeat(32_000)}1`, 'more than 20 letters after one hyphen'],
  ])('is refused: one %s', async (_, line, why) => {
    const { stderr, code } = await run(line);
    expect(stderr).toContain(why);
    expect(code).toBe(2);
  });
});

it('the time of a command counts as use of the event loop by its client', async () => {
  const spend = vi.spyOn(shareOf(connection as unknown as Connection), 'spend');
  await run('list --nonsense');
  expect(spend).toHaveBeenCalledOnce();
  await run('help list');
  expect(spend.mock.calls.length).toBeGreaterThan(1);
});

describe('a command line that is refused unparsed', () => {
  it.each([
    ['that is too long', `create alice --json --description ${'x'.repeat(33_000)}`, 'input-too-large'],
    ['with an open quotation mark', 'create --format json "alice', 'shell-syntax'],
  ])('is answered in its format and under its verb: one %s', async (_, line, error) => {
    const { stdout, stderr, code } = await run(line);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, command: 'create', error: { code: error, exitCode: code } });
    expect(stderr).toBe('');
  });

  it('is answered with sentences if it asks for no format, and its name is cut', async () => {
    expect(await run('x'.repeat(33_000))).toEqual({
      stdout: '',
      stderr: expect.stringMatching(
        /^Error: the command: it is longer than 32768 bytes \(input-too-large\)\nNext: /,
      ) as string,
      code: 2,
    });
    const { stdout } = await run(`${'x'.repeat(33_000)} --json`);
    expect(JSON.parse(stdout)).toMatchObject({ command: 'x'.repeat(64) });
  });
});
