/** Backups that Incus makes of an instance on its own disk, from where they are read (`IncusStreams.readBackup`). */
import * as z from 'zod';
import { failedWith } from '../runner.ts';
import type { IncusClient, IncusLimits } from './client.ts';

const listed = z.object({ name: z.string() });

export class IncusBackups {
  readonly #client: IncusClient;
  readonly #limits: IncusLimits;

  constructor(client: IncusClient, limits: IncusLimits) {
    this.#client = client;
    this.#limits = limits;
  }

  /**
   * Writes the files and the configuration of an instance, without its snapshots, into a tar archive on Incus's disk,
   * compressed by zstd(1). Incus deletes it at `expiresAt`, in case nobody else does.
   */
  async create(instance: string, name: string, expiresAt: Date, timeoutMs: number): Promise<void> {
    const request = {
      name,
      instance_only: true,
      compression_algorithm: 'zstd',
      expires_at: expiresAt.toISOString(),
    };
    const args = ['query', '--request', 'POST', '--wait', '--data', JSON.stringify(request), pathOf(instance)];
    await this.#client.run(args, { timeoutMs });
  }

  /** Returns the names of the backups of an instance. */
  async list(instance: string): Promise<string[]> {
    const found = await this.#client.query(`${pathOf(instance)}?recursion=1`, z.array(listed).nullable());
    // Some versions write the name of the instance before that of the backup.
    return (found ?? []).map(({ name }) => name.split('/').at(-1) ?? name);
  }

  /** Deletes a backup. One that does not exist is no error. */
  async delete(instance: string, name: string): Promise<void> {
    const path = `${pathOf(instance)}/${encodeURIComponent(name)}`;
    try {
      await this.#client.run(['query', '--request', 'DELETE', '--wait', path], { timeoutMs: this.#limits.changeMs });
    } catch (error) {
      if (!failedWith(error, /backup not found/i)) throw error;
    }
  }
}

function pathOf(instance: string): string {
  return `/1.0/instances/${encodeURIComponent(instance)}/backups`;
}
