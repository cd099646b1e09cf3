/** Clients that nobody here wrote, with the commands of the README of the original and of docs/remote.md. */
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { startRemoteServer, type RemoteTestServer } from '../support/remote/server.ts';
import { goTool, missingTools, pythonWithGrpc } from '../support/remote/tools.ts';
import { repository, temporaryFolder } from '../support/server.ts';

const missing = await missingTools();
if (missing !== undefined) console.log(`Skipped: ${missing}`);

let house: RemoteTestServer;
let key: TestKey;

beforeAll(async () => {
  house = await startRemoteServer({
    config: { remote: { accessVerbs: true }, jump: { hostname: 'jump.example.org' } },
  });
  key = await makeKey(await temporaryFolder(), 'alice');
});

const certificates = (): string[] =>
  ['cacert=ca.crt', 'cert=client.crt', 'key=client.key'].flatMap((each) => {
    const [option = '', file = ''] = each.split('=');
    return [`-${option}`, join(house.certificates, file)];
  });

describe.skipIf(missing !== undefined)('grpcurl', () => {
  const grpcurl = async (method: string, request?: object): Promise<any> => {
    const { stdout } = await execa(await goTool('grpcurl'), [
      ...certificates(),
      ...(request === undefined ? [] : ['-d', JSON.stringify(request)]),
      house.address,
      ...method.split(' '),
    ]);
    return request === undefined ? stdout : (JSON.parse(stdout) as unknown);
  };
  const service = 'containarium.v1.ContainerService';

  test('lists the services by reflection', async () => {
    expect((await grpcurl('list')).split('\n')).toEqual(
      expect.arrayContaining([service, 'containarium.v1.VerbService', 'grpc.health.v1.Health']),
    );
    expect(await grpcurl(`describe ${service}.CreateContainer`)).toContain('CreateContainerRequest');
  }, 700_000);

  test('creates, reads, stops, starts and deletes a container', async () => {
    const created = await grpcurl(`${service}/CreateContainer`, {
      username: 'alice',
      ssh_keys: [key.line.trim()],
      resources: { cpu: '2', memory: '2GB', disk: '20GB' },
      labels: { team: 'blue' },
      image: 'ubuntu:24.04',
      enable_docker: true,
    });
    expect(created).toMatchObject({
      container: {
        name: 'alice-container',
        username: 'alice',
        state: 'CONTAINER_STATE_RUNNING',
        sshKeys: [key.line.trim()],
        labels: { team: 'blue' },
        dockerEnabled: true,
        resources: { cpu: '2' },
      },
      sshCommand: expect.stringMatching(/^ssh -J alice@jump\.example\.org alice@10\./),
    });
    expect(await grpcurl(`${service}/ListContainers`, { label_filter: { team: 'blue' } })).toMatchObject({
      totalCount: 1,
    });
    expect(await grpcurl(`${service}/ListContainers`, { state: 'CONTAINER_STATE_STOPPED' })).toEqual({});
    expect(await grpcurl(`${service}/GetContainer`, { username: 'alice' })).toMatchObject({
      metrics: { name: 'alice-container', processCount: expect.any(Number) },
    });
    const other = await makeKey(await temporaryFolder(), 'other');
    expect(await grpcurl(`${service}/AddSSHKey`, { username: 'alice', ssh_public_key: other.line })).toMatchObject({
      totalKeys: 2,
    });
    expect(await grpcurl(`${service}/RemoveSSHKey`, { username: 'alice', ssh_public_key: other.line })).toMatchObject({
      totalKeys: 1,
    });
    expect(await grpcurl(`${service}/StopContainer`, { username: 'alice', force: true })).toMatchObject({
      container: { state: 'CONTAINER_STATE_STOPPED' },
    });
    expect(await grpcurl(`${service}/StartContainer`, { username: 'alice' })).toMatchObject({
      container: { state: 'CONTAINER_STATE_RUNNING' },
    });
    expect(await grpcurl(`${service}/GetMetrics`, {})).toMatchObject({ metrics: [{ name: 'alice-container' }] });
    expect(await grpcurl(`${service}/GetSystemInfo`, {})).toMatchObject({ info: { containersTotal: 1 } });
    expect(await grpcurl(`${service}/DeleteContainer`, { username: 'alice', force: true })).toMatchObject({
      containerName: 'alice-container',
    });
  });

  test('gets the status and the details of a failure', async () => {
    const { stderr, exitCode } = await execa(
      await goTool('grpcurl'),
      [...certificates(), '-d', '{"username": "nobody"}', house.address, `${service}/GetContainer`],
      { reject: false },
    );
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/Code: NotFound/);
    // google.rpc.ErrorInfo as text: reflection describes it.
    expect(stderr).toMatch(/"code": *"not-found"/);
    expect(stderr).toMatch(/"why": *"no such container"/);
    expect(stderr).toMatch(/"reason": *"NOT_FOUND"/);
  });
});

