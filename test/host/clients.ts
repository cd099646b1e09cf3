/** Stock ssh clients of a jump host: an admin's, and those of users with the configuration that they were given. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import type { TestKey } from '../support/keys.ts';
import { finished, type Finished } from '../support/server.ts';
import type { JumpHost } from './jumpHost.ts';

/** Runs a verb as admin. */
export function manage(host: JumpHost, words: readonly string[], stdin?: string): Promise<Finished> {
  return host.server.ssh(words, { shared: true, ...(stdin === undefined ? {} : { stdin }) });
}

/** Runs a verb as admin and returns its result. */
export async function result(host: JumpHost, words: readonly string[], stdin?: string): Promise<any> {
  const { stdout, stderr } = await manage(host, [...words, '--json'], stdin);
  const document = JSON.parse(stdout === '' ? JSON.stringify({ error: stderr }) : stdout) as {
    result: unknown;
    error?: unknown;
  };
  expect(document.error).toBeUndefined();
  return document.result;
}

/** Writes what `self@ config` gives a user, two files, and returns the path of the client's configuration. */
export async function clientConfig(host: JumpHost, folder: string, user: string, key: TestKey): Promise<string> {
  const [config, knownHosts] = await Promise.all([
    host.server.ssh(['config', '--key', key.path], { user: 'self', key: key.path }),
    host.server.ssh(['config', '--known-hosts'], { user: 'self', key: key.path }),
  ]);
  const path = join(folder, `config-${user}`);
  await writeFile(`${path}.known`, knownHosts.stdout);
  await writeFile(
    path,
    `UserKnownHostsFile ${path}.known\nGlobalKnownHostsFile /dev/null\nStrictHostKeyChecking yes\nBatchMode yes\n` +
      `ConnectTimeout 10\n\n${config.stdout}`,
  );
  return path;
}

/** Runs a stock ssh client with a user's configuration. */
export async function ssh(config: string, words: readonly string[]): Promise<Finished> {
  return finished(
    await execa('ssh', ['-F', config, ...words], {
      reject: false,
      stdin: 'ignore',
      stripFinalNewline: false,
      timeout: 20_000,
    }),
  );
}
