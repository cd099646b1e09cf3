/** When each container was backed up last, while the stores answer out of order. */
import { expect, it } from 'vitest';
import type { KeptBackup, Repository } from '../../../../src/repository/repository.ts';
import { BackupAges } from '../../../../src/service/instances/backupAges.ts';

type Listing = Promise<KeptBackup[]>;

const of = (container: string, createdAt: string): KeptBackup =>
  ({ container, manifest: { createdAt, data: { storedBytes: 1 } } }) as unknown as KeptBackup;

function agesOf(...listings: readonly Listing[]): BackupAges {
  const left = [...listings];
  const list = (): Listing => left.shift() ?? Promise.reject(new Error('asked too often'));
  return new BackupAges(
    () => Promise.resolve({ list } as unknown as Repository),
    () => new Date(),
  );
}

it('an older listing that arrives late does not count', async () => {
  const old = Promise.withResolvers<KeptBackup[]>();
  const ages = agesOf(old.promise, Promise.resolve([of('alice-container', '2026-11-30')]));
  const late = ages.refresh();
  await ages.refresh();
  old.resolve([of('alice-container', '2026-11-29')]);
  await late;
  expect(ages.of('alice-container')).toBe('2026-11-30');
});

it('a backup that is made while the stores are listed counts', async () => {
  const old = Promise.withResolvers<KeptBackup[]>();
  const ages = agesOf(old.promise);
  const late = ages.refresh();
  ages.note('alice-container', '2026-11-30');
  old.resolve([of('alice-container', '2026-11-29')]);
  await late;
  expect(ages.of('alice-container')).toBe('2026-11-30');
});
