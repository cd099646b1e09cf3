/** The remote interface on a real Incus: every call of the original's service, and the command line from elsewhere. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { call, connectClient } from '../support/remote/client.ts';
import { runRemotely } from '../support/remote/server.ts';
import { eventually, repository, temporaryFolder, type Finished } from '../support/server.ts';
import { manage } from './clients.ts';
import { freePort } from './harness/index.ts';
import { skipReason, startJumpHost, type JumpHost } from './jumpHost.ts';

describe.skipIf(skipReason !== undefined)('the remote interface on a real Incus', () => {
  let host: JumpHost;
  let address: string;
  let certificates: string;
  let folder: string;
  let key: TestKey;
  let client: Awaited<ReturnType<typeof connectClient>>;

  const remote = (words: readonly string[], stdin?: string): Promise<Finished> =>
    runRemotely(address, words, { certificates, ...(stdin === undefined ? {} : { stdin }) });
  const ask = (method: string, request: object): Promise<any> => call(client, method, request);

  beforeAll(async () => {
    const port = await freePort();
    address = `127.0.0.1:${port}`;
    host = await startJumpHost({ name: 'remote', config: { remote: { listen: address, accessVerbs: true } } });
    folder = await temporaryFolder();
    certificates = join(folder, 'certs');
    key = await makeKey(folder, 'alice');
    const made = await host.server.local([
      'cert',
      'generate',
      '--server-ip',
      '127.0.0.1',
      '--output-dir',
      certificates,
    ]);
    expect(made.code, made.stderr).toBe(0);
    await eventually(async () => ((await remote(['version'])).code === 0 ? true : undefined), 'the server listens');
    client = await connectClient(address, certificates);
    const built = await manage(host, ['image', 'build']);
    expect(built.code, built.stderr).toBe(0);
  });
  afterAll(async () => {
    client.close();
    await host.stop();
    expect(await host.incus.remains()).toEqual([]);
  });

  it('serves every call of ContainerService', async () => {
    const created = await ask('CreateContainer', {
      username: 'cxt-remy',
      ssh_keys: [key.line.trim()],
      resources: { cpu: '1', memory: '512MB', disk: '3GB' },
      labels: { team: 'blue' },
      image: 'ubuntu:24.04',
    });
    expect(created.container).toMatchObject({ name: 'cxt-remy-container', state: 'CONTAINER_STATE_RUNNING' });

    // The command of the answer, as it is, with the key of Alice.
    const config = join(folder, 'ssh');
    await writeFile(
      config,
      `StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel ERROR\nBatchMode yes\nIdentityFile ${key.path}\n`,
    );
    const [program = '', ...words] = (created.ssh_command as string).split(' ');
    expect((await execa(program, ['-F', config, ...words, 'id', '-un'])).stdout).toBe('cxt-remy');

    expect(await ask('ListContainers', { label_filter: { team: 'blue' } })).toMatchObject({ total_count: 1 });
    expect(await ask('ListContainers', { state: 'CONTAINER_STATE_STOPPED' })).toMatchObject({ total_count: 0 });
    const { container, metrics } = await ask('GetContainer', { username: 'cxt-remy' });
    expect(container).toMatchObject({ resources: { cpu: '1' }, network: { bridge: host.incus.bridge } });
    expect(container.network.mac_address).toMatch(/^[0-9a-f:]{17}$/);
    expect(metrics.memory_usage_bytes).toBeGreaterThan(1024 * 1024);
    expect(metrics.process_count).toBeGreaterThan(1);

    const other = await makeKey(folder, 'other');
    expect(await ask('AddSSHKey', { username: 'cxt-remy', ssh_public_key: other.line })).toMatchObject({
      total_keys: 2,
    });
    expect(await ask('RemoveSSHKey', { username: 'cxt-remy', ssh_public_key: other.line })).toMatchObject({
      total_keys: 1,
    });
    expect(await ask('GetMetrics', {})).toMatchObject({ metrics: [{ name: 'cxt-remy-container' }] });
    expect(await ask('GetSystemInfo', {})).toMatchObject({ info: { containers_total: 1, containers_running: 1 } });
    expect(await ask('StopContainer', { username: 'cxt-remy', force: true })).toMatchObject({
      container: { state: 'CONTAINER_STATE_STOPPED' },
    });
    expect(await ask('StartContainer', { username: 'cxt-remy' })).toMatchObject({
      container: { state: 'CONTAINER_STATE_RUNNING' },
    });
    expect(await ask('DeleteContainer', { username: 'cxt-remy', force: true })).toMatchObject({
      container_name: 'cxt-remy-container',
    });
    await expect(ask('GetContainer', { username: 'cxt-remy' })).rejects.toMatchObject({ code: 5 });
  });

  it('gives the command line from elsewhere what it gives on the host', async () => {
    const created = await remote(['create', 'cxt-ruth'], key.line);
    expect(created, created.stderr).toMatchObject({ code: 0 });
    expect(created.stderr).toMatch(/\[1\/\d\] /);
    expect((await remote(['list'])).stdout).toContain('cxt-ruth');
    const words = ['shell', 'cxt-ruth', '--server', address, '--certs-dir', certificates];
    const command = [process.execPath, join(repository, 'dist', 'main.js'), ...words].join(' ');
    // script(1) of util-linux gives it a terminal.
    const shell = await execa('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
      input: 'id -un\nexit 7\n',
      reject: false,
      timeout: 60_000,
    });
    expect(shell.stdout).toContain('cxt-ruth');
    expect(shell.exitCode).toBe(7);
    expect(await remote(['delete', 'cxt-ruth', '--yes'])).toMatchObject({ code: 0 });
  });
});
