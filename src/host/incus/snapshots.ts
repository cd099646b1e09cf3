/** Snapshots of instances, through Incus's client. */
import * as z from 'zod';
import type { IncusClient, IncusLimits } from './client.ts';
import { isolatedKey, type IdChoice } from './idChoice.ts';

/** Go's zero time, which Incus uses for "never". */
const never = '0001-01-01T00:00:00Z';

/** A snapshot as Incus lists it. Its size is that of its own data; drivers without accounting have -1 or 0. */
const listed = z.object({
  name: z.string(),
  created_at: z.string(),
  expires_at: z.string().default(never),
  size: z.number().default(-1),
});

export interface IncusSnapshot {
  /** Without the name of the instance. */
  readonly name: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly sizeBytes: number | null;
}

/** A snapshot with the configuration that an instance gets when it is restored. */
const stored = listed.extend({
  config: z.record(z.string(), z.string()).default({}),
  devices: z.record(z.string(), z.record(z.string(), z.string())).default({}),
});

export interface StoredSnapshot extends IncusSnapshot {
  readonly config: Readonly<Record<string, string>>;
  readonly devices: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export class IncusSnapshots {
  readonly #client: IncusClient;
  readonly #limits: IncusLimits;
  readonly #idChoice: IdChoice;

  constructor(client: IncusClient, limits: IncusLimits, idChoice: IdChoice) {
    this.#client = client;
    this.#limits = limits;
    this.#idChoice = idChoice;
  }

  /** Returns the names of the snapshots. Incus then does not look how large they are. */
  async names(instance: string): Promise<string[]> {
    const paths = await this.#client.query(pathOf(instance), z.array(z.string()));
    return paths.map((path) => decodeURIComponent(path.split('/').at(-1) ?? ''));
  }

  async list(instance: string, signal?: AbortSignal): Promise<IncusSnapshot[]> {
    const found = await this.#client.query(`${pathOf(instance)}?recursion=1`, z.array(listed), signal);
    return found.map(toSnapshot);
  }

  /** Returns one snapshot of an instance. Rejects with `program-failed` if it has none of this name. */
  async get(instance: string, name: string): Promise<IncusSnapshot> {
    return toSnapshot(await this.#client.query(`${pathOf(instance)}/${encodeURIComponent(name)}`, listed));
  }

  /** Lists the snapshots with the configuration of each. */
  async stored(instance: string, signal?: AbortSignal): Promise<StoredSnapshot[]> {
    const found = await this.#client.query(`${pathOf(instance)}?recursion=1`, z.array(stored), signal);
    return found.map((one) => ({ ...toSnapshot(one), config: one.config, devices: one.devices }));
  }

  /** Makes a snapshot of the files and the configuration. Without `expiresAt` it stays until it is deleted. */
  async create(instance: string, name: string, expiresAt?: Date): Promise<void> {
    const request = { name, stateful: false, expires_at: expiresAt?.toISOString() ?? never };
    await this.#client.change(
      instance,
      ['query', '--request', 'POST', '--wait', '--data', JSON.stringify(request), pathOf(instance)],
      // A pool without copy-on-write copies every file.
      { timeoutMs: this.#limits.copyMs },
    );
  }

  /** Gives a stopped or running instance the files and the configuration of a snapshot. Incus kills a running one. */
  async restore(instance: string, name: string): Promise<void> {
    await this.#client.change(instance, ['snapshot', 'restore', instance, name], { timeoutMs: this.#limits.copyMs });
  }

  /** Makes a stopped instance of a snapshot, with its configuration and these changes of it. */
  async copy(instance: string, name: string, to: string, config: Readonly<Record<string, string>>): Promise<void> {
    const changes = Object.entries(config).flatMap(([key, value]) => ['--config', `${key}=${value}`]);
    // The copy may be isolated, and then Incus chooses its ids.
    await this.#idChoice.run({ config: { [isolatedKey]: 'true' } }, () =>
      this.#client.change(
        instance,
        ['copy', `${instance}/${name}`, to, ...changes, '--quiet'],
        { timeoutMs: this.#limits.copyMs },
        [to],
      ),
    );
  }

  async delete(instance: string, name: string): Promise<void> {
    await this.#client.change(instance, ['snapshot', 'delete', instance, name], { timeoutMs: this.#limits.changeMs });
  }

  async rename(instance: string, from: string, to: string): Promise<void> {
    await this.#client.change(instance, ['snapshot', 'rename', instance, from, to], {
      timeoutMs: this.#limits.changeMs,
    });
  }
}

function toSnapshot({
  name,
  created_at: createdAt,
  expires_at: expiresAt,
  size,
}: z.infer<typeof listed>): IncusSnapshot {
  return {
    name: name.split('/').at(-1) ?? name,
    createdAt,
    expiresAt: expiresAt === never ? null : expiresAt,
    sizeBytes: size < 0 ? null : size,
  };
}

function pathOf(instance: string): string {
  return `/1.0/instances/${encodeURIComponent(instance)}/snapshots`;
}
