import { expect, test } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import { runIncus } from '../../../../src/host/incus/client.ts';
import type { Command } from '../../../../src/host/runner.ts';
import { failureOf } from '../../simulated/support.ts';

const failing = (stderr: string) => ({
  run: ({ program }: Command) =>
    Promise.reject(new Failure('program-failed', { what: program, why: stderr, details: { stderr } })),
});
const codeFor = async (stderr: string): Promise<string> =>
  (await failureOf(runIncus(failing(stderr), ['list'], { timeoutMs: 1000 }))).code;

test.each([
  "Error: The incus daemon doesn't appear to be started (socket path: /var/lib/incus/unix.socket)",
  "Error: You don't have the needed permissions to talk to the incus daemon (socket path: /var/lib/incus/unix.socket)",
  'Error: Get "http://unix.socket/1.0/operations/x": dial unix /run/incus/unix.socket: connect: connection refused',
  'Error: dial unix /var/lib/incus/unix.socket: connect: no such file or directory',
  "Error: The server doesn't trust us: not authorized",
])('the client did not reach its server: %s', async (stderr) => {
  expect(await codeFor(stderr)).toBe('incus-unavailable');
});

test.each([
  // What liblxc says of the monitor of one container, and what a program in a container may say.
  'Error: connection refused',
  'curl: (7) Failed to connect to localhost port 80: Connection refused',
  'Error: Failed to setup device: dial tcp 10.0.3.7:22: connect: connection refused',
])('the server refused: %s', async (stderr) => {
  expect(await codeFor(stderr)).toBe('program-failed');
});
