/** A server whose simulated host is slow, which has built the base image. */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startServer, type ServerOptions, type TestServer } from './server.ts';

/**
 * Starts a server whose simulated host takes `paceMs` for each command, in milliseconds. It has the container of `user`
 * with the key `line`, made by a fast host, which also built the image and ran `before`.
 */
export async function startSlowServer(
  paceMs: number,
  { user, line }: { readonly user: string; readonly line: string },
  options: Pick<ServerOptions, 'program' | 'config'> & {
    /** More commands for the fast host. */
    readonly before?: readonly string[];
  } = {},
): Promise<TestServer> {
  const { before = [], ...started } = options;
  const fast = await startServer(options.config === undefined ? {} : { config: options.config });
  for (const command of [`create ${user}`, ...before]) {
    const { code, stderr } = await fast.ssh(command.split(' '), { stdin: line });
    if (code !== 0) throw new Error(`${command} failed: ${stderr}`);
  }
  if ((await fast.stop()) !== 0) throw new Error('the fast server did not stop cleanly');
  return startServer({
    ...started,
    env: { CONTAINARIUM_SIMULATED_PACE_MS: String(paceMs) },
    prepare: async (home) => {
      await mkdir(join(home, 'state'), { mode: 0o700 });
      await copyFile(join(fast.home, 'state', 'simulated-host.json'), join(home, 'state', 'simulated-host.json'));
    },
  });
}
