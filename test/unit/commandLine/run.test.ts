/** The command line on the host, without a server. */
import { expect, it, vi } from 'vitest';
import { Interrupts } from '../../../src/commandLine/interrupts.ts';
import { runCommand, type CommandOptions } from '../../../src/commandLine/run.ts';
import { Failure } from '../../../src/domain/failure.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvFzQ2dLNwO8mXGmYbYzcCrLXXeLhrOC0xKIT1YhS0Y';

/** Runs `admin add carol --ssh-key <value>`, and returns the keys that the call has. Every file holds `a file`. */
async function keysOfCall(value: string): Promise<unknown> {
  let keys: unknown;
  await runCommand({
    words: ['admin', 'add', 'carol', '--ssh-key', value],
    actor: { name: 'root', role: 'root', entryPoint: 'local' },
    core: {
      greeting: { host: { simulated: false } },
      call: ({ input }: { input: { keys?: unknown } }) => {
        keys = input.keys;
        return Promise.reject(new Error('no server'));
      },
    },
    io: {
      terminal: false,
      stdout: () => undefined,
      stderr: () => undefined,
      files: { read: () => Promise.resolve('a file'), write: () => Promise.resolve() },
    },
    signal: new AbortController().signal,
    interrupts: new Interrupts(),
    prefix: 'containarium',
    isFirst: false,
  } as unknown as CommandOptions);
  return keys;
}

it.each([key, `from="10.0.0.0/8" ${key} carol@laptop`, `verify-required,from="::1" ${key}`, 'ssh-ed25519 damaged'])(
  '--ssh-key takes the key %s itself',
  async (value) => {
    expect(await keysOfCall(value)).toBe(value);
  },
);

it.each(['carol.pub', '~/.ssh/id_ed25519.pub', '/srv/from="10.0.0.0/8"'])(
  '--ssh-key reads the file %s',
  async (value) => {
    expect(await keysOfCall(value)).toBe('a file');
  },
);

it.each([
  [['backup', 'verify', 'alice', 'latest', '--identity', '/nope']],
  [['backup', 'restore', 'alice', 'latest', '--yes', '--identity', '/nope']],
])('a file of a secret key that is not there does not lead to a public key: %j', async (words) => {
  let said = '';
  await runCommand({
    words,
    actor: { name: 'root', role: 'root', entryPoint: 'local' },
    core: { greeting: { host: { simulated: false } } },
    io: {
      terminal: false,
      stdout: () => undefined,
      stderr: (text: string) => (said += text),
      files: { read: () => Promise.reject(new Failure('missing-key', { what: 'file', why: 'it does not exist' })) },
    },
    signal: new AbortController().signal,
    interrupts: new Interrupts(),
    prefix: 'containarium',
    isFirst: false,
  } as unknown as CommandOptions);
  expect(said).toContain('name the file that has the secret age key, or send it on standard input with --identity -');
  expect(said).not.toContain('key.pub');
});

it('a command that waits for a key without a terminal says so after two seconds', async () => {
  vi.useFakeTimers();
  try {
    let said = '';
    const input = Promise.withResolvers<string>();
    const ended = runCommand({
      words: ['create', 'alice'],
      actor: { name: 'carol', role: 'admin', entryPoint: 'manage' },
      core: { greeting: { host: { simulated: false } }, call: () => Promise.reject(new Error('no server')) },
      io: {
        terminal: false,
        stdout: () => undefined,
        stderr: (text: string) => (said += text),
        readStdin: () => input.promise,
      },
      signal: new AbortController().signal,
      interrupts: new Interrupts(),
      prefix: 'ssh',
      isFirst: false,
    } as unknown as CommandOptions);
    await vi.advanceTimersByTimeAsync(1900);
    expect(said).toBe('');
    await vi.advanceTimersByTimeAsync(200);
    expect(said).toBe('Waiting on standard input for public keys, one per line; end with Ctrl-D.\n');
    input.resolve(key);
    await ended;
  } finally {
    vi.useRealTimers();
  }
});

/** Runs a command line as root, with a core that prints these texts before it answers or fails. */
async function printed(words: readonly string[], texts: readonly string[], end: Promise<unknown>): Promise<string> {
  let stdout = '';
  await runCommand({
    words,
    actor: { name: 'root', role: 'root', entryPoint: 'local' },
    core: {
      greeting: { host: { simulated: false } },
      call: (_: unknown, emit: (event: unknown) => void) => {
        for (const text of texts) emit({ type: 'output', text });
        return end;
      },
    },
    io: { terminal: false, stdout: (text: string) => (stdout += text), stderr: () => undefined },
    signal: new AbortController().signal,
    interrupts: new Interrupts(),
    prefix: 'containarium',
    isFirst: false,
  } as unknown as CommandOptions);
  return stdout;
}

const documents = (text: string): unknown[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

it('logs --follow --json prints JSON lines after a header document, however the output was cut', async () => {
  const text = await printed(
    ['logs', 'alice', '--follow', '--json'],
    ['one\ntw', 'o\r\n', '\n\u001b[2Jthree'],
    Promise.resolve({ result: { text: '' } }),
  );
  expect(documents(text)).toEqual([
    { ok: true, command: 'logs', host: { simulated: false } },
    { line: 'one' },
    { line: 'two' },
    { line: '' },
    { line: '\u001b[2Jthree' },
  ]);
  expect(text).not.toContain('\u001b');
});

it('JSON lines end with the document of the failure that ends them', async () => {
  const failure = new Failure('incus-unavailable', { what: 'Incus', why: 'its server does not answer' });
  const text = await printed(['logs', 'alice', '--follow', '--json'], ['one\ntwo'], Promise.reject(failure));
  expect(documents(text).slice(1)).toMatchObject([
    { line: 'one' },
    { line: 'two' },
    { ok: false, command: 'logs', error: { code: 'incus-unavailable', exitCode: 8 } },
  ]);
});

it('help --format csv has a row for each verb', async () => {
  const rows = (await printed(['help', '--format', 'csv'], [], Promise.resolve())).trimEnd().split('\n');
  expect(rows[0]).toBe('verb,aliases,usage,summary,changes');
  expect(rows).toContain('list,ls,list [options],List containers,false');
  expect(await printed(['help', 'key', '--format', 'csv'], [], Promise.resolve())).toMatch(/\nkey add,.*\nkey list,/);
});
