/**
 * Ends the FUSE connections of a container that is being killed. A process that waits for an answer of a file system
 * that it serves itself ends with no signal, and its container never stops; only an abort of the connection frees it
 * (Documentation/filesystems/fuse.rst in the kernel's source, "Aborting a filesystem connection").
 */
import { isTrue } from './booleans.ts';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { isolatedKey } from './idChoice.ts';

/** Where fusectl, the file system of the kernel for this, is mounted. */
const fusectl = '/sys/fs/fuse/connections';

/** How often connections are looked for while a container is being killed, in milliseconds. It may open more. */
const everyMs = 500;

/** The user ids of the host that a container has, and no other. */
export interface IdRange {
  readonly first: number;
  readonly count: number;
}

export class FuseConnections {
  readonly #folder: string;
  readonly #everyMs: number;

  constructor(folder = fusectl, checkEveryMs = everyMs) {
    this.#folder = folder;
    this.#everyMs = checkEveryMs;
  }

  /**
   * Runs `kill`, and until it has ended aborts the connections of the ids that `ids` resolves with, again and again.
   * What fails here changes nothing: `kill` then takes as long as it takes.
   */
  async abortDuring<T>(ids: () => Promise<IdRange | undefined>, kill: () => Promise<T>): Promise<T> {
    let range: Promise<IdRange | undefined> | undefined;
    const timer = setInterval(() => {
      void this.#abort(() => (range ??= ids())).catch(() => (range = undefined));
    }, this.#everyMs);
    try {
      return await kill();
    } finally {
      clearInterval(timer);
    }
  }

  async #abort(ids: () => Promise<IdRange | undefined>): Promise<void> {
    const connections = await readdir(this.#folder);
    if (connections.length === 0) return;
    const range = await ids();
    if (range === undefined) return;
    await Promise.all(
      connections.map(async (connection) => {
        const path = join(this.#folder, connection);
        // The owner is the user who mounted it, whatever the container did with the mount since.
        const { uid } = await stat(path);
        if (uid >= range.first && uid < range.first + range.count) await writeFile(join(path, 'abort'), '1');
      }),
    );
  }
}

const idMap = z.array(z.object({ Isuid: z.boolean(), Hostid: z.number(), Maprange: z.number() }));

/** Returns the user ids of an instance by its configuration; undefined if others have them too, or it has none. */
export function ownIds(config: Readonly<Record<string, string>>): IdRange | undefined {
  if (!isTrue(config[isolatedKey])) return undefined;
  const users = readIdMap(config['volatile.idmap.current']).find(({ Isuid }) => Isuid);
  return users === undefined ? undefined : { first: users.Hostid, count: users.Maprange };
}

/** A map that cannot be read is empty: then nothing is aborted. */
function readIdMap(text = '[]'): z.infer<typeof idMap> {
  try {
    return idMap.parse(JSON.parse(text));
  } catch {
    return [];
  }
}
