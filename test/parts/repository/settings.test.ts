/** Backups as the settings name them: in a bucket, with keys from a file. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { openRepository } from '../../../src/service/backups/open.ts';
import { checkSettings } from '../../../src/settings/settings.ts';
import { s3Keys, startS3, type S3Server } from '../../support/s3.ts';
import { newKey } from '../../support/world/keys.ts';
import { World } from '../../support/world/world.ts';

let folder: string;
let server: S3Server;
let credentialsFile: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-settings-'));
  server = await startS3();
  credentialsFile = join(folder, 'credentials');
  await writeCredentials(s3Keys.secretAccessKey);
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const writeCredentials = (secret: string): Promise<void> =>
  writeFile(
    credentialsFile,
    `[default]\naws_access_key_id = ${s3Keys.accessKeyId}\naws_secret_access_key = ${secret}\n`,
    { mode: 0o600 },
  );
const s3 = (): object => ({ endpoint: server.endpoint, bucket: server.bucket, credentialsFile });
const settings = (backups: object) => checkSettings({ backups }, 'of the test').backups;
const refusal = async (backups: object): Promise<string> => {
  const error: unknown = await openRepository(settings(backups)).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: 'settings' });
  return (error as Failure).why;
};

describe('the keys of a bucket', () => {
  it('are read from a file for each call', async () => {
    const repository = await openRepository(settings({ s3: s3() }));
    expect(await repository.list()).toEqual([]);
    await writeCredentials('changed');
    await expect((await openRepository(settings({ s3: s3() }))).list()).rejects.toMatchObject({
      code: 'store-unavailable',
    });
  });

  it.each([
    ['that others can read', () => chmod(credentialsFile, 0o640), 'other accounts may read or change it'],
    ['that is missing', () => rm(credentialsFile), 'there is no such file'],
    ['without keys', () => writeFile(credentialsFile, 'secret words'), 'it lacks a key'],
    ['that is too long', () => writeFile(credentialsFile, 'x'.repeat(70_000)), 'it is too long'],
  ])('are refused in a file %s', async (_, change, why) => {
    await change();
    expect(await refusal({ s3: s3() })).toBe(why);
  });

  it('are not in the settings', () => {
    expect(() => settings({ s3: { ...s3(), endpoint: 'https://key:secret@s3.example.com' } })).toThrow(Failure);
    expect(() => settings({ s3: { ...s3(), secretAccessKey: 'x' } })).toThrow(Failure);
  });
});

describe('settings of backups', () => {
  it.each([
    [{ s3: { endpoint: 'ftp://s3.example.com', bucket: 'abc', credentialsFile: '/x' } }],
    [{ s3: { endpoint: 'https://s3.example.com', bucket: '../abc', credentialsFile: '/x' } }],
    [{ s3: { endpoint: 'https://s3.example.com', bucket: 'abc', prefix: 'a/../b', credentialsFile: '/x' } }],
    [{ directory: 'relative' }],
    [{ recipients: ['ssh-ed25519 AAAA'] }],
    [{ keep: { daily: -1 } }],
    [{ keep: { yearly: 1 } }],
  ])('refuse %j', (backups) => {
    expect(() => settings(backups)).toThrow(Failure);
  });
});

it('a container is backed up, verified, restored and deleted in an encrypted bucket', { timeout: 60_000 }, async () => {
  const identity = await generateX25519Identity();
  const backups = { s3: s3(), recipients: [await identityToRecipient(identity)], directory: undefined };
  const world = await World.open(join(folder, 'world'), { settings: { backups } });
  await world.must('create', { user: 'alice', keys: newKey('alice@desk').line });
  const { backup } = await world.must('backup create', { user: 'alice' });
  expect(await world.must('backup list')).toMatchObject({ backups: [{ id: backup.id, stores: ['s3'] }] });
  const named = { user: 'alice', backup: backup.id };
  const before = server.requests.length;
  for (const verb of ['backup create', 'backup verify', 'backup restore', 'backup delete']) {
    const input =
      verb === 'backup create' ? { user: 'alice' } : verb === 'backup delete' ? named : { ...named, identity };
    expect(await world.plan(verb, input)).toMatchObject({ ok: true });
  }
  const asked = server.requests.slice(before);
  expect(asked).not.toEqual([]);
  expect(asked.filter((line) => !/^GET .*(\?|\/manifest\.json$)/.test(line))).toEqual([]);
  expect(await world.must('backup verify', { ...named, identity })).toMatchObject({ id: backup.id });
  expect(await world.must('backup restore', { ...named, identity, yes: true })).toMatchObject({ status: 'running' });
  await world.must('backup delete', { ...named, yes: true });
  expect(await world.must('backup list')).toMatchObject({ backups: [] });
  expect(await world.faults()).toEqual([]);
  await world.close();
});
