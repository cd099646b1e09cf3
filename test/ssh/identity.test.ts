/** Identities: limits of keys, certificates, FIDO keys, invitations, and how soon each of them ends. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { mayUse, verbNamed, verbNames } from '../../src/catalogue/catalogue.ts';
import { withAdmins } from '../support/admins.ts';
import { certify, type CertificateOptions } from '../support/certificates.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import {
  ed25519Signer,
  makeSecurityKey,
  message,
  RawClient,
  string,
  uint32,
  type SecurityKey,
} from '../support/rawClient.ts';
import { eventually, startServer, temporaryFolder, type Finished, type TestServer } from '../support/server.ts';
import { twoSeconds } from '../support/twoSeconds.ts';
import { connectShell } from '../support/shell.ts';

let server: TestServer;
let folder: string;
const keys = {} as Record<'admin' | 'viewer' | 'operator' | 'alice' | 'ca' | 'other' | 'laptop' | 'rsa', TestKey>;

interface WhoAmI {
  readonly name: string;
  readonly role: string;
  readonly fingerprint: string;
  readonly certificate: { readonly ca: string; readonly keyId: string; readonly serial: string } | null;
  readonly containers: readonly string[];
}

beforeAll(async () => {
  folder = await temporaryFolder();
  for (const name of ['admin', 'viewer', 'operator', 'alice', 'ca', 'other', 'laptop'] as const)
    keys[name] = await makeKey(folder, name);
  keys.rsa = await makeKey(folder, 'rsa', { type: 'rsa', bits: 3072 });
  server = await startServer({
    config: { ssh: { maxAuthTries: 50, touchBeforeDeleteMs: 5000 } },
    prepare: withAdmins([
      { name: 'root-admin', role: 'admin', keys: [keys.admin] },
      { name: 'viewer', role: 'viewer', keys: [keys.viewer] },
      { name: 'operator', role: 'operator', keys: [keys.operator] },
    ]),
  });
  await admin(['create', 'alice'], keys.alice.line);
  await admin(['ca', 'add', 'office', '--for', 'manage,self'], keys.ca.line);
  await admin(['admin', 'add', 'carol', '--role', 'operator', '--certificate']);
});

function asAdmin(words: readonly string[], stdin?: string): Promise<Finished> {
  return server.ssh(words, { key: keys.admin.path, shared: true, ...(stdin === undefined ? {} : { stdin }) });
}

/** Runs a command as the admin, which must succeed. */
async function admin(words: readonly string[], stdin?: string): Promise<string> {
  const { stdout, stderr, code } = await asAdmin(words, stdin);
  expect(code, stderr).toBe(0);
  return stdout;
}

/** Runs a command with --json as the admin. Returns the document without whitespace. */
async function adminJson(words: readonly string[]): Promise<string> {
  return JSON.stringify(JSON.parse(await admin([...words, '--json'])));
}

async function whoami(user: string, key: string, options: readonly string[] = []): Promise<WhoAmI | undefined> {
  const { stdout, stderr, code } = await server.ssh(['whoami', '--json'], { user, key, options });
  if (code === 255) {
    expect(stderr).toBe(`${user}@127.0.0.1: Permission denied (publickey).\r\n`);
    return undefined;
  }
  return (JSON.parse(stdout) as { result: WhoAmI }).result;
}

/** Returns the answers to a login of a raw client: to the offer and to the signature. */
async function answers(
  user: string,
  algorithm: string,
  blob: Buffer,
  signer: (data: Buffer) => Buffer,
): Promise<{ offered: number; signed: number; client: RawClient }> {
  const client = await RawClient.connect(server.port);
  await client.requestAuthentication();
  const offered = await client.tryKey(user, algorithm, blob);
  const signed = await client.tryKey(user, algorithm, blob, signer);
  return { offered, signed, client };
}

async function run(client: RawClient, line: string): Promise<{ code: number; output: string }> {
  const channel = await client.openSession({ id: Math.floor(Math.random() * 1_000_000) });
  client.received.length = 0;
  await client.granted(channel, 'exec', string(line));
  const code = await client.exitStatus();
  client.send(message.channelClose, uint32(channel));
  return { code, output: client.output() };
}

