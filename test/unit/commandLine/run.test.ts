/** The command line on the host, without a server. */
import { expect, it } from 'vitest';
import { runCommand, type CommandOptions } from '../../../src/commandLine/run.ts';

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
