/** What a rehearsal has changed in a place of backups is seen by what it reads later, and not by the place. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RehearsedBackups } from '../../../../src/core/plan/rehearsedBackups.ts';
import type { PlannedTransfer } from '../../../../src/domain/results/plan.ts';
import { parseName } from '../../../../src/domain/values/username.ts';
import { Repository, type About } from '../../../../src/repository/repository.ts';
import { DirectoryStore } from '../../../../src/repository/stores/directory.ts';
import { readArchive } from '../../../../src/simulated/incus/backups.ts';
import { compressedExport } from '../../../support/exports.ts';

const user = parseName('alice');
const container = 'alice-container';
const now = (): Date => new Date('2026-11-29T12:00:00Z');
const [oldId, newId] = ['20261128-120000-abcd', '20261129-120000-abcd'];

let folders: readonly string[];
let real: Repository;
let noted: string[];
let backups: RehearsedBackups;

const about = (id: string): About => ({
  id,
  user,
  container,
  createdAt: now().toISOString(),
  createdBy: 'carol',
  incusVersion: '6.0.4',
  config: { 'limits.cpu': '3' },
  devices: { root: { type: 'disk', path: '/', pool: 'default' } },
});
const note = ({ kind, what }: PlannedTransfer): void => void noted.push(`${kind} ${what}`);
const open = (): Promise<Repository> => backups.open(note);
const idsIn = async (repository: Repository): Promise<string[]> =>
  (await repository.list(container)).map(({ id }) => id);

beforeEach(async () => {
  folders = await Promise.all([1, 2].map(() => mkdtemp(join(tmpdir(), 'containarium-rehearsed-'))));
  const recipients = [await identityToRecipient(await generateX25519Identity())];
  real = new Repository(
    folders.map((folder) => new DirectoryStore(folder)),
    recipients,
  );
  await real.write(about(oldId), compressedExport({ '/etc/hosts': 'x' }), { now });
  noted = [];
  const signal = new AbortController().signal;
  backups = new RehearsedBackups({ real: () => Promise.resolve(real), say: () => undefined, signal, now });
});
afterEach(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

describe('a rehearsal', () => {
  it('has the backup that it has stored, in each place, and the real ones do not', async () => {
    await (await open()).write(about(newId), compressedExport({ '/etc/hosts': 'y' }), { now });
    expect(noted).toEqual(
      ['data', 'files', 'data', 'files', 'manifest.json', 'manifest.json'].map(
        (part) => `store ${container}/${newId}/${part}`,
      ),
    );
    const repository = await open();
    expect(await idsIn(repository)).toEqual([newId, oldId]);
    expect(await repository.manifest({ container, id: newId })).toMatchObject({
      encryption: 'age',
      files: { count: 1 },
    });
    expect(await idsIn(real)).toEqual([oldId]);
  });

  it('has no backup that it has deleted', async () => {
    const name = { container, id: oldId };
    await (await open()).forget(name);
    expect(await (await open()).has(name)).toBe(false);
    await expect((await open()).manifest(name)).rejects.toMatchObject({ code: 'not-found' });
    await (await open()).clear(name);
    expect(noted).toEqual([
      `delete ${container}/${oldId}/manifest.json`,
      `delete ${container}/${oldId}/manifest.json`,
      `delete ${container}/${oldId}/`,
      `delete ${container}/${oldId}/`,
    ]);
    expect(await idsIn(await open())).toEqual([]);
    // Nothing is left to delete.
    await (await open()).clear(name);
    expect(noted).toHaveLength(4);
    expect(await idsIn(real)).toEqual([oldId]);
  });

  it('has the verification that it has recorded', async () => {
    const verifiedAt = now().toISOString();
    await (await open()).recordVerification({ container, id: oldId }, { verifiedAt, compared: 1, changedByBoot: 0 });
    expect(await (await open()).list()).toMatchObject([{ id: oldId, verification: { verifiedAt } }]);
    expect(await real.list()).toMatchObject([{ verification: undefined }]);
  });

  it('makes an archive of what a manifest says, which needs no right identity', async () => {
    const repository = await open();
    const manifest = await repository.manifest({ container, id: oldId });
    await expect(repository.data(manifest, undefined)).rejects.toMatchObject({ code: 'usage' });
    const { config, devices, files } = await readArchive(
      await repository.data(manifest, { reveal: () => [], toJSON: () => undefined } as never),
    );
    expect({ config, devices, files }).toEqual({ config: manifest.config, devices: manifest.devices, files: {} });
  });

  it('rejects a store whose folder is gone as the real one does', async () => {
    await rm(folders[0] ?? '', { recursive: true });
    await expect((await open()).list()).rejects.toMatchObject({ code: 'store-unavailable' });
  });
});