describe('the limits of an admin key', () => {
  test.each([
    ['from="127.0.0.0/8"', true],
    ['from="10.0.0.0/8,127.0.0.1"', true],
    ['from="10.0.0.0/8"', false],
    ['from="2001:db8::/32"', false],
    ['from="127.0.0.0/8,!127.0.0.1"', false],
    ['expiry-time="20200101Z"', false],
    ['expiry-time="20991231235959Z"', true],
    ['expiry-time="209912312359",from="127.0.0.1"', true],
  ])('apply if they precede the key: %s', async (options, lets) => {
    const key = await makeKey(folder, `limited-${Math.random()}`);
    await admin(['admin', 'add', 'limited'], `${options} ${key.line}`);
    expect((await whoami('manage', key.path))?.name).toBe(lets ? 'limited' : undefined);
    await admin(['admin', 'remove', 'limited']);
  });

  test('are set by options of admin add, shown by admin list, and replaced when the key is added again', async () => {
    const key = await makeKey(folder, 'flags', { comment: 'flags@laptop' });
    await admin(
      ['admin', 'add', 'flags', '--role', 'viewer', '--from', '10.0.0.0/8,2001:db8::/32', '--expires', '2099-01-31'],
      key.line,
    );
    expect(await whoami('manage', key.path)).toBeUndefined();
    const limited = await listed('flags');
    expect(limited).toMatchObject({
      role: 'viewer',
      keys: [
        {
          comment: 'flags@laptop',
          from: '10.0.0.0/8,2001:db8::/32',
          expiresAt: '2099-01-31T00:00:00.000Z',
          lastUse: null,
        },
      ],
    });
    await admin(['admin', 'add', 'flags', '--from', '127.0.0.1'], `from="10.0.0.0/8" ${key.line}`);
    expect(await whoami('manage', key.path)).toMatchObject({ name: 'flags', role: 'viewer' });
    expect(await listed('flags')).toMatchObject({
      keys: [
        {
          from: '127.0.0.1',
          expiresAt: null,
          lastUse: { address: '127.0.0.1', at: expect.stringMatching(/^20/) as string },
        },
      ],
    });
    expect(await adminJson(['audit', '--verb', "'admin add'"])).toContain('"from":"10.0.0.0/8,2001:db8::/32"');
  });

  test.each([
    ['restrict', /"restrict".*not supported here/],
    ['no-pty', /"no-pty"/],
    ['command="id"', /"command"/],
    ['no-touch-required', /"no-touch-required"/],
    ['frm="10.0.0.0/8"', /"frm".*no such option/],
    ['from="10.0.0.0/8",restrict', /"restrict"/],
    ['from', /"from".*missing value/],
    ['verify-required="yes"', /unexpected value/],
    ['verify-required', /not a FIDO key/],
    ['from="10.0.0.0/8",from="127.0.0.1"', /given twice/],
    ['from="gate.example.com"', /host names are not supported/],
    ['from="10.*"', /patterns are not supported/],
    ['from="10.0.0.0/33"', /greater than 32/],
    ['from="!10.0.0.1"', /matches nothing/],
    ['expiry-time="20260231Z"', /not in the form/],
    ['expiry-time="tomorrow"', /not in the form/],
    ['from="10.0.0.0/8",', /not in the form|before the key type/],
  ])('are refused with the whole key if they are invalid or unsupported: %s', async (options, why) => {
    const key = await makeKey(folder, `refused-${Math.random()}`);
    const { code, stderr } = await asAdmin(['admin', 'add', 'refused'], `${options} ${key.line}`);
    expect(stderr).toMatch(why);
    expect(code).toBe(2);
    expect(await listed('refused')).toBeUndefined();
  });

  test('admit only FIDO keys that verified their user if they include verify-required', async () => {
    const key = makeSecurityKey('ed25519', 'verified');
    await admin(['admin', 'add', 'verified'], `verify-required ${key.line}`);
    expect(await answers('manage', key.type, key.blob, key.signer(1))).toMatchObject({
      offered: message.userauthPkOk,
      signed: message.userauthFailure,
    });
    expect(await answers('manage', key.type, key.blob, key.signer(4))).toMatchObject({
      signed: message.userauthFailure,
    });
    expect(await answers('manage', key.type, key.blob, key.signer(5))).toMatchObject({
      signed: message.userauthSuccess,
    });
  });

  test('are listed with the last use of the key, which survives a restart', async () => {
    const key = await makeKey(folder, 'remembered');
    await admin(['admin', 'add', 'remembered'], key.line);
    await whoami('manage', key.path);
    const before = await listed('remembered');
    expect(before).toMatchObject({ keys: [{ lastUse: { address: '127.0.0.1' } }] });
    // The server writes last uses after some seconds, and also when it stops.
    await eventually(
      async () =>
        (await readFile(join(server.home, 'state', 'last-uses.json'), 'utf8').catch(() => '')).includes(key.fingerprint)
          ? true
          : undefined,
      'the last use is on disk',
    );
    expect(await listed('remembered')).toEqual(before);
  });
});

