/** VerbService/Run with a client that is not ours: what it sends out of turn, too long, or not at all. */
import { status } from '@grpc/grpc-js';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { connectClient } from '../support/remote/client.ts';
import { startRemoteServer, type RemoteTestServer } from '../support/remote/server.ts';

let house: RemoteTestServer;
let client: Awaited<ReturnType<typeof connectClient>> | undefined;

beforeAll(async () => {
  house = await startRemoteServer();
});
afterEach(() => client?.close());

interface Ran {
  readonly outputs: any[];
  /** The status of the call. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number | undefined;
}

/** Makes a call with these messages. `onQuestion` answers. */
async function run(
  inputs: readonly object[],
  onQuestion?: (stream: any) => void,
  folder = house.certificates,
): Promise<Ran> {
  client = await connectClient(house.address, folder, 'VerbService');
  const stream = client['Run']?.();
  const outputs: any[] = [];
  stream.on('data', (output: any) => {
    outputs.push(output);
    if (output.question !== undefined) onQuestion?.(stream);
  });
  stream.on('error', () => undefined);
  for (const input of inputs) stream.write(input);
  if (onQuestion === undefined) stream.end();
  const { code } = await new Promise<{ code: number }>((resolve) => void stream.on('status', resolve));
  const text = (name: string): string => outputs.map((output) => (output[name] as string | undefined) ?? '').join('');
  return { outputs, code, stdout: text('stdout'), stderr: text('stderr'), exit: outputs.at(-1)?.exit };
}

const command = (...words: string[]): object => ({ command: { words, prefix: 'containarium' } });

test('a command line is answered with its output and exit code', async () => {
  expect(await run([command('whoami')])).toMatchObject({
    code: status.OK,
    exit: 0,
    stdout: expect.stringContaining('tester'),
  });
  expect(await run([command('info', 'nobody')])).toMatchObject({ code: status.OK, exit: 3 });
  expect(await run([command()])).toMatchObject({ code: status.OK, exit: 2 });
});

test.each([
  ['begins with an answer', [{ reply: { text: 'x' } }]],
  ['begins with keys', [{ typed: Buffer.from('x') }]],
  ['begins with nothing', [{}]],
  ['has no message', []],
  ['is longer than 32 KiB', [command('info', 'x'.repeat(40_000))]],
])('a call that %s is refused', async (_, inputs) => {
  expect(await run(inputs)).toMatchObject({ code: status.INVALID_ARGUMENT, exit: undefined });
});

test('a second command line and answers that nobody asked for change nothing', async () => {
  const ran = await run([command('whoami'), command('create', 'mallory'), { reply: { text: 'x' } }, { resize: null }]);
  expect(ran).toMatchObject({ code: status.OK, exit: 0 });
  expect((await house.remote(['info', 'mallory'])).code).toBe(3);
});

test('a client that leaves a question open, or refuses it, has changed nothing', async () => {
  const left = await run([command('create', 'mallory')], (stream) => void stream.end());
  expect(left).toMatchObject({ code: status.OK, exit: 9 });
  const refused = await run([command('create', 'mallory')], (stream) => {
    stream.write({ reply: { refusal: { code: 'no-such-code', what: '\u001b[31mme', why: 'I will not' } } });
    stream.end();
  });
  expect(refused).toMatchObject({ code: status.OK, exit: 2, stderr: expect.stringContaining('I will not') });
  // Its own text comes back as text.
  expect(refused.stderr).not.toContain('\u001b');
  expect((await house.remote(['info', 'mallory'])).code).toBe(3);
});

test('the role of the certificate counts', async () => {
  expect((await house.server.local(['admin', 'add', 'vic', '--role', 'viewer', '--certificate'])).code).toBe(0);
  const ran = await run([command('create', 'mallory')], (stream) => void stream.end(), await house.issue('vic'));
  expect(ran).toMatchObject({ code: status.OK, exit: 4 });
  // No key is asked for: core refuses and records the verb.
  expect(ran.outputs.some((output) => output.question !== undefined)).toBe(false);
});

test('help does not repeat control characters of what precedes the words', async () => {
  const { stdout } = await run([{ command: { words: ['help', 'list'], prefix: '\u001b]0;owned\u0007' } }]);
  expect(stdout).toContain('owned');
  expect(stdout).not.toMatch(/[\u001b\u0007]/);
});
