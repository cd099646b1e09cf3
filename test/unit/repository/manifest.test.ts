import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { layout } from '../../../src/repository/layout.ts';
import { parseManifest, type Manifest } from '../../../src/repository/manifest.ts';
import { isKey } from '../../../src/repository/stores/store.ts';

const name = { container: 'alice-container', id: '20261129-120000-abcd' };
const sha256 = '0'.repeat(64);
const stream = { plainBytes: 10, plainSha256: sha256, storedBytes: 5, storedSha256: sha256 };
const good: Manifest = {
  version: 1,
  id: name.id,
  user: 'alice',
  container: name.container,
  createdAt: '2026-11-29T12:00:00.000Z',
  createdBy: 'carol',
  tookMs: 1,
  incusVersion: '6.0.4',
  compression: 'zstd',
  encryption: 'none',
  config: { 'limits.cpu': '2' },
  devices: { root: { type: 'disk', path: '/' } },
  data: stream,
  files: { ...stream, count: 3, omitted: 0 },
};
const whyNot = (document: unknown): string => {
  try {
    parseManifest(name, typeof document === 'string' ? document : JSON.stringify(document));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    expect(error.code).toBe('backup-damaged');
    return error.why;
  }
  throw new Error('it was accepted');
};

describe('a manifest', () => {
  it('is read as it was written', () => {
    expect(parseManifest(name, JSON.stringify(good))).toEqual(good);
  });

  it('may have keys of a later version that this one need not know', () => {
    expect(parseManifest(name, JSON.stringify({ ...good, later: 1 }))).toEqual(good);
  });

  it.each([
    ['is cut', JSON.stringify(good).slice(0, 50), 'not JSON'],
    ['has a later version', { ...good, version: 3 }, 'version'],
    ['lies at the place of another container', { ...good, container: 'bob-container' }, 'another backup'],
    ['lies at the place of another id', { ...good, id: '20261129-120000-abce' }, 'another backup'],
    ['names another user', { ...good, user: 'bob' }, 'another backup'],
    ['has no checksum', { ...good, data: { ...stream, plainSha256: 'none' } }, 'data.plainSha256'],
    ['has a negative size', { ...good, data: { ...stream, plainBytes: -1 } }, 'data.plainBytes'],
    ['has a size that no number holds', { ...good, data: { ...stream, plainBytes: 1e300 } }, 'data.plainBytes'],
    ['has a time that is none', { ...good, createdAt: 'yesterday' }, 'createdAt'],
    ['has a list instead of a group', [], 'document'],
    ['has a configuration that is not text', { ...good, config: { key: 1 } }, 'config'],
  ])('is damaged if it %s', (_, document, why) => {
    expect(whyNot(document)).toContain(why);
  });

  it('may be anything without harm', () => {
    for (const text of ['null', '""', '0', '{"__proto__": {"version": 1}}', `[${'['.repeat(5000)}`]) whyNot(text);
  });
});

describe('the manifest of a backup of ZFS', () => {
  const sent: Manifest = {
    ...good,
    version: 2,
    format: 'zfs',
    guid: '18446744073709551615',
    base: '20261128-120000-abcd',
    idmap: '[]',
    recipientsSha256: null,
  };

  it('is read as it was written', () => {
    expect(parseManifest(name, JSON.stringify(sent))).toEqual(sent);
  });

  it.each([
    ['has the version of an export but not its own', { ...sent, version: 3 }, 'version'],
    ['is of another format', { ...sent, format: 'lvm' }, 'format'],
    ['has a guid that is no number', { ...sent, guid: '-i' }, 'guid'],
    ['builds on what is no backup', { ...sent, base: '../../etc' }, 'base'],
    ['does not say on what it builds', { ...sent, base: undefined }, 'base'],
    ['has user ids without end', { ...sent, idmap: 'x'.repeat(200_000) }, 'idmap'],
  ])('is damaged if it %s', (_, document, why) => {
    expect(whyNot(document)).toContain(why);
  });
});

describe('the key of a part', () => {
  it('leads back to the backup', () => {
    expect(layout.parseKey(layout.keyOf(name, 'data'))).toEqual({ ...name, part: 'data' });
    expect(isKey(layout.keyOf(name, 'manifest.json'))).toBe(true);
  });

  it.each([
    '../../etc/passwd',
    'alice-container/../data',
    'alice/20261129-120000-abcd/data',
    '-container/20261129-120000-abcd/data',
    'alice-container/2026/data',
    'alice-container/20261129-120000-abcd/other',
    'alice-container/20261129-120000-abcd/data/more',
    'alice-container/20261129-120000-abcd/',
    '',
  ])('is no key of a backup if it is "%s"', (key) => {
    expect(layout.parseKey(key)).toBeUndefined();
  });

  it.each(['../a', 'a/../b', '/a', 'a//b', 'a/./b', '.a', 'a b', 'a\n', 'ä', ''])(
    'is no path of a store if it is "%s"',
    (key) => {
      expect(isKey(key)).toBe(false);
    },
  );
});
