/** One command line for several servers, by name from the client's configuration. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { makeKey } from '../support/keys.ts';
import { startRemoteServer, type RemoteTestServer } from '../support/remote/server.ts';
import { finished, repository, temporaryFolder, type Finished } from '../support/server.ts';

let one: RemoteTestServer;
let two: RemoteTestServer;
let home: string;

beforeAll(async () => {
  [one, two] = await Promise.all([startRemoteServer(), startRemoteServer()]);
  home = await temporaryFolder();
  await mkdir(join(home, '.config', 'containarium'), { recursive: true });
  await configure({
    one: { address: one.address, certs: one.certificates },
    two: { address: two.address, certs: two.certificates },
  });
  const key = await makeKey(home, 'alice');
  expect((await one.remote(['create', 'alice'], { stdin: key.line })).code).toBe(0);
  expect((await two.remote(['create', 'bob'], { stdin: key.line })).code).toBe(0);
});

async function configure(servers: object, more: object = {}): Promise<void> {
  await writeFile(join(home, '.config', 'containarium', 'config.yaml'), stringify({ servers, ...more }));
}

async function run(...words: string[]): Promise<Finished> {
  return finished(
    await execa(process.execPath, [join(repository, 'dist', 'main.js'), ...words], {
      reject: false,
      stripFinalNewline: false,
      stdin: 'ignore',
      env: { PATH: process.env['PATH'] ?? '', HOME: home },
      extendEnv: false,
    }),
  );
}

test('--on asks one server by its name', async () => {
  const { code, stdout } = await run('list', '--on', 'two');
  expect(code).toBe(0);
  expect(stdout).toContain('bob');
  expect(stdout).not.toContain('alice');
});

test('--on all shows the containers of all servers in one table with the host', async () => {
  const { code, stdout } = await run('list', '--on', 'all');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^HOST +USER/m);
  expect(stdout).toMatch(/^one +alice /m);
  expect(stdout).toMatch(/^two +bob /m);
});

test('--on all with --json is one document with an answer for each host', async () => {
  const document = JSON.parse((await run('list', '--on', 'one,two', '--json')).stdout) as { hosts: object[] };
  expect(document).toMatchObject({
    ok: true,
    hosts: [
      { host: 'one', ok: true, result: { containers: [{ user: 'alice' }] } },
      { host: 'two', ok: true, result: { containers: [{ user: 'bob' }] } },
    ],
  });
});

test.each([
  [['info'], /^one: Simulated host:$/m, /^two: Simulated host:$/m],
  [['doctor'], /^one +/m, /^two +/m],
  [['audit', '--limit', '5'], /^one +/m, /^two +/m],
])('--on all asks %j of all', async (words, ...shown) => {
  const { stdout, stderr } = await run(...words, '--on', 'all');
  for (const pattern of shown) expect(stdout, stderr).toMatch(pattern);
});

test('a server that does not answer is named, and the others are shown', async () => {
  await configure({
    one: { address: one.address, certs: one.certificates },
    gone: { address: '127.0.0.1:1', certs: one.certificates },
  });
  const { code, stdout, stderr } = await run('list', '--on', 'all');
  expect(code).toBe(6);
  expect(stdout).toMatch(/^one +alice /m);
  expect(stderr).toMatch(/^gone: .*no connection/m);
});

test.each([
  [['create', 'x', '--on', 'all'], 2, /one server: --on NAME/],
  [['list', '--on', 'nowhere'], 3, /there is one and gone|no server has this name/],
  [['list', '--server', 'x', '--on', 'one'], 2, /both name a server/],
  [['list', '--server'], 2, /needs a value/],
])('%j is refused with what to do', async (words, code, text) => {
  expect(await run(...words)).toMatchObject({ code, stderr: expect.stringMatching(text) });
});

test('a default server makes --server unnecessary', async () => {
  await configure({ one: { address: one.address, certs: one.certificates } }, { default: 'one' });
  expect((await run('list')).stdout).toContain('alice');
});