describe.skipIf(missing !== undefined)('grpc_health_probe', () => {
  test('finds the server serving', async () => {
    const tls = ['-tls', '-tls-ca-cert', join(house.certificates, 'ca.crt')];
    const own = [
      ...['-tls-client-cert', join(house.certificates, 'client.crt')],
      ...['-tls-client-key', join(house.certificates, 'client.key')],
    ];
    const probe = await goTool('grpc-health-probe');
    const { stderr } = await execa(probe, ['-addr', house.address, ...tls, ...own]);
    expect(stderr).toContain('status: SERVING');
    const nobody = await execa(probe, ['-addr', house.address, ...tls], { reject: false });
    expect(nobody.exitCode).not.toBe(0);
  }, 700_000);
});

describe.skipIf(missing !== undefined)('a client in Python from the proto files', () => {
  test('creates and lists', async () => {
    const python = await pythonWithGrpc();
    const folder = await temporaryFolder();
    await execa(
      python,
      [
        ...['-m', 'grpc_tools.protoc', `-I${join(repository, 'proto')}`],
        ...[`--python_out=${folder}`, `--grpc_python_out=${folder}`, 'containarium/v1/container.proto'],
      ],
      {},
    );
    const program = `
import grpc, sys
sys.path.insert(0, ${JSON.stringify(folder)})
from containarium.v1 import container_pb2 as messages, container_pb2_grpc as services
read = lambda name: open(${JSON.stringify(house.certificates)} + '/' + name, 'rb').read()
credentials = grpc.ssl_channel_credentials(read('ca.crt'), read('client.key'), read('client.crt'))
with grpc.secure_channel(${JSON.stringify(house.address)}, credentials) as channel:
    service = services.ContainerServiceStub(channel)
    made = service.CreateContainer(messages.CreateContainerRequest(username='bob', ssh_keys=[${JSON.stringify(key.line.trim())}]))
    print(made.container.name, made.container.docker_enabled)
    print([each.username for each in service.ListContainers(messages.ListContainersRequest(username='bob')).containers])
    try:
        service.GetContainer(messages.GetContainerRequest(username='nobody'))
    except grpc.RpcError as error:
        print(error.code().name)
`;
    const { stdout } = await execa(python, ['-c', program]);
    expect(stdout.split('\n')).toEqual(['bob-container False', "['bob']", 'NOT_FOUND']);
  }, 900_000);
});

describe('openssl s_client', () => {
  const handshake = async ({ address, certificates: folder }: RemoteTestServer, ...options: string[]) =>
    execa(
      'openssl',
      [
        ...['s_client', '-connect', address, '-alpn', 'h2', '-CAfile', join(folder, 'ca.crt')],
        ...['-cert', join(folder, 'client.crt'), '-key', join(folder, 'client.key')],
        ...options,
      ],
      { input: '', reject: false, timeout: 20_000 },
    );
  const agreed = async (of: RemoteTestServer, ...options: string[]): Promise<boolean> => {
    const { exitCode, stdout } = await handshake(of, ...options);
    return exitCode === 0 && /Cipher is (?!\(NONE\))/.test(stdout);
  };

  test('verifies the server, and agrees on TLS 1.3 and h2', async () => {
    const { stdout } = await handshake(house, '-verify_return_error', '-verify_ip', '127.0.0.1');
    expect(stdout).toMatch(/Verify return code: 0 \(ok\)|Verification: OK/);
    expect(stdout).toContain('TLSv1.3');
    expect(stdout).toContain('ALPN protocol: h2');
  });

  test.each(['-tls1', '-tls1_1', '-tls1_2'])('cannot use an older version (%s)', async (option) => {
    expect(await agreed(house, option)).toBe(false);
  });

  test('can use TLS 1.2, with ciphers that keep yesterday secret, where remote.minTlsVersion is 1.2', async () => {
    const older = await startRemoteServer({ config: { remote: { minTlsVersion: '1.2' } } });
    expect(await agreed(older, '-tls1_2')).toBe(true);
    expect(await agreed(older, '-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256')).toBe(true);
    // No forward secrecy, CBC, and no encryption.
    for (const cipher of ['AES128-GCM-SHA256', 'ECDHE-RSA-AES128-SHA', 'NULL-SHA256'])
      expect(await agreed(older, '-tls1_2', '-cipher', `${cipher}:@SECLEVEL=0`), cipher).toBe(false);
    expect(await agreed(older, '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0')).toBe(false);
    expect(await older.remote(['version'])).toMatchObject({ code: 0 });
  });
});
