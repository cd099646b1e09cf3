/** Who may log in, as whom, and how soon a removed key loses its access. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { withAdmins } from '../support/admins.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { boolean, ed25519Signer, makeSecurityKey, message, RawClient, string, stringAt } from '../support/rawClient.ts';
import { eventually, startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { twoSeconds } from '../support/twoSeconds.ts';

let server: TestServer;
let folder: string;
const keys = {} as Record<'admin' | 'viewer' | 'alice' | 'stranger' | 'leaver', TestKey>;

beforeAll(async () => {
  folder = await temporaryFolder();
  for (const name of ['admin', 'viewer', 'alice', 'stranger', 'leaver'] as const)
    keys[name] = await makeKey(folder, name);
  server = await startServer({
    config: { ssh: { maxAuthTries: 50 } },
    prepare: withAdmins([
      { name: 'admin', role: 'admin', keys: [keys.admin] },
      { name: 'viewer', role: 'viewer', keys: [keys.viewer] },
    ]),
  });
  await admin(['create', 'alice'], keys.alice.line);
});

/** Runs a command as the admin, which must succeed. */
async function admin(words: readonly string[], stdin?: string): Promise<string> {
  const { stdout, stderr, code } = await server.ssh(words, {
    key: keys.admin.path,
    ...(stdin === undefined ? {} : { stdin }),
  });
  expect(code, stderr).toBe(0);
  return stdout;
}

async function whoami(
  user: string,
  key: string,
  options: readonly string[] = [],
): Promise<{ name: string; role: string; fingerprint: string } | undefined> {
  const { stdout, stderr, code } = await server.ssh(['whoami', '--json'], { user, key, options });
  if (code === 255) {
    expect(stderr).toBe(`${user}@127.0.0.1: Permission denied (publickey).\r\n`);
    return undefined;
  }
  return (JSON.parse(stdout) as { result: { name: string; role: string; fingerprint: string } }).result;
}

describe('a login name of neither entry point', () => {
  test.each(['bogus', 'alice', 'root'])(
    'is told the two names that there are, for any other name: %s',
    async (user) => {
      const client = await RawClient.connect(server.port);
      await client.requestAuthentication();
      expect(await client.tryLogin(user, 'none')).toBe(message.userauthFailure);
      const banner = await client.take(message.userauthBanner);
      expect(stringAt(banner, 1).toString()).toBe(
        'This port knows two login names: "manage" for admins and "self" for owners of containers,\r\n' +
          `for example: ssh -p ${server.port} self@HOST. The way into a container is another port: ssh NAME-dev\r\n`,
      );
      await client.tryLogin(user, 'none');
      expect(client.received.filter(([type]) => type === message.userauthBanner)).toEqual([]);
      client.socket.destroy();
    },
  );

  test.each(['manage', 'self', `invite-${'a'.repeat(32)}`])('is not told to %s', async (user) => {
    const client = await RawClient.connect(server.port);
    await client.requestAuthentication();
    await client.tryLogin(user, 'none');
    expect(client.received.filter(([type]) => type === message.userauthBanner)).toEqual([]);
    client.socket.destroy();
  });
});