async function listed(name: string): Promise<unknown> {
  const { result } = JSON.parse(await admin(['admin', 'list', '--json'])) as { result: { admins: { name: string }[] } };
  return result.admins.find((one) => one.name === name);
}

describe('roles', () => {
  test('are assigned to new admins by admin add, and changed only by admin role', async () => {
    const key = await makeKey(folder, 'roles');
    await admin(['admin', 'add', 'roles', '--role', 'viewer'], key.line);
    expect(await whoami('manage', key.path)).toMatchObject({ role: 'viewer' });
    const { code, stderr } = await asAdmin(['admin', 'add', 'roles', '--role', 'admin'], key.line);
    expect(code).toBe(5);
    expect(stderr).toContain('Next: "admin role roles admin" changes it');
    await admin(['admin', 'role', 'roles', 'operator']);
    expect(await whoami('manage', key.path)).toMatchObject({ role: 'operator' });
  });

  test('cannot be changed so that no admin with the role admin is left', async () => {
    const { result } = JSON.parse(await admin(['admin', 'list', '--json'])) as {
      result: { admins: { name: string; role: string }[] };
    };
    for (const { name, role } of result.admins)
      if (role === 'admin' && name !== 'root-admin') await admin(['admin', 'remove', name]);
    // An admin without keys does not count, because a valid certificate may not exist.
    await admin(['admin', 'add', 'keyless', '--certificate']);
    for (const words of [
      ['admin', 'role', 'root-admin', 'viewer'],
      ['admin', 'remove', 'root-admin'],
    ]) {
      const { code, stderr } = await asAdmin(words);
      expect(stderr).toContain('(last-admin)');
      expect(code).toBe(5);
    }
    await admin(['admin', 'remove', 'keyless']);
  });
});

/** Logs in with the stock client and a certificate of a new key. */
async function certified(
  user: string,
  wishes: CertificateOptions,
  options: { ca?: TestKey; type?: string; bits?: number; ssh?: readonly string[] } = {},
): Promise<WhoAmI | undefined> {
  const key = await makeKey(folder, `bearer-${Math.random()}`, {
    ...(options.type === undefined ? {} : { type: options.type }),
    ...(options.bits === undefined ? {} : { bits: options.bits }),
  });
  const certificate = await certify(folder, options.ca ?? keys.ca, key.line, wishes);
  return whoami(user, key.path, ['-o', `CertificateFile=${certificate.path}`, ...(options.ssh ?? [])]);
}

