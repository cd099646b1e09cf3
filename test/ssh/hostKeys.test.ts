/** Rotation of the host key without a warning in any client: announced (hostkeys-00@openssh.com), proved, switched. */
import { createPublicKey, verify } from 'node:crypto';
import { chmod, cp, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  listHostKeys,
  rotateHostKey,
  switchHostKey,
  type ListedHostKey,
} from '../../src/service/access/hostKeyFiles.ts';
import type { HostKeyInfo } from '../../src/domain/results/hostKeys.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { boolean, message, RawClient, string, stringAt } from '../support/rawClient.ts';
import { startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { keyscan, publicHostKey } from '../support/sshClients.ts';

let server: TestServer;
let key: TestKey;
let keys: string;

beforeAll(async () => {
  server = await startServer();
  keys = join(server.home, 'keys');
  key = await makeKey(await temporaryFolder(), 'admin');
  expect((await server.ssh(['admin', 'add', 'second'], { stdin: key.line })).code).toBe(0);
});

async function restart(): Promise<void> {
  expect(await server.stop()).toBe(0);
  await server.restart();
}

const blobOf = ({ publicKey }: Pick<ListedHostKey, 'publicKey'>): Buffer =>
  Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
const proof = 'hostkeys-prove-00@openssh.com';

/** Returns the key blobs that the server announces after the login. */
async function announced(client: RawClient): Promise<Buffer[]> {
  const packet = await client.take(message.globalRequest);
  const name = stringAt(packet, 1);
  expect(name.toString()).toBe('hostkeys-00@openssh.com');
  const at = 5 + name.length;
  expect(packet[at], 'no answer is wanted').toBe(0);
  return strings(packet.subarray(at + 1));
}

function strings(data: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < data.length; at += 4 + data.readUInt32BE(at)) found.push(stringAt(data, at));
  return found;
}

/** Asks the server to prove that it has these keys. Resolves to the packet of its answer. */
async function prove(client: RawClient, blobs: readonly Buffer[]): Promise<Buffer> {
  client.send(message.globalRequest, string(proof), boolean(true), ...blobs.map((blob) => string(blob)));
  return client.take(message.requestSuccess, message.requestFailure);
}

function isSignedBy(blob: Buffer, signature: Buffer, data: Buffer): boolean {
  const [type, point = Buffer.alloc(0)] = strings(blob);
  const [algorithm, raw = Buffer.alloc(0)] = strings(signature);
  expect(algorithm).toEqual(type);
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), point]);
  return verify(null, data, createPublicKey({ key: spki, format: 'der', type: 'spki' }), raw);
}

describe('without a rotation the server', () => {
  it('announces its only key', async () => {
    const client = await RawClient.login(server.port, key);
    expect(await announced(client)).toEqual((await listHostKeys(keys)).map(blobOf));
    client.destroy();
  });

  it('proves no key before the login', async () => {
    const client = await RawClient.connect(server.port);
    expect((await prove(client, (await listHostKeys(keys)).map(blobOf)))[0]).toBe(message.requestFailure);
    client.destroy();
  });
});