describe('authentication', () => {
  test('accepts public keys only', async () => {
    const methods: Record<string, Buffer[]> = {
      none: [],
      password: [boolean(false), string('secret')],
      'keyboard-interactive': [string(''), string('')],
      hostbased: [string('ssh-ed25519'), string(keys.admin.blob), string('localhost'), string('root'), string('')],
    };
    for (const [method, fields] of Object.entries(methods)) {
      const client = await RawClient.connect(server.port);
      await client.requestAuthentication();
      client.send(message.userauthRequest, string('manage'), string('ssh-connection'), string(method), ...fields);
      const answer = await client.take(message.userauthFailure);
      expect(stringAt(answer, 1).toString(), method).toBe('publickey');
      client.destroy();
    }
    const { exitCode, stderr } = await execa(
      'ssh',
      [
        '-o',
        'PreferredAuthentications=password,keyboard-interactive',
        ...server.sshArguments({ key: '/nonexistent', options: ['-v'] }),
        'whoami',
      ],
      { reject: false, stdin: 'ignore' },
    );
    expect(exitCode).toBe(255);
    expect(stderr).toMatch(/Authentications that can continue: publickey\s*$/m);
  });

  test('gives the same answer to an unknown login name, an unknown key, and a key at the wrong entry point', async () => {
    const pairs: [user: string, key: TestKey][] = [
      ['manage', keys.stranger],
      ['root', keys.admin],
      ['alice', keys.alice],
      ['', keys.admin],
      ['manage ', keys.admin],
      ['MANAGE', keys.admin],
      ['manage\0', keys.admin],
      ['self', keys.admin],
      ['self', keys.viewer],
      ['self', keys.stranger],
      ['manage', keys.alice],
      ['__proto__', keys.admin],
    ];
    const answers = await Promise.all(
      pairs.map(async ([user, key]) => {
        const client = await RawClient.connect(server.port);
        await client.requestAuthentication();
        client.received.length = 0;
        const offered = await client.tryKey(user, 'ssh-ed25519', key.blob);
        const signed = await client.tryKey(user, 'ssh-ed25519', key.blob, ed25519Signer(key));
        // The whole answer: message 51 with the same methods, and no other message.
        client.send(message.userauthRequest, string(user), string('ssh-connection'), string('none'));
        const last = await client.take(message.userauthFailure);
        const rest = client.received.map((packet) => packet.toString('hex'));
        client.destroy();
        return { offered, signed, last: last.toString('hex'), rest };
      }),
    );
    for (const [i, answer] of answers.entries()) expect(answer, JSON.stringify(pairs[i]?.[0])).toEqual(answers[0]);
    expect(answers[0]).toMatchObject({ offered: message.userauthFailure, signed: message.userauthFailure });
  });

  test('gives the stock client the same message for all three', async () => {
    for (const [user, key] of [
      ['manage', keys.stranger],
      ['root', keys.admin],
      ['self', keys.admin],
      ['manage', keys.alice],
    ] as const) {
      expect(await whoami(user, key.path)).toBeUndefined();
    }
  });

  test('does not let the login name change between attempts', async () => {
    const client = await RawClient.connect(server.port);
    await client.requestAuthentication();
    await client.tryKey('self', 'ssh-ed25519', keys.admin.blob);
    client.send(
      message.userauthRequest,
      string('manage'),
      string('ssh-connection'),
      string('publickey'),
      boolean(false),
      string('ssh-ed25519'),
      string(keys.admin.blob),
    );
    await client.ends();
  });
});

describe('the identity of a login', () => {
  test('is the key that signed, not the one that was offered first (stock client)', async () => {
    // The admin's public key without its private part: the client offers it, the server accepts the offer, and the
    // client cannot sign.
    const offered = join(folder, 'offered-only');
    await copyFile(`${keys.admin.path}.pub`, `${offered}.pub`);
    const options = ['-v', '-i', `${offered}.pub`];
    const { stdout, stderr } = await server.ssh(['whoami', '--json'], { key: keys.viewer.path, options });
    expect(stderr).toMatch(/Server accepts key: .*offered-only\.pub/);
    expect(JSON.parse(stdout)).toMatchObject({
      result: { name: 'viewer', role: 'viewer', fingerprint: keys.viewer.fingerprint },
    });
  });

  test('is the key that signed, not the one that was offered first (raw)', async () => {
    const client = await RawClient.connect(server.port);
    await client.requestAuthentication();
    expect(await client.tryKey('manage', 'ssh-ed25519', keys.admin.blob)).toBe(message.userauthPkOk);
    expect(await client.tryKey('manage', 'ssh-ed25519', keys.admin.blob, ed25519Signer(keys.viewer))).toBe(
      message.userauthFailure,
    );
    expect(await client.tryKey('manage', 'ssh-ed25519', keys.viewer.blob, ed25519Signer(keys.viewer))).toBe(
      message.userauthSuccess,
    );
    const channel = await client.openSession();
    expect(await client.granted(channel, 'exec', string('whoami --json'))).toBe(true);
    expect(await client.exitStatus()).toBe(0);
    expect(JSON.parse(client.output())).toMatchObject({ result: { name: 'viewer', role: 'viewer' } });
    client.destroy();
  });

  test('requires a signature over the session identifier of its own connection', async () => {
    const first = await RawClient.connect(server.port);
    const second = await RawClient.connect(server.port);
    const borrowed = (data: Buffer): Buffer =>
      ed25519Signer(keys.admin)(Buffer.concat([string(first.sessionId), data.subarray(4 + first.sessionId.length)]));
    await second.requestAuthentication();
    expect(await second.tryKey('manage', 'ssh-ed25519', keys.admin.blob, borrowed)).toBe(message.userauthFailure);
    expect(await second.tryKey('manage', 'ssh-ed25519', keys.admin.blob, ed25519Signer(keys.admin))).toBe(
      message.userauthSuccess,
    );
    first.destroy();
    second.destroy();
  });

  test("depends on the entry point for a key that is both an admin's and an owner's", async () => {
    await admin(['create', 'both'], keys.viewer.line);
    expect(await whoami('manage', keys.viewer.path)).toMatchObject({ name: 'viewer', role: 'viewer' });
    expect(await whoami('self', keys.viewer.path)).toMatchObject({ name: 'both', role: 'owner' });
    await admin(['delete', 'both', '--yes']);
    expect(await whoami('self', keys.viewer.path)).toBeUndefined();
    expect(await whoami('manage', keys.viewer.path)).toMatchObject({ name: 'viewer' });
  });

  test('is recorded in the journal with its fingerprint and address', async () => {
    await server.ssh(['list'], { key: keys.viewer.path });
    const records = JSON.parse(await admin(['audit', '--actor', 'viewer', '--verb', 'list', '--json'])) as {
      result: { records: unknown[] };
    };
    expect(records.result.records.at(-1)).toMatchObject({
      actor: {
        name: 'viewer',
        role: 'viewer',
        entryPoint: 'manage',
        fingerprint: keys.viewer.fingerprint,
        address: '127.0.0.1',
      },
    });
  });
});