describe('certificates', () => {
  test('admit the named admin at manage@ with the role of that admin, and are recorded in the journal', async () => {
    const who = await certified('manage', {
      principals: ['nobody', 'carol'],
      keyId: 'carol@\u202eexample',
      serial: 42,
    });
    expect(who).toMatchObject({
      name: 'carol',
      role: 'operator',
      certificate: { ca: 'office', serial: '42', keyId: 'carol@\\u{202e}example' },
    });
    expect(await certified('manage', { principals: ['carol'], serial: 43 })).toBeDefined();
    await certifiedRun('manage', { principals: ['carol'], serial: 44 }, 'list');
    expect(await adminJson(['audit', '--actor', 'carol'])).toContain(
      '"certificate":{"ca":"office","keyId":"test id","serial":"44"}',
    );
    expect(await listed('carol')).toMatchObject({ certificate: { lastUse: { address: '127.0.0.1' } }, keys: [] });
  });

  test('admit the named user at self@ if the user has a container', async () => {
    expect(await certified('self', { principals: ['alice'] })).toMatchObject({
      name: 'alice',
      role: 'owner',
      containers: ['alice'],
    });
    expect(await certified('self', { principals: ['carol'] })).toBeUndefined();
    expect(await certified('manage', { principals: ['alice'] })).toBeUndefined();
  });

  test.each([
    ['ed25519', undefined, []],
    ['ecdsa', 256, []],
    ['ecdsa', 384, []],
    ['ecdsa', 521, []],
    ['rsa', 3072, ['-o', 'PubkeyAcceptedAlgorithms=rsa-sha2-256-cert-v01@openssh.com,rsa-sha2-256']],
    ['rsa', 3072, ['-o', 'PubkeyAcceptedAlgorithms=rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-512']],
    ['rsa', 3072, []],
  ])('of %s %s keys are accepted (%j)', async (type, bits, ssh) => {
    expect(
      await certified('manage', { principals: ['carol'] }, { type, ssh, ...(bits === undefined ? {} : { bits }) }),
    ).toMatchObject({ name: 'carol' });
  });

  test.each(['ed25519', 'ecdsa'] as const)(
    'of FIDO keys (%s) require a touch, and user verification if they say verify-required',
    async (kind) => {
      const key = makeSecurityKey(kind, 'token');
      const algorithm = key.type.replace('@openssh.com', '-cert-v01@openssh.com');
      const plain = await certify(folder, keys.ca, key.line, {
        principals: ['carol'],
        options: ['no-touch-required'],
      });
      expect(await answers('manage', algorithm, plain.blob, key.signer(0))).toMatchObject({
        offered: message.userauthPkOk,
        signed: message.userauthFailure,
      });
      expect(await answers('manage', algorithm, plain.blob, key.signer(1))).toMatchObject({
        signed: message.userauthSuccess,
      });
      const verified = await certify(folder, keys.ca, key.line, {
        principals: ['carol'],
        options: ['verify-required'],
      });
      expect(await answers('manage', algorithm, verified.blob, key.signer(1))).toMatchObject({
        signed: message.userauthFailure,
      });
      expect(await answers('manage', algorithm, verified.blob, key.signer(5))).toMatchObject({
        signed: message.userauthSuccess,
      });
    },
  );

  test.each<[string, CertificateOptions]>([
    ['that have expired', { principals: ['carol'], validity: '-2h:-1h' }],
    ['that are not valid yet', { principals: ['carol'], validity: '+1h:+2h' }],
    ['for a person who is no admin', { principals: ['dave'] }],
    ['for the login name, which is not a person', { principals: ['manage'] }],
    ['without principals', { principals: [] }],
    ['for a host', { principals: ['carol'], host: true }],
    ['with an unknown critical option', { principals: ['carol'], options: ['critical:more@example.com=x'] }],
    ['with a command', { principals: ['carol'], options: ['force-command=list'] }],
    ['for another address', { principals: ['carol'], options: ['source-address=10.0.0.0/8'] }],
    [
      'with verify-required for a key that cannot verify its user',
      { principals: ['carol'], options: ['critical:verify-required'] },
    ],
  ])('%s are rejected', async (_, wishes) => {
    expect(await certified('manage', wishes)).toBeUndefined();
  });

  test('for the address of the client are accepted', async () => {
    expect(
      await certified('manage', { principals: ['carol'], options: ['source-address=10.0.0.0/8,127.0.0.0/8'] }),
    ).toMatchObject({ name: 'carol' });
  });

  test('of an unknown CA are rejected, even if they contain the key of a known CA', async () => {
    expect(await certified('manage', { principals: ['carol'] }, { ca: keys.other })).toBeUndefined();
    // The public key of the known CA replaces that of the real signer.
    const key = await makeKey(folder, 'forger');
    const forged = await certify(folder, keys.other, key.line, { principals: ['carol'] });
    const blob = Buffer.from(forged.blob);
    blob.set(keys.ca.blob, blob.indexOf(keys.other.blob));
    expect(await answers('manage', forged.type, blob, ed25519Signer(key))).toMatchObject({
      offered: message.userauthFailure,
      signed: message.userauthFailure,
    });
  });

  test('signed with RSA are accepted with SHA-2 and rejected with SHA-1', async () => {
    await admin(['ca', 'add', 'rsa', '--for', 'manage'], keys.rsa.line);
    expect(
      await certified('manage', { principals: ['carol'], algorithm: 'ssh-rsa' }, { ca: keys.rsa }),
    ).toBeUndefined();
    expect(
      await certified('manage', { principals: ['carol'], algorithm: 'rsa-sha2-256' }, { ca: keys.rsa }),
    ).toMatchObject({ certificate: { ca: 'rsa' } });
    // This CA is trusted at manage@ only.
    expect(await certified('self', { principals: ['alice'] }, { ca: keys.rsa })).toBeUndefined();
    await admin(['ca', 'remove', 'rsa']);
    expect(await certified('manage', { principals: ['carol'] }, { ca: keys.rsa })).toBeUndefined();
  });

  test('are rejected without a signature by the key in them', async () => {
    const certificate = await certify(folder, keys.ca, keys.laptop.line, { principals: ['carol'] });
    expect(await answers('manage', certificate.type, certificate.blob, ed25519Signer(keys.other))).toMatchObject({
      offered: message.userauthPkOk,
      signed: message.userauthFailure,
    });
    // The key alone and the certificate under another algorithm are rejected too.
    expect(await answers('manage', 'ssh-ed25519', keys.laptop.blob, ed25519Signer(keys.laptop))).toMatchObject({
      offered: message.userauthFailure,
    });
    expect(await answers('manage', 'ssh-ed25519', certificate.blob, ed25519Signer(keys.laptop))).toMatchObject({
      offered: message.userauthFailure,
    });
    expect(
      await answers('manage', 'rsa-sha2-512-cert-v01@openssh.com', certificate.blob, ed25519Signer(keys.laptop)),
    ).toMatchObject({ offered: message.userauthFailure });
  });

  test('that are revoked by serial, key id or key are rejected', async () => {
    expect(await certified('manage', { principals: ['carol'], serial: 7 })).toBeDefined();
    await admin(['ca', 'revoke', 'office', '--serial', '7']);
    expect(await certified('manage', { principals: ['carol'], serial: 7 })).toBeUndefined();
    expect(await certified('manage', { principals: ['carol'], serial: 8 })).toBeDefined();
    await admin(['ca', 'revoke', 'office', '--key-id', 'lost@laptop']);
    expect(await certified('manage', { principals: ['carol'], keyId: 'lost@laptop' })).toBeUndefined();
    const lost = await makeKey(folder, 'lost');
    const options = [
      '-o',
      `CertificateFile=${(await certify(folder, keys.ca, lost.line, { principals: ['carol'] })).path}`,
    ];
    expect(await whoami('manage', lost.path, options)).toBeDefined();
    await admin(['ca', 'revoke', 'office'], lost.line);
    expect(await whoami('manage', lost.path, options)).toBeUndefined();
    // Serial 0 would revoke all certificates without a serial.
    expect(await asAdmin(['ca', 'revoke', 'office', '--serial', '0'])).toMatchObject({ code: 2 });
  });
});