describe('a rotation', () => {
  let first: ListedHostKey;
  let next: ListedHostKey;

  it('is announced, and both keys are proved with the session identifier of the connection (PROTOCOL, section 2.5)', async () => {
    [first] = (await listHostKeys(keys)) as [ListedHostKey];
    next = await rotateHostKey(keys);
    await restart();
    const client = await RawClient.login(server.port, key);
    const blobs = await announced(client);
    expect(blobs).toEqual([blobOf(first), blobOf(next)]);
    const answer = await prove(client, blobs);
    expect(answer[0]).toBe(message.requestSuccess);
    const signatures = strings(answer.subarray(1));
    expect(signatures).toHaveLength(2);
    for (const [n, blob] of blobs.entries()) {
      const signed = Buffer.concat([string(proof), string(client.sessionId), string(blob)]);
      expect(isSignedBy(blob, signatures[n] ?? Buffer.alloc(0), signed)).toBe(true);
      expect(
        isSignedBy(
          blob,
          signatures[n] ?? Buffer.alloc(0),
          Buffer.concat([string(proof), string(Buffer.alloc(32)), string(blob)]),
        ),
      ).toBe(false);
    }
    client.destroy();
  });

  it('proves no foreign, repeated, missing or truncated key, and its own keys at most twice in a connection', async () => {
    const client = await RawClient.login(server.port, key);
    const ours = blobOf(first);
    for (const blobs of [[key.blob], [ours, key.blob]]) {
      expect((await prove(client, blobs))[0]).toBe(message.requestFailure);
    }
    client.destroy();
    const second = await RawClient.login(server.port, key);
    for (const blobs of [[ours, ours], [], [ours, ours, ours]])
      expect((await prove(second, blobs))[0]).toBe(message.requestFailure);
    second.destroy();
    const third = await RawClient.login(server.port, key);
    third.send(message.globalRequest, string(proof), boolean(true), string(ours).subarray(0, 20));
    expect((await third.take(message.requestSuccess, message.requestFailure))[0]).toBe(message.requestFailure);
    for (const expected of [message.requestSuccess, message.requestSuccess, message.requestFailure])
      expect((await prove(third, [ours]))[0]).toBe(expected);
    third.destroy();
  });

  it('teaches OpenSSH the next key, and after the switch no login warns', async () => {
    const known = join(await temporaryFolder(), 'known_hosts');
    const options = ['-o', `UserKnownHostsFile=${known}`, '-o', 'UpdateHostKeys=yes', '-o', 'HashKnownHosts=no'];
    const host = (): string => `[127.0.0.1]:${server.port}`;
    await writeFile(known, `${host()} ${first.publicKey}\n`);
    const before = await server.ssh(['whoami'], { options });
    expect(before.code, before.stderr).toBe(0);
    const learned = (await readFile(known, 'utf8')).split('\n').map((line) => line.split(' ').slice(1, 3).join(' '));
    expect(learned).toEqual(expect.arrayContaining([first.publicKey, next.publicKey]));

    await switchHostKey(keys);
    await restart();
    expect(await publicHostKey(server)).toBe(next.publicKey);
    // The port may differ after the restart, so the learned keys are copied to the new port.
    await writeFile(
      known,
      learned
        .filter((line) => line !== '')
        .map((line) => `${host()} ${line}\n`)
        .join(''),
    );
    const after = await server.ssh(['whoami'], { options });
    expect(after.code, after.stderr).toBe(0);
    expect(after.stderr).not.toMatch(/WARNING|changed/);
    // OpenSSH removes the old key.
    expect(await readFile(known, 'utf8')).not.toContain(first.publicKey);
  });
});

describe('the server', () => {
  it('does not start with a host key that others can read, and prints the next step', async () => {
    await server.stop();
    await chmod(join(keys, 'host_ed25519'), 0o644);
    const refused = await server.local(['serve'], { env: { CONTAINARIUM_LISTEN: '127.0.0.1:0' } });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/others can read it \(mode 0644\)[\s\S]*chmod 600/);
    await chmod(join(keys, 'host_ed25519'), 0o600);
    await server.restart();
  });

  it('keeps its host key across a restart', async () => {
    const before = await publicHostKey(server);
    await restart();
    expect(await publicHostKey(server)).toBe(before);
    expect(server.banner).toContain((await listHostKeys(keys))[0]?.fingerprint);
    expect(server.banner).not.toMatch(/Host key:.*, new$/m);
  });
});

describe('a restored backup', () => {
  it('has the host key, the admins and the journal of the original server', async () => {
    const original = await startServer();
    expect((await original.ssh(['admin', 'add', 'second'], { stdin: key.line })).code).toBe(0);
    expect((await original.ssh(['create', 'alice'], { stdin: key.line })).code).toBe(0);
    const fingerprint = original.banner.match(/SHA256:\S+/)?.[0];
    const head = async (of: TestServer): Promise<{ seq: number; hash: string }> => {
      const { stdout, code } = await of.local(['audit', 'verify', '--json']);
      expect(code, stdout).toBe(0);
      return (JSON.parse(stdout) as { result: { head: { seq: number; hash: string } } }).result.head;
    };
    const before = await head(original);
    expect(await original.stop()).toBe(0);
    // The backup keeps file modes and is restored to another path.
    const backup = join(await temporaryFolder(), 'backup');
    await cp(original.home, backup, { recursive: true, preserveTimestamps: true });
    const restored = await startServer({
      prepare: (home) => cp(backup, home, { recursive: true, preserveTimestamps: true }),
    });
    expect(restored.home).not.toBe(original.home);
    expect(restored.banner).toContain(fingerprint);
    expect(restored.banner).not.toMatch(/Host key:.*, new$/m);
    expect(await keyscan(restored)).toBe(await publicHostKey(original));
    expect((await stat(join(restored.home, 'keys', 'host_ed25519'))).mode & 0o777).toBe(0o600);
    // A client that knows the original connects without a question, and the journal continues where it ended.
    expect((await restored.ssh(['info', 'alice'], { key: key.path })).code).toBe(0);
    expect((await head(restored)).seq).toBeGreaterThan(before.seq);
    expect((await restored.ssh(['audit', 'export', '--limit', '1000'])).stdout).toContain(before.hash);
  });
});

