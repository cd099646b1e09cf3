/** Commands that a session refuses before it parses them. */
import { EventEmitter } from 'node:events';
import type { Session } from 'ssh2';
import { describe, expect, it } from 'vitest';
import { serveSession, type SessionOptions } from '../../../../src/front/sessions/session.ts';
import { carol } from '../../../support/world/world.ts';

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
      connection: { _sock: { writableNeedDrain: false }, _protocol: {} },
      actor: Promise.resolve(carol),
      core: { greeting: { host: { kind: 'simulated', simulated: true, why: 'a test' } } },
      reachedAt: { host: '192.0.2.1', port: 22 },
      isFirst: () => false,
    } as unknown as SessionOptions,
  );
  session.emit('exec', () => channel, undefined, { command });
  return promise;
}

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
