/** A throw-away Incus for tests: a daemon, database, pool and bridge of its own beside whatever the machine runs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../../../src/domain/failure.ts';
import { findIncusd, startDetached, startLxcfs, waitForIncus } from '../../../src/prepare/daemon.ts';
import { initialiseIncus } from '../../../src/prepare/initialise.ts';
import { run } from '../../../src/prepare/programs.ts';
import { freeSubnet, usedRanges } from '../../../src/prepare/subnet.ts';
import { ensureBaseImage } from './baseImage.ts';
import { markOf } from './processes.ts';
import { folderPrefix, incusEnv, ownerFile, parentFolder, remains, removeRemains, sweep } from './remains.ts';
import type { Owner } from './remains.ts';

const poolBytes = 8 * 1024 ** 3;

export interface RunningIncus {
  /** Folder of everything that belongs to it; owned by root all the way up, so that an sshd may read keys below it. */
  readonly dir: string;
  readonly incusDir: string;
  /** What a program needs in its environment to use this Incus. */
  readonly env: Readonly<Record<string, string>>;
  readonly bridge: string;
  readonly pool: string;
  /** Address of the bridge, which is the containers' gateway and DNS server. */
  readonly gateway: string;
  /** Alias of the imported base image. */
  readonly image: string;
  /** A name for a group of accounts that `stop` removes, with the accounts in it. */
  readonly group: string;
  readonly logPath: string;
  /** Runs `incus` against it and returns its standard output. */
  incus(args: readonly string[], options?: { readonly input?: string; readonly timeoutMs?: number }): Promise<string>;
  /** What is on this machine because of it, one line each. */
  remains(): Promise<string[]>;
  /** Removes all of it. Safe to repeat. */
  stop(): Promise<void>;
}

/** Other test runs may look for a subnet at this moment: each starts at a place of its own. */
function* randomPrefixes(): Generator<string> {
  for (let attempt = 0; attempt < 200; attempt += 1) yield `10.${randomInt(64, 256)}.${randomInt(0, 256)}`;
}

/** Starts the process that cleans up when this one is gone; the returned function tells it that nothing is left to do. */
async function startGuardian(dir: string, id: string): Promise<() => void> {
  const script = fileURLToPath(new URL('guardian.ts', import.meta.url));
  const child = spawn(process.execPath, [script, dir, id], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  await once(child, 'spawn');
  child.unref();
  child.stdin.on('error', () => undefined);
  (child.stdin as unknown as { unref(): void }).unref();
  return () => void child.stdin.end('done\n');
}

export interface StartOptions {
  /** Part of the folder's name, for people who look at a machine during a test: letters, digits, hyphens. */
  readonly name: string;
  /** Without the base image it starts in two seconds. */
  readonly withImage?: boolean;
}

/** Starts one, after removing what killed runs left. Call {@link ensurePackages} before. */
export async function startIncus({ name, withImage = true }: StartOptions): Promise<RunningIncus> {
  if (!/^[a-z0-9-]{1,20}$/.test(name)) throw new Failure('usage', { what: `name "${name}"`, why: 'letters, digits and hyphens, at most 20' });
  await sweep();
  const base = withImage ? await ensureBaseImage() : undefined;

  // 15 characters is the longest name of a network interface (IFNAMSIZ).
  const id = `cxt${randomBytes(4).toString('hex')}`;
  const dir = join(parentFolder, `${folderPrefix}${name}-${id.slice(3)}`);
  const env = incusEnv(dir);
  const incusDir = join(dir, 'incus');
  const logPath = join(dir, 'incusd.log');
  await mkdir(dir, { mode: 0o711 });
  await writeFile(join(dir, ownerFile), JSON.stringify({ mark: await markOf(process.pid), id } satisfies Owner));
  const dismissGuardian = await startGuardian(dir, id);

  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= removeRemains(dir, id).then(dismissGuardian);
    return stopping;
  };
  try {
    await mkdir(incusDir, { mode: 0o711 });
    await mkdir(join(dir, 'client'), { mode: 0o700 });
    await startLxcfs(() => undefined);
    const incusd = await findIncusd();
    await startDetached(incusd, ['--group', 'root', '--logfile', logPath], join(dir, 'incusd.out'), env);
    await waitForIncus(incusd, logPath, env);
    const bridgeAddress = freeSubnet(await usedRanges(), randomPrefixes());
    await initialiseIncus({ say: () => undefined, env, bridgeName: id, bridgeAddress, storage: { driver: 'btrfs', sizeBytes: poolBytes } });
    const incus: RunningIncus['incus'] = async (args, options = {}) => (await run('incus', args, { timeoutMs: 300_000, ...options, env })).stdout;
    if (base !== undefined) await incus(['image', 'import', '--quiet', base.metadataPath, base.rootfsPath, '--alias', base.alias]);
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
      remains: () => remains(dir, id),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits until an instance has an IPv4 address on its bridge, and returns it. */
export async function addressOf(incus: RunningIncus, instance: string, limitMs = 30_000): Promise<string> {
  const prefix = incus.gateway.split('.').slice(0, 3).join('.');
  for (const end = Date.now() + limitMs; Date.now() < end; ) {
    const text = await incus.incus(['query', `/1.0/instances/${instance}/state`]);
    const state = JSON.parse(text) as { network?: Record<string, { addresses?: { family: string; address: string }[] }> | null };
    for (const { addresses } of Object.values(state.network ?? {})) {
      const found = addresses?.find((each) => each.family === 'inet' && each.address.startsWith(`${prefix}.`));
      if (found !== undefined) return found.address;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Failure('timeout', { what: `instance "${instance}"`, why: `it had no address within ${limitMs / 1000} s` });
}