describe('host-key', () => {
  const listed = async (words: readonly string[] = []): Promise<HostKeyInfo[]> => {
    const { stdout, code } = await server.ssh(['host-key', ...words, '--json']);
    expect(code).toBe(0);
    return (JSON.parse(stdout) as { result: { keys: HostKeyInfo[] } }).result.keys;
  };
  const keygen = async (...args: readonly string[]): Promise<string> => (await execa('ssh-keygen', args)).stdout;

  it('shows the key as ssh-keygen does, and a known_hosts line with which ssh connects', async () => {
    const [present, ...others] = (await listed()) as [HostKeyInfo];
    expect(others).toEqual([]);
    expect(present).toMatchObject({
      which: 'present',
      inUse: true,
      knownHosts: `[JUMP-HOST]:${server.port} ${await keyscan(server)}`,
    });
    expect(await keygen('-l', '-f', join(keys, 'host_ed25519.pub'))).toBe(
      `256 ${present.fingerprint} containarium (ED25519)`,
    );
    // An address has no DNS records, so the name in them is a placeholder.
    expect((await keygen('-r', 'JUMP-HOST', '-f', join(keys, 'host_ed25519.pub'))).split('\n')).toContain(
      present.sshfp,
    );
    const known = join(await temporaryFolder(), 'known_hosts');
    // A loopback address is no address for others, so the line names none.
    await writeFile(known, `${present.knownHosts.replace('JUMP-HOST', '127.0.0.1')}\n`);
    expect((await server.ssh(['whoami'], { options: ['-o', `UserKnownHostsFile=${known}`] })).code).toBe(0);
    expect((await server.ssh(['host-key', 'list'])).stdout).toContain(`${present.knownHosts}\n`);
  });

  it('prints the placeholder JUMP-HOST in local mode, where no host name is known', async () => {
    const { stdout, code } = await server.local(['host-key']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\[JUMP-HOST\]:\d+ ssh-ed25519 /m);
    expect(stdout).toMatch(/Replace JUMP-HOST .* jump\.hostname/);
  });

  it('rotates and switches keys with effect from the next start, and requires --yes for a switch', async () => {
    const [before] = (await listed()) as [HostKeyInfo];
    expect(await server.ssh(['host-key', 'switch', '--yes'])).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('(wrong-state)') as string,
    });

    const rotated = await server.ssh(['host-key', 'rotate']);
    expect(rotated.code).toBe(0);
    expect((await server.ssh(['host-key', 'rotate'])).code).toBe(5);
    const [, next] = (await listed()) as [HostKeyInfo, HostKeyInfo];
    expect(rotated.stdout).toContain(`${next.fingerprint} is the next host key\n`);
    expect(rotated.stdout).toContain('systemctl restart containarium');
    expect(next).toMatchObject({ which: 'next', inUse: false });
    expect(await keygen('-l', '-f', join(keys, 'host_ed25519.next.pub'))).toContain(` ${next.fingerprint} `);
    expect((await server.ssh(['host-key', 'switch'])).stderr).toMatch(/not been announced .*\(confirmation-required\)/);

    await restart();
    expect((await listed()).map(({ which, inUse }) => [which, inUse])).toEqual([
      ['present', true],
      ['next', true],
    ]);
    expect((await server.ssh(['host-key', 'switch'])).stderr).toMatch(
      /not logged in since .*\(confirmation-required\)/,
    );
    expect((await listed()).map(({ fingerprint }) => fingerprint)).toEqual([before.fingerprint, next.fingerprint]);

    expect((await server.ssh(['host-key', 'switch', '--yes'])).stdout).toContain(
      `${next.fingerprint} is now the present host key`,
    );
    expect(await listed()).toMatchObject([
      { which: 'present', fingerprint: next.fingerprint, madeAt: next.madeAt, inUse: false },
    ]);
    await restart();
    expect(await listed()).toMatchObject([{ which: 'present', fingerprint: next.fingerprint, inUse: true }]);
    expect(await publicHostKey(server)).toBe(await keyscan(server));
  });

  it('prints DNS records and known_hosts lines for the configured host name', async () => {
    await server.stop();
    await writeFile(join(server.home, 'containarium.yaml'), 'jump:\n  hostname: jump.example.org\n');
    await server.restart();
    const [{ knownHosts, sshfp }] = (await listed()) as [HostKeyInfo];
    expect(knownHosts).toBe(`[jump.example.org]:${server.port} ${await publicHostKey(server)}`);
    expect((await keygen('-r', 'jump.example.org', '-f', join(keys, 'host_ed25519.pub'))).split('\n')).toContain(sshfp);
  });
});
