/** Changes of several containers in one call, at every entry point: what they ask, answer and end with. */
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { startServer, temporaryFolder, type TestServer } from '../support/server.ts';

let server: TestServer;
let key: TestKey;

beforeAll(async () => {
  [server, key] = await Promise.all([startServer(), temporaryFolder().then((folder) => makeKey(folder, 'user'))]);
  for (const user of ['alice', 'bob', 'dan'])
    expect((await server.ssh(['create', user, '--label', 'team=blue'], { stdin: key.line })).code).toBe(0);
});

const running = async (): Promise<string[]> => {
  const { stdout } = await server.ssh(['list', '--state', 'running', '--json']);
  const { result } = JSON.parse(stdout) as { result: { containers: { user: string }[] } };
  return result.containers.map(({ user }) => user);
};

describe('without a terminal', () => {
  test('each container has its answer, and one that fails does not stop the others', async () => {
    const { code, stdout, stderr } = await server.ssh(['stop', 'alice', 'nobody', 'bob']);
    expect(stdout).toMatch(/^alice-container: Stopped$/m);
    expect(stdout).toMatch(/^nobody: container of "nobody": no such container \(not-found\)$/m);
    expect(stdout).toMatch(/^bob-container: Stopped$/m);
    expect(stdout).toMatch(/^3 containers: 2 done, 1 failed$/m);
    expect(stderr).toMatch(/✓ \[\d\/3\] alice…/);
    expect(stderr).toMatch(/✗ \[\d\/3\] nobody…/);
    expect(code).toBe(6);
    expect(await running()).toEqual(['dan']);
    expect((await server.ssh(['start', '--state', 'stopped'])).code).toBe(0);
    expect(await running()).toEqual(['alice', 'bob', 'dan']);
  });

  test('a selection that nothing matches ends with 3 and names it', async () => {
    const { code, stderr } = await server.ssh(['stop', '--label', 'team=red', '--state', 'running']);
    expect(code).toBe(3);
    expect(stderr).toContain('containers with --label team=red --state running: none matches (not-found)');
  });

  test('delete requires --yes, as for one', async () => {
    const { code, stderr } = await server.ssh(['delete', '--label', 'team=blue']);
    expect(code).toBe(2);
    expect(stderr).toContain('"delete --label team=blue --yes"');
    expect(await running()).toHaveLength(3);
  });

  test('--dry-run is --plan', async () => {
    const { code, stdout } = await server.ssh(['stop', 'alice', 'bob', '--dry-run']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Plan of "stop"\. Nothing was changed\.$/m);
    expect(stdout).toMatch(/incus stop alice-container/);
    expect(stdout).toMatch(/incus stop bob-container/);
    expect(await running()).toHaveLength(3);
  });

  test('root on the host has it too, and owners have not', async () => {
    const { code, stdout } = await server.local(['resize', '--label', 'team=blue', '--cpu', '3', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      result: { outcomes: [{ user: 'alice', ok: true, result: { changes: [{ to: '3' }] } }, {}, {}] },
    });
    expect(await server.ssh(['restart', 'alice', 'bob'], { user: 'self', key: key.path })).toMatchObject({ code: 2 });
  });
});

describe('with a terminal', () => {
  test('the containers are shown, and their number is asked for once', async () => {
    const { code, stdout } = await server.ssh(['stop', '--label', 'team=blue'], { tty: true, stdin: '3\n' });
    expect(stdout).toMatch(/^alice: Running, .* of disk used\r$/m);
    expect(stdout).toMatch(/Stop a container: 3 containers\.\r\nType 3 to continue: 3\r\n/);
    expect(code).toBe(0);
    expect(await running()).toEqual([]);
  });

  test('another number changes nothing', async () => {
    const { code, stdout } = await server.ssh(['start', 'alice', 'bob'], { tty: true, stdin: 'yes\n' });
    expect(stdout).toMatch(/the number does not match; nothing was changed \(confirmation-mismatch\)/);
    expect(code).toBe(2);
    expect(await running()).toEqual([]);
  });

  test('--yes asks nothing', async () => {
    const { code, stdout } = await server.ssh(['start', 'alice', 'bob', '--yes'], { tty: true });
    expect(stdout).not.toContain('to continue');
    expect(code).toBe(0);
  });

  test('delete takes the number for all', async () => {
    const { code, stdout } = await server.ssh(['delete', 'bob', 'dan'], { tty: true, stdin: '2\n' });
    expect(stdout).toContain('"trash restore" brings it back');
    expect(code).toBe(0);
    expect((await server.ssh(['list', '--format', 'csv', '--columns', 'user'])).stdout.trim()).toBe('user\nalice');
  });
});
