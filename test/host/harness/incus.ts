/** A throwaway Incus for tests: its own daemon, database, pool and bridge, separate from the machine's. */
import { randomInt } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Failure } from '../../../src/domain/failure.ts';
import { findIncusd, startDetached, startLxcfs, waitForIncus } from '../../../src/prepare/daemon.ts';
import { initialiseIncus } from '../../../src/prepare/initialise.ts';
import { run } from '../../../src/prepare/programs.ts';
import { freeSubnet, usedRanges } from '../../../src/prepare/subnet.ts';
import { ensureBaseImage } from './baseImage.ts';
import { endProcesses, processes } from './processes.ts';
import { sweep } from './remains.ts';
import { openTestFolder } from './testFolder.ts';

const poolBytes = 8 * 1024 ** 3;

export interface RunningIncus {
  /** The folder of all its files. Every parent is owned by root, so that an sshd may read keys below it. */
  readonly dir: string;
  readonly incusDir: string;
  /** The environment that a program needs to use this Incus. */
  readonly env: Readonly<Record<string, string>>;
  readonly bridge: string;
  readonly pool: string;
  /** Address of the bridge, which is the containers' gateway and DNS server. */
  readonly gateway: string;
  /** Alias of the imported base image. */
  readonly image: string;
  /** Name of a group that `stop` removes, together with the accounts in it. */
  readonly group: string;
  readonly logPath: string;
  /** Runs `incus` against it and returns its standard output. */
  incus(args: readonly string[], options?: { readonly input?: string; readonly timeoutMs?: number }): Promise<string>;
  /** Stops the daemon as systemd does, which containers survive, runs `meanwhile`, and starts the daemon again. */
  restart(meanwhile: () => Promise<void>): Promise<void>;
  /** Returns what it has left on this machine, one line each. */
  remains(): Promise<string[]>;
  /** Removes all of it. Safe to repeat. */
  stop(): Promise<void>;
}

/** Yields small networks at random, because other test runs may be searching for one at the same time. */
function* randomNetworks(): Generator<string> {
  for (let attempt = 0; attempt < 200; attempt += 1) yield `10.${randomInt(64, 256)}.${randomInt(0, 256)}.1/24`;
}

export interface StartOptions {
  /** Part of the folder's name, to recognize it during a test: letters, digits, hyphens. */
  readonly name: string;
  /** Whether to import the base image; without it a start takes two seconds. */
  readonly withImage?: boolean;
}

/** Starts an Incus, after removing the remains of killed runs. Call {@link ensurePackages} first. */
export async function startIncus({ name, withImage = true }: StartOptions): Promise<RunningIncus> {
  await sweep();
  const base = withImage ? await ensureBaseImage() : undefined;

  const folder = await openTestFolder(name);
  const { dir, id, env } = folder;
  const incusDir = join(dir, 'incus');
  const logPath = join(dir, 'incusd.log');
  try {
    await mkdir(incusDir, { mode: 0o711 });
    await mkdir(join(dir, 'client'), { mode: 0o700 });
    await startLxcfs(() => undefined);
    const incusd = await findIncusd();
    const start = async (): Promise<number> => {
      const pid = await startDetached(incusd, ['--group', 'root', '--logfile', logPath], join(dir, 'incusd.out'), env);
      await waitForIncus(incusd, logPath, env);
      return pid;
    };
    let daemon = await start();
    const bridgeAddress = freeSubnet(await usedRanges(), randomNetworks());
    await initialiseIncus({
      say: () => undefined,
      env,
      bridgeName: id,
      bridgeAddress,
      storage: { driver: 'btrfs', sizeBytes: poolBytes },
    });
    const incus: RunningIncus['incus'] = async (args, options = {}) =>
      (await run('incus', args, { timeoutMs: 300_000, ...options, env })).stdout;
    if (base !== undefined)
      await incus(['image', 'import', '--quiet', base.metadataPath, base.rootfsPath, '--alias', base.alias]);
    return {
      dir,
      incusDir,
      env,
      bridge: id,
      pool: 'default',
      gateway: bridgeAddress.split('/')[0] ?? '',
      image: base?.alias ?? '',
      group: id,
      logPath,
      incus,
      restart: async (meanwhile) => {
        await endProcesses(
          (await processes()).filter(({ pid }) => pid === daemon),
          30_000,
        );
        await meanwhile();
        daemon = await start();
      },
      remains: folder.remains,
      stop: folder.remove,
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

/** Waits until an instance has an IPv4 address on its bridge, and returns it. */
export async function addressOf(incus: RunningIncus, instance: string, limitMs = 30_000): Promise<string> {
  const prefix = incus.gateway.split('.').slice(0, 3).join('.');
  for (const end = Date.now() + limitMs; Date.now() < end;) {
    const text = await incus.incus(['query', `/1.0/instances/${instance}/state`]);
    const state = JSON.parse(text) as {
      network?: Record<string, { addresses?: { family: string; address: string }[] }> | null;
    };
    for (const { addresses } of Object.values(state.network ?? {})) {
      const found = addresses?.find((each) => each.family === 'inet' && each.address.startsWith(`${prefix}.`));
      if (found !== undefined) return found.address;
    }
    await setTimeout(50);
  }
  throw new Failure('timeout', { what: `instance "${instance}"`, why: `it had no address within ${limitMs / 1000} s` });
}
