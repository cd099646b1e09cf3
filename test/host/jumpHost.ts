/** A whole jump host for tests: a private Incus, a private sshd with the drop-in, and a server that uses both. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { vi } from 'vitest';
import { renderSshdDropIn } from '../../src/prepare/sshdDropIn.ts';
import { startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { startIncus, startSshd, type RunningIncus, type RunningSshd } from './harness/index.ts';

// Building an image and booting containers take long.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 900_000 });

export interface JumpHost {
  readonly incus: RunningIncus;
  readonly sshd: RunningSshd;
  readonly server: TestServer;
  readonly keysFolder: string;
  stop(): Promise<void>;
}

export interface JumpHostOptions {
  readonly name: string;
  readonly timeouts?: Readonly<Record<string, number>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Command prefix of the server, for instance `withPrograms`. */
  readonly within?: readonly string[];
  /** More of containarium.yaml. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Packages of the prepared image, beside those that it needs. Default: the product's. */
  readonly packages?: readonly string[];
  /** Called when Incus runs, before the server starts. */
  readonly beforeServer?: (incus: RunningIncus) => Promise<void>;
}

/** Why these tests are skipped, or `undefined`. */
export const skipReason = process.env['CONTAINARIUM_TEST_HOST_SKIP'];

export async function startJumpHost(options: JumpHostOptions): Promise<JumpHost> {
  const { name, timeouts, env, within = [], config, packages, beforeServer } = options;
  const incus = await startIncus({ name });
  try {
    await beforeServer?.(incus);
    const keysFolder = join(incus.dir, 'authorized_keys');
    const sshd = await startSshd({
      dir: incus.dir,
      dropIn: renderSshdDropIn({ group: incus.group, authorizedKeysFolder: keysFolder, passwordLogins: false }),
    });
    // The public half is beside the key that the configuration names.
    const hostKey = /^HostKey (.*)$/m.exec(await readFile(sshd.configPath, 'utf8'))?.[1] ?? '';
    const server = await startServer({
      env: { ...incus.env, CONTAINARIUM_HOST: 'incus', ...env },
      within,
      config: {
        incus: { pool: incus.pool, network: incus.bridge },
        image: { base: incus.image, ...(packages === undefined ? {} : { packages }) },
        jump: {
          hostname: '127.0.0.1',
          port: sshd.port,
          group: incus.group,
          authorizedKeysFolder: keysFolder,
          hostKeys: [`${hostKey}.pub`],
          sshdConfig: sshd.configPath,
          passwordLogins: false,
        },
        backups: { directory: await temporaryFolder() },
        defaults: { cpu: 1, memory: '512MiB', disk: '3GiB' },
        ...(timeouts === undefined ? {} : { timeouts }),
        ...config,
      },
    });
    const stop = async (): Promise<void> => {
      await server.stop();
      await sshd.stop();
      await incus.stop();
    };
    return { incus, sshd, server, keysFolder, stop };
  } catch (error) {
    await incus.stop();
    throw error;
  }
}