/** Runs a verb that waits for standard input until its login ends. Returns how long that took after `end`. */
async function whileWaiting(
  key: TestKey,
  options: readonly string[],
  name: string,
  end: () => Promise<unknown>,
): Promise<{ stderr: string; elapsedMs: number }> {
  const waiting = server.startSsh(['key', 'add', 'alice'], { key: key.path, options, openStdin: true });
  await eventually(
    async () => ((await adminJson(['session', 'list'])).includes(`"name":"${name}"`) ? true : undefined),
    `the session of ${name}`,
  );
  await end();
  const sinceMs = performance.now();
  const { stderr } = await waiting;
  return { stderr, elapsedMs: performance.now() - sinceMs };
}

async function certifiedRun(user: string, wishes: CertificateOptions, ...words: string[]): Promise<Finished> {
  const key = await makeKey(folder, `bearer-${Math.random()}`);
  const { path } = await certify(folder, keys.ca, key.line, wishes);
  return server.ssh(words, { user, key: key.path, options: ['-o', `CertificateFile=${path}`] });
}

describe('an open login ends within two seconds, with the reason, when', () => {
  test('the role of the admin changes', async () => {
    const key = await makeKey(folder, 'changing');
    await admin(['admin', 'add', 'changing', '--role', 'operator'], key.line);
    const { stderr, elapsedMs } = await whileWaiting(key, [], 'changing', () =>
      admin(['admin', 'role', 'changing', 'viewer']),
    );
    expect(stderr).toContain('your role is now viewer: log in again');
    expect(elapsedMs).toBeLessThan(await twoSeconds(server));
  });

  test('the key is limited to other addresses', async () => {
    const key = await makeKey(folder, 'moving');
    await admin(['admin', 'add', 'moving'], key.line);
    const { stderr, elapsedMs } = await whileWaiting(key, [], 'moving', () =>
      admin(['admin', 'add', 'moving', '--from', '10.0.0.0/8'], key.line),
    );
    expect(stderr).toContain('your key may not be used from this address');
    expect(elapsedMs).toBeLessThan(await twoSeconds(server));
    await admin(['admin', 'remove', 'moving']);
  });

  test('the key expires', async () => {
    const key = await makeKey(folder, 'expiring');
    const at = new Date(Date.now() + 6000);
    await admin(['admin', 'add', 'expiring', '--expires', at.toISOString()], key.line);
    const { stderr, elapsedMs } = await whileWaiting(
      key,
      [],
      'expiring',
      () => new Promise((resolve) => setTimeout(resolve, at.getTime() - Date.now())),
    );
    expect(stderr).toContain('your key has expired');
    expect(elapsedMs).toBeLessThan(await twoSeconds(server));
  });

  test.each<[string, CertificateOptions, () => Promise<unknown>, string]>([
    [
      'the certificate is revoked',
      { principals: ['dora'], serial: 99 },
      () => admin(['ca', 'revoke', 'office', '--serial', '99']),
      'your certificate has been revoked',
    ],
    [
      'the admin named in the certificate is removed',
      { principals: ['dora'] },
      () => admin(['admin', 'remove', 'dora']),
      'your certificate names no admin',
    ],
    [
      'the CA is removed',
      { principals: ['dora'] },
      () => admin(['ca', 'remove', 'branch']),
      'your certificate is no longer accepted here',
    ],
  ])('%s', async (_, wishes, end, reason) => {
    await admin(['admin', 'add', 'dora', '--role', 'operator', '--certificate']);
    const key = await makeKey(folder, `bearer-${Math.random()}`);
    const byBranch = reason.includes('accepted');
    if (byBranch) await admin(['ca', 'add', 'branch', '--for', 'manage'], keys.other.line);
    const { path } = await certify(folder, byBranch ? keys.other : keys.ca, key.line, wishes);
    const { stderr, elapsedMs } = await whileWaiting(
      key,
      ['-o', `CertificateFile=${path}`],
      wishes.principals?.[0] ?? '',
      end,
    );
    // The reason is in the session, or in the disconnect message if no session was open yet.
    expect(stderr).toContain(reason);
    expect(elapsedMs).toBeLessThan(await twoSeconds(server));
  });

  test('the certificate expires', async () => {
    const key = await makeKey(folder, 'short');
    await admin(['admin', 'add', 'erika', '--certificate']);
    const until = Math.floor(Date.now() / 1000) + 6;
    const stamp = (seconds: number): string => `${new Date(seconds * 1000).toISOString().replace(/[-:T]|\..*$/g, '')}Z`;
    const { path } = await certify(folder, keys.ca, key.line, {
      principals: ['erika'],
      validity: `${stamp(until - 600)}:${stamp(until)}`,
    });
    const { stderr, elapsedMs } = await whileWaiting(
      key,
      ['-o', `CertificateFile=${path}`],
      'erika',
      () => new Promise((resolve) => setTimeout(resolve, until * 1000 - Date.now())),
    );
    expect(stderr).toContain('your certificate has expired');
    expect(elapsedMs).toBeLessThan(await twoSeconds(server));
  });
});

