/** `--plan` over ssh and on the host: what it prints, and that it does nothing. */
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/domain/results/plan.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { startServer, temporaryFolder, type Finished, type TestServer } from '../support/server.ts';

let server: TestServer;
let key: TestKey;

beforeAll(async () => {
  [server, key] = await Promise.all([startServer(), temporaryFolder().then((folder) => makeKey(folder, 'alice'))]);
  expect(await server.ssh(['create', 'alice'], { stdin: key.line })).toMatchObject({ code: 0 });
});

/** Returns what the host and the server keep, and the commands that changed the host. */
async function kept(): Promise<readonly string[]> {
  const [host = '', admins = '', commands = ''] = await Promise.all(
    ['simulated-host.json', 'admins.json', 'simulated-commands.jsonl'].map((file) =>
      readFile(join(server.home, 'state', file), 'utf8'),
    ),
  );
  return [host, admins, ...commands.split('\n').filter((line) => line.includes('"changes":true'))];
}

/** Runs a command line that must change nothing. */
async function unchanged(run: () => Promise<Finished>): Promise<Finished> {
  const before = await kept();
  const finished = await run();
  expect(await kept()).toEqual(before);
  return finished;
}

const manage = (words: readonly string[], stdin = ''): Promise<Finished> =>
  unchanged(() => server.ssh(words, { shared: true, stdin }));
const self = (words: readonly string[]): Promise<Finished> =>
  unchanged(() => server.ssh(words, { user: 'self', key: key.path, shared: true, stdin: key.line }));

describe('--plan', () => {
  test('prints numbered steps with their commands and what undoes each', async () => {
    const { code, stdout } = await manage(['delete', 'alice', '--plan']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Plan of "delete alice"\. Nothing was changed\.\n1\. Closing the jump account \(patch-instance\)\n/,
    );
    expect(stdout).toMatch(
      /^ {3}incus stop alice-container --force --quiet\n {3}# undo: incus start alice-container --quiet$/m,
    );
    expect(stdout).toMatch(/^ {3}userdel alice\n {3}# undo: useradd .* alice$/m);
    expect(stdout).toMatch(/^ {3}incus rename alice-container alice-container-\d{8}-\d{6}-\w{4} --quiet$/m);
  });

  test('reads keys from standard input as the call does, and may stand before the verb', async () => {
    const { code, stdout } = await manage(['--plan', 'create', 'bob', '--cpu', '2'], key.line);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^ {3}printf %s '\{"config":.*"limits.cpu":"2".*\}' \| incus create \S+ bob-container --no-profiles --quiet$/m,
    );
    expect(stdout).toContain('"user.containarium.seed":"(left out)"');
    expect(stdout).not.toMatch(/PRIVATE/);
    expect((await manage(['info', 'bob'])).code).toBe(3);
  });

  test('prints one JSON document, in every order of options', async () => {
    for (const words of [
      ['resize', 'alice', '--cpu', '2', '--plan', '--json'],
      ['--json', '--plan', 'resize', 'alice', '--cpu', '2'],
    ]) {
      const { code, stdout, stderr } = await manage(words);
      expect([code, stderr]).toEqual([0, '']);
      const document = JSON.parse(stdout) as { readonly result: Plan };
      expect(document).toMatchObject({ ok: true, command: 'resize', host: { kind: 'simulated' } });
      expect(document.result).toMatchObject({ verb: 'resize', target: 'alice', files: [], notes: [] });
      expect(document.result.steps).toMatchObject([
        {
          title: 'Patch instance',
          step: 'patch-instance',
          commands: [
            {
              kind: 'program',
              argv: [
                'incus',
                'query',
                '--request',
                'PATCH',
                '--data',
                '{"config":{"limits.cpu":"2"},"devices":{}}',
                '/1.0/instances/alice-container',
              ],
            },
          ],
          undo: [{ kind: 'program', argv: expect.arrayContaining(['{"config":{"limits.cpu":"4"},"devices":{}}']) }],
        },
      ]);
    }
  });

  test('names the files of the server that a call would rewrite', async () => {
    const { stdout } = await manage(['admin', 'add', 'dora', '--plan'], key.line);
    expect(stdout).toBe(
      `Plan of "admin add dora". Nothing was changed.\nFiles of the server that are rewritten:\n   ${join(server.home, 'state', 'admins.json')}\n`,
    );
  });

  test('says so if the call would change nothing', async () => {
    const { stdout } = await manage(['start', 'alice', '--plan']);
    expect(stdout).toBe('Plan of "start alice". Nothing was changed.\nThe call would change nothing.\n');
  });

  test('works for owners at self@, for their own containers alone', async () => {
    const { code, stdout } = await self(['restart', '--plan']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {3}incus restart alice-container /m);
    expect(await self(['keys', 'add', '--plan', '--json'])).toMatchObject({ code: 0 });
    const refused = await self(['restart', 'bobby', '--plan']);
    expect([refused.code, refused.stdout]).toEqual([3, '']);
    expect((await self(['delete', 'alice', '--plan'])).code).toBe(4);
  });

  test('tells whose logins end, but an owner only of their own', async () => {
    const ends = '1 login of alice at self@ ends';
    // Opens a connection that stays.
    expect((await self(['whoami'])).code).toBe(0);
    expect((await manage(['delete', 'alice', '--plan'])).stdout).toContain(`Besides:\n   ${ends}\n`);
    expect((await manage(['stop', 'alice', '--plan'])).stdout).not.toContain('Besides');
    expect((await self(['keys', 'remove', key.fingerprint, '--yes', '--plan'])).stdout).toContain(`   ${ends}\n`);
    expect((await self(['whoami'])).code).toBe(0);
  });

  test('works on the host itself', async () => {
    const { code, stdout } = await unchanged(() => server.local(['stop', 'alice', '--plan']));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {3}incus stop alice-container /m);
  });

  test.each([
    [['create', 'alice', '--plan'], 5, 'exists'],
    [['delete', 'alise', '--plan'], 3, 'not-found'],
    [['list', '--plan'], 2, 'unknown-option'],
    [['shell', 'alice', '--plan'], 2, 'unknown-option'],
  ])('%j fails with exit code %i and %s', async (words, exitCode, reason) => {
    const { code, stdout, stderr } = await manage(words, key.line);
    expect([code, stdout]).toEqual([exitCode, '']);
    expect(stderr).toContain(`(${reason})`);
  });

  test('is in help and in completion, for verbs that change something', async () => {
    expect((await manage(['delete', '--help'])).stdout).toMatch(/^ {2}--plan, --dry-run: +show what would be run/m);
    expect((await manage(['list', '--help'])).stdout).not.toContain('--plan');
    expect((await manage(['__complete', 'delete', 'alice', '--pl'])).stdout).toMatch(/^--plan\tshow what/);
    expect((await manage(['__complete', 'list', '--pl'])).stdout).not.toContain('--plan');
    expect((await manage(['delete', 'alice', '--pla'])).stderr).toContain('did you mean --plan?');
  });

  test('is in the audit under a name of its own', async () => {
    await manage(['stop', 'alice', '--plan']);
    const { stdout } = await manage(['audit', '--json']);
    const { result } = JSON.parse(stdout) as { result: { records: readonly { readonly verb?: string }[] } };
    expect(result.records.map(({ verb }) => verb)).toContain('stop --plan');
  });
});
