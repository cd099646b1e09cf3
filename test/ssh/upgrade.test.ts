/** Homes of earlier versions, from test/fixtures/: the current version reads them. */
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { beforeAll, describe, expect, test } from 'vitest';
import { repository, startServer, type TestServer } from '../support/server.ts';

const versions = ['0.1.0', '0.2.0', '0.3.0', '0.4.0'] as const;

describe.each(versions)('a home of version %s', (version) => {
  const fixture = join(repository, 'test', 'fixtures', version);
  let server: TestServer;

  beforeAll(async () => {
    const config = parse(await readFile(join(fixture, 'containarium.yaml'), 'utf8')) as Record<string, unknown>;
    server = await startServer({
      config,
      prepare: (home) => cp(join(fixture, 'state'), join(home, 'state'), { recursive: true }),
    });
  });

  const answer = async (...words: string[]): Promise<any> => {
    const { stdout, stderr, code } = await server.local([...words, '--json']);
    expect(code, stderr).toBe(0);
    return (JSON.parse(stdout) as { result: unknown }).result;
  };

  test('keeps its admins with their limits', async () => {
    expect((await answer('admin', 'list')).admins).toMatchObject([
      { name: 'admin', role: 'admin', keys: [{ lastUse: { address: '127.0.0.1' } }] },
      { name: 'dave', role: 'operator', keys: [{ from: '10.0.0.0/8', expiresAt: '2030-01-01T00:00:00.000Z' }] },
    ]);
  });

  test('keeps its CAs with their revocations', async () => {
    expect((await answer('ca', 'list')).cas).toMatchObject([
      { name: 'office', entryPoints: ['manage', 'self'], revoked: { serials: ['7'] } },
    ]);
  });

  test('keeps its CAs after a change and a restart', async () => {
    await answer('ca', 'revoke', 'office', '--serial', '8');
    await server.stop();
    await server.restart();
    expect((await answer('ca', 'list')).cas).toMatchObject([
      { name: 'office', entryPoints: ['manage', 'self'], revoked: { serials: ['7', '8'] } },
    ]);
  });

  test('keeps its bans', async () => {
    expect((await answer('ban', 'list')).bans).toMatchObject([{ network: '192.0.2.0/24', reason: 'tests' }]);
  });

  test('keeps its containers', async () => {
    expect((await answer('list')).containers).toMatchObject([{ user: 'alice', labels: { team: 'blue' }, cpus: 2 }]);
  });

  test('keeps its journal, which verifies and shows the entry points of logins', async () => {
    expect(await answer('audit', 'verify')).toMatchObject({ ok: true });
    const { stdout } = await server.local(['audit', '--limit', '1000']);
    expect(stdout).toMatch(/login .*manage@ from 127\.0\.0\.1/);
    expect(stdout).toMatch(/login .*self@ from 127\.0\.0\.1/);
  });

  test('keeps its list of client certificates, if that version had any', async () => {
    const names = (await answer('cert', 'list')).certificates.map(({ admin }: { admin: string }) => admin);
    expect(names).toEqual(version === '0.4.0' ? ['admin', 'dave'] : []);
  });
});