describe('delete on a server that requires a touch for it', () => {
  let token: SecurityKey;

  beforeAll(async () => {
    token = makeSecurityKey('ed25519', 'touching');
    await admin(['admin', 'add', 'touching', '--role', 'operator'], token.line);
  });

  test('is refused for a key that cannot be touched, with the next step, and recorded as refused', async () => {
    const { code, stderr } = await asAdmin(['delete', 'alice', '--yes']);
    expect(code).toBe(4);
    expect(stderr).toMatch(/touch of a FIDO key/);
    expect(stderr).toMatch(/Next: log in again with a FIDO key/);
    expect(await adminJson(['audit', '--verb', 'delete'])).toContain('"type":"refused"');
  });

  test('is possible soon after a touch, and not later', async () => {
    const { client } = await answers('manage', token.type, token.blob, token.signer(1));
    expect(await run(client, 'delete missing-one --yes --json')).toMatchObject({ code: 3 });
    await eventually(
      async () => ((await run(client, 'delete missing-one --yes --json')).code === 4 ? true : undefined),
      'the touch is too long ago',
    );
    expect((await run(client, 'list')).code).toBe(0);
    client.destroy();
  });

  test('is possible in local mode without a touch', async () => {
    expect(await server.local(['delete', 'missing-one', '--yes'])).toMatchObject({ code: 3 });
  });
});