describe('a key', () => {
  test.each([
    ['ed25519', undefined, []],
    ['ecdsa', 256, []],
    ['ecdsa', 384, []],
    ['ecdsa', 521, []],
    ['rsa', 3072, ['-o', 'PubkeyAcceptedAlgorithms=rsa-sha2-256']],
    // The largest common size. It takes ssh-keygen a moment.
    ['rsa', 4096, ['-o', 'PubkeyAcceptedAlgorithms=rsa-sha2-512']],
  ])('of type %s %s logs in', async (type, bits, options) => {
    const key = await makeKey(folder, `${type}-${bits ?? ''}`, { type, ...(bits === undefined ? {} : { bits }) });
    await admin(['admin', 'add', `${type}${bits ?? ''}`], key.line);
    expect(await whoami('manage', key.path, options)).toMatchObject({
      name: `${type}${bits ?? ''}`,
      fingerprint: key.fingerprint,
    });
  });

  test('of type RSA is rejected with SHA-1, when it is offered and when it signs', async () => {
    const key = await makeKey(folder, 'sha1', { type: 'rsa', bits: 3072 });
    await admin(['admin', 'add', 'sha1'], key.line);
    expect(await whoami('manage', key.path, ['-o', 'PubkeyAcceptedAlgorithms=ssh-rsa'])).toBeUndefined();
    const client = await RawClient.connect(server.port);
    await client.requestAuthentication();
    expect(await client.tryKey('manage', 'ssh-rsa', key.blob)).toBe(message.userauthFailure);
    expect(await client.tryKey('manage', 'rsa-sha2-256', key.blob)).toBe(message.userauthPkOk);
    client.destroy();
  });

  test.each(['ed25519', 'ecdsa'] as const)('of type FIDO (%s) logs in only with a touch', async (kind) => {
    const key = makeSecurityKey(kind, 'token');
    await admin(['admin', 'add', `sk-${kind}`], key.line);
    const client = await RawClient.connect(server.port);
    await client.requestAuthentication();
    expect(await client.tryKey('manage', key.type, key.blob)).toBe(message.userauthPkOk);
    for (const flags of [0x00, 0x04])
      expect(await client.tryKey('manage', key.type, key.blob, key.signer(flags)), `flags ${flags}`).toBe(
        message.userauthFailure,
      );
    const lying = (data: Buffer): Buffer => {
      // Signs without a touch and claims one afterwards.
      const signature = Buffer.from(key.signer(0)(data));
      signature[signature.length - 5] = 1;
      return signature;
    };
    expect(await client.tryKey('manage', key.type, key.blob, lying)).toBe(message.userauthFailure);
    expect(await client.tryKey('manage', key.type, key.blob, makeSecurityKey(kind, 'another').signer(1))).toBe(
      message.userauthFailure,
    );
    expect(await client.tryKey('manage', key.type, key.blob, key.signer(1))).toBe(message.userauthSuccess);
    const channel = await client.openSession();
    await client.granted(channel, 'exec', string('whoami --json'));
    await client.exitStatus();
    expect(JSON.parse(client.output())).toMatchObject({ result: { name: `sk-${kind}` } });
    client.destroy();
  });

  test('is rejected in a certificate that no CA of the server has signed', async () => {
    const ca = await makeKey(folder, 'ca');
    await admin(['admin', 'add', 'ca'], ca.line);
    const certified = await makeKey(folder, 'certified');
    await admin(['admin', 'add', 'certified'], certified.line);
    await execa('ssh-keygen', ['-q', '-s', ca.path, '-I', 'id', '-n', 'manage', `${certified.path}.pub`]);
    expect(
      await whoami('manage', certified.path, [
        '-o',
        `CertificateFile=${certified.path}-cert.pub`,
        '-o',
        'PubkeyAcceptedAlgorithms=ssh-ed25519-cert-v01@openssh.com',
      ]),
    ).toBeUndefined();
  });
});

