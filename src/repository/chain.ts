/**
 * Chains of backups, of which each builds on the one before. Who can write to the store can write any chain, so one
 * with a gap, a circle, an export in it or without end is refused.
 */
import { isFailure } from '../domain/failure.ts';
import type { BackupName } from './layout.ts';
import { damaged, type Manifest, type ZfsManifest } from './manifest.ts';

/** Number of backups that may build on one another. The settings allow fewer. */
const maxChain = 100;

/** Returns the backups that one needs, the full one first and itself last. Rejects with `backup-damaged`. */
export async function chainOf(
  manifest: ZfsManifest,
  read: (name: BackupName) => Promise<Manifest>,
): Promise<ZfsManifest[]> {
  const chain = [manifest];
  const seen = new Set([manifest.id]);
  for (let { base } = manifest; base !== null;) {
    const id = base;
    if (seen.has(id)) throw damaged(manifest, `it builds on backup ${id}, which builds on it`);
    if (chain.length >= maxChain) throw damaged(manifest, `it builds on more than ${maxChain} others`);
    const found = await read({ container: manifest.container, id }).catch((error: unknown) => {
      if (!isFailure(error, 'not-found', 'backup-damaged')) throw error;
      const why = error.code === 'not-found' ? 'is missing' : `cannot be read (${error.why})`;
      throw damaged(manifest, `it builds on backup ${id}, which ${why}`, error);
    });
    if (found.version !== 2) throw damaged(manifest, `it builds on backup ${id}, which is no stream of ZFS`);
    seen.add(id);
    chain.unshift(found);
    ({ base } = found);
  }
  return chain;
}