describe('an invitation', () => {
  async function invite(...words: string[]): Promise<string> {
    const { result } = JSON.parse(await admin([...words, '--json'])) as { result: { token: string; command: string } };
    expect(result.command).toBe(`ssh -p ${server.port} invite-${result.token}@JUMP-HOST`);
    return result.token;
  }

  test('makes the key that uses it a key of an admin with the given role', async () => {
    const key = await makeKey(folder, 'invited');
    const token = await invite('admin', 'invite', 'ivy', '--role', 'viewer');
    const { stdout, code } = await server.ssh([], { user: `invite-${token}`, key: key.path });
    expect(stdout).toContain(`Your key ${key.fingerprint} is now a key of the admin ivy.`);
    expect(code).toBe(0);
    expect(await whoami('manage', key.path)).toMatchObject({ name: 'ivy', role: 'viewer' });
  });

  test('adds a key to a container and its jump account, and prints the next step', async () => {
    const key = await makeKey(folder, 'second');
    const token = await invite('key', 'invite', 'alice');
    const { stdout, code } = await server.ssh(['whatever', 'is', 'asked'], {
      user: `invite-${token}`,
      key: key.path,
      tty: true,
    });
    expect(stdout).toContain(
      `now opens the container of alice.\r\nNext: ssh -p ${server.port} self@127.0.0.1 config\r\n`,
    );
    expect(code).toBe(0);
    expect(await whoami('self', key.path)).toMatchObject({ name: 'alice' });
    expect(await admin(['reconcile'])).toMatch(/No differences/);
  });

  test('is answered like an unknown login if it is used, misspelt or presented with a key that cannot be added', async () => {
    const key = await makeKey(folder, 'once');
    const token = await invite('key', 'invite', 'alice');
    await server.ssh([], { user: `invite-${token}`, key: key.path });
    const open = await invite('key', 'invite', 'alice');
    const short = await makeKey(folder, 'short-rsa', { type: 'rsa', bits: 2048 });
    const tries: [string, string, Buffer][] = [
      ['nobody', 'ssh-ed25519', keys.laptop.blob],
      [`invite-${token}`, 'ssh-ed25519', keys.laptop.blob],
      [`invite-${token}`, 'ssh-ed25519', key.blob],
      [`invite-${'a'.repeat(32)}`, 'ssh-ed25519', keys.laptop.blob],
      [`invite-${open}x`, 'ssh-ed25519', keys.laptop.blob],
      [`INVITE-${open}`, 'ssh-ed25519', keys.laptop.blob],
      [`invite-${open}`, 'rsa-sha2-512', short.blob],
      [`invite-${open}`, 'ssh-rsa', keys.rsa.blob],
      [`invite-${open}`, 'ssh-ed25519', Buffer.concat([keys.laptop.blob, Buffer.from([0])])],
      [`invite-${open}`, 'ssh-ed25519', keys.laptop.blob.subarray(0, 20)],
    ];
    const replies = [];
    for (const [user, algorithm, blob] of tries) {
      const client = await RawClient.connect(server.port);
      await client.requestAuthentication();
      client.received.length = 0;
      const offered = await client.tryKey(user, algorithm, blob);
      const signed = await client.tryKey(user, algorithm, blob, ed25519Signer(keys.laptop));
      replies.push({ offered, signed, rest: client.received.map((packet) => packet.toString('hex')) });
      client.destroy();
    }
    for (const [i, reply] of replies.entries())
      expect(reply, tries[i]?.[0]).toEqual({
        offered: message.userauthFailure,
        signed: message.userauthFailure,
        rest: [],
      });
    // The invitation is still open for a valid key.
    expect(await answers(`invite-${open}`, 'ssh-ed25519', keys.laptop.blob, ed25519Signer(keys.other))).toMatchObject({
      offered: message.userauthPkOk,
      signed: message.userauthFailure,
    });
  });

  test('adds one key if several clients present it at the same time', async () => {
    const token = await invite('admin', 'invite', 'racer', '--role', 'viewer');
    const racers = await Promise.all(['racer-1', 'racer-2', 'racer-3'].map((name) => makeKey(folder, name)));
    const clients = await Promise.all(
      racers.map(async (key) => {
        const client = await RawClient.connect(server.port);
        await client.requestAuthentication();
        expect(await client.tryKey(`invite-${token}`, 'ssh-ed25519', key.blob)).toBe(message.userauthPkOk);
        return client;
      }),
    );
    const signed = await Promise.all(
      clients.map((client, i) =>
        client.tryKey(
          `invite-${token}`,
          'ssh-ed25519',
          racers[i]?.blob ?? Buffer.alloc(0),
          ed25519Signer(racers[i] as TestKey),
        ),
      ),
    );
    expect(signed.sort()).toEqual([message.userauthFailure, message.userauthFailure, message.userauthSuccess]);
    await eventually(async () => ((await listed('racer')) === undefined ? undefined : true), 'the key is bound');
    expect(await listed('racer')).toMatchObject({ keys: [expect.anything()] });
    for (const client of clients) client.destroy();
  });

  test('stays open if the key belongs to another admin, and says so', async () => {
    const token = await invite('admin', 'invite', 'jack');
    const { stdout, code } = await server.ssh([], { user: `invite-${token}`, key: keys.viewer.path });
    expect(stdout).toContain('it already belongs to admin "viewer"');
    expect(code).toBe(5);
    const key = await makeKey(folder, 'jack');
    expect((await server.ssh([], { user: `invite-${token}`, key: key.path })).code).toBe(0);
    expect(await whoami('manage', key.path)).toMatchObject({ name: 'jack', role: 'admin' });
    await admin(['admin', 'remove', 'jack']);
  });

  test('is recorded with its maker and its key, and its token is stored nowhere', async () => {
    const key = await makeKey(folder, 'journaled');
    const token = await invite('admin', 'invite', 'june', '--role', 'viewer');
    const list = await admin(['invite', 'list']);
    expect(list).toMatch(/manage@ +june +viewer/);
    await server.ssh([], { user: `invite-${token}`, key: key.path });
    const records = await adminJson(['audit', '--limit', '20']);
    expect(records).toMatch(/"type":"invitation-used"[^\n]*"by":"root-admin"/);
    expect(records).toContain(key.fingerprint);
    for (const text of [
      list,
      records,
      await readFile(join(server.home, 'state', 'invitations.json'), 'utf8'),
      server.log(),
    ])
      expect(text).not.toContain(token);
  });

  test('ends when it is cancelled, after ten minutes, and with the rights of its maker', async () => {
    const cancelled = await invite('key', 'invite', 'alice');
    await admin(['invite', 'cancel', 'alice']);
    const maker = await makeKey(folder, 'maker');
    await admin(['admin', 'add', 'maker', '--role', 'operator'], maker.line);
    const { stdout } = await server.ssh(['key', 'invite', 'alice', '--json'], { key: maker.path });
    const { result } = JSON.parse(stdout) as { result: { token: string; invitation: { expiresAt: string } } };
    expect(Date.parse(result.invitation.expiresAt) - Date.now()).toBeLessThanOrEqual(600_000);
    expect(
      await answers(`invite-${result.token}`, 'ssh-ed25519', keys.laptop.blob, ed25519Signer(keys.other)),
    ).toMatchObject({ offered: message.userauthPkOk });
    await admin(['admin', 'role', 'maker', 'viewer']);
    for (const token of [cancelled, result.token]) {
      expect(
        await answers(`invite-${token}`, 'ssh-ed25519', keys.laptop.blob, ed25519Signer(keys.laptop)),
      ).toMatchObject({ offered: message.userauthFailure, signed: message.userauthFailure });
    }
  });
});