test('the list of accepted signatures is well-formed and leaves out SHA-1', async () => {
  const { stderr } = await server.ssh(['whoami'], { key: keys.admin.path, options: ['-v'] });
  const [, list = ''] = /server-sig-algs=<(.*)>/.exec(stderr) ?? [];
  // The certificate types of the same keys have names of their own.
  const plain = list.split(',').filter((name) => !name.includes('-cert-v01@'));
  expect(
    list
      .split(',')
      .filter((name) => name.includes('-cert-v01@'))
      .sort(),
  ).toEqual(plain.map((name) => `${name.replace('@openssh.com', '')}-cert-v01@openssh.com`).sort());
  expect(plain.sort()).toEqual([
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-256',
    'rsa-sha2-512',
    'sk-ecdsa-sha2-nistp256@openssh.com',
    'sk-ssh-ed25519@openssh.com',
    'ssh-ed25519',
  ]);
});

describe('a removed key', () => {
  test('of an admin loses access at once, on open connections too', async () => {
    await admin(['admin', 'add', 'leaver'], keys.leaver.line);
    const options = { key: keys.leaver.path, shared: true };
    expect((await server.ssh(['list'], options)).code).toBe(0);
    await admin(['admin', 'remove', 'leaver']);
    expect(await whoami('manage', keys.leaver.path)).toBeUndefined();
    // The connection that was open is gone, and a new one is refused.
    expect((await server.ssh(['list'], options)).code).toBe(255);
  });

  test('of a user with two keys loses access at once, and the other key keeps it', async () => {
    await admin(['key', 'add', 'alice'], keys.leaver.line);
    const options = { user: 'self', key: keys.leaver.path, shared: true };
    expect((await server.ssh(['info'], options)).code).toBe(0);
    await admin(['key', 'remove', 'alice', keys.leaver.fingerprint]);
    expect(await whoami('self', keys.leaver.path)).toBeUndefined();
    expect((await server.ssh(['info'], options)).code).toBe(255);
    expect(await whoami('self', keys.alice.path)).toMatchObject({ name: 'alice' });
  });

  test('has its running command ended within two seconds, with the reason', async () => {
    await admin(['admin', 'add', 'leaver'], keys.leaver.line);
    const waiting = server.startSsh(['create', 'never'], { key: keys.leaver.path, openStdin: true });
    await eventually(
      async () => (await admin(['session', 'list', '--json'])).includes('leaver') || undefined,
      'the session',
    );
    await admin(['admin', 'remove', 'leaver']);
    const removedMs = performance.now();
    const { stderr, exitCode } = await waiting;
    expect(performance.now() - removedMs).toBeLessThan(await twoSeconds(server));
    // The reason is on standard error, or in the disconnect message if the command had not arrived yet.
    expect(stderr).toMatch(/(The session ends|Received disconnect from .*): your key is no longer accepted here/);
    expect(exitCode).not.toBe(0);
  });

  test('loses access at once when all keys are replaced or the container is deleted', async () => {
    await admin(['create', 'gone'], keys.leaver.line);
    expect(await whoami('self', keys.leaver.path)).toMatchObject({ name: 'gone' });
    await admin(['key', 'replace', 'gone'], keys.stranger.line);
    expect(await whoami('self', keys.leaver.path)).toBeUndefined();
    expect(await whoami('self', keys.stranger.path)).toMatchObject({ name: 'gone' });
    await admin(['delete', 'gone', '--yes']);
    expect(await whoami('self', keys.stranger.path)).toBeUndefined();
  });
});