describe('a verb that a role may not use', () => {
  const callers = [
    { entryPoint: 'manage', role: 'viewer', name: 'viewer' },
    { entryPoint: 'manage', role: 'operator', name: 'operator' },
    { entryPoint: 'self', role: 'owner', name: 'alice' },
  ] as const;

  test.each(callers)('is refused as a command and in a shell: $role', async ({ entryPoint, role, name }) => {
    const forbidden = verbNames.filter((verb) => !mayUse(verbNamed(verb), entryPoint, role));
    expect(forbidden.length).toBeGreaterThan(3);
    const caller = { user: entryPoint, key: keys[name].path };
    for (const verb of forbidden) {
      const { code, stderr } = await server.ssh([verb, 'x', 'y'], { ...caller, shared: true });
      expect([verb, code]).toEqual([verb, 4]);
      expect(stderr).toContain('(denied)');
    }
    const shell = await connectShell(server, { ...caller, term: 'dumb', rows: 200 });
    await shell.shows(/^>$/m);
    for (const [i, verb] of forbidden.entries()) {
      shell.type(`${verb} x y\r`);
      await eventually(
        () => (shell.received.split(/\(denied\)/).length > i + 1 ? true : undefined),
        () => Promise.resolve(`"${verb}" is refused: ${shell.received.slice(-500)}`),
      );
    }
    shell.close();
  });
});

test('200 probes with known and unknown names and keys get the same replies', async () => {
  const names = [
    'manage',
    'self',
    'alice',
    'carol',
    'root',
    'root-admin',
    'invite-',
    `invite-${'b'.repeat(32)}`,
    'x'.repeat(65),
    '',
  ];
  const replies = new Set<string>();
  for (let round = 0; round < 20; round++) {
    const stranger = await makeKey(folder, `stranger-${round}`);
    await Promise.all(
      names.map(async (name) => {
        const client = await RawClient.connect(server.port);
        await client.requestAuthentication();
        client.received.length = 0;
        // An unknown key, or a known key at the wrong entry point.
        const key = round % 2 === 0 || name === 'self' ? stranger : keys.alice;
        client.send(
          message.userauthRequest,
          string(name),
          string('ssh-connection'),
          string('publickey'),
          Buffer.from([0]),
          string('ssh-ed25519'),
          string(key.blob),
        );
        replies.add(
          (await client.take(message.userauthFailure, message.userauthPkOk, message.disconnect)).toString('hex'),
        );
        client.destroy();
      }),
    );
  }
  expect(replies.size).toBe(1);
});
