/** Core's own view of who is logged in: what the front says is proved, or worth nothing. */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { Logins } from '../../../src/core/logins.ts';
import type { Identity } from '../../../src/domain/actor.ts';
import { emptyDirectory } from '../../../src/domain/directory.ts';
import type { LoginProof } from '../../../src/domain/login.ts';

interface Key {
  readonly identity: Identity;
  readonly private: KeyObject;
}

function wire(...fields: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    fields.map((field) => {
      const bytes = Buffer.from(field as string);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return Buffer.concat([length, bytes]);
    }),
  );
}

function makeKey(what: Pick<Identity, 'admin' | 'owns'>): Key {
  const { privateKey } = generateKeyPairSync('ed25519');
  const blob = wire('ssh-ed25519', Buffer.from(privateKey.export({ format: 'jwk' }).x ?? '', 'base64url'));
  const fingerprint = `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
  return { identity: { blob: blob.toString('base64'), type: 'ssh-ed25519', fingerprint, ...what }, private: privateKey };
}

/** What RFC 4252, section 7 has a client sign. */
function prove(key: Key, username: string, sessionId = randomBytes(32)): LoginProof {
  const blob = Buffer.from(key.identity.blob, 'base64');
  const data = Buffer.concat([wire(sessionId), Buffer.from([50]), wire(username, 'ssh-connection', 'publickey'), Buffer.from([1]), wire('ssh-ed25519', blob)]);
  return { username, algorithm: 'ssh-ed25519', blob: key.identity.blob, sessionId: sessionId.toString('base64'), signature: wire('ssh-ed25519', sign(null, data, key.private)).toString('base64') };
}

const told: [login: string, reason: string][] = [];
const front = { ended: (login: string, reason: string): unknown => told.push([login, reason]) };
const ended: string[] = [];
let logins: Logins;
let carol: Key;
let alice: Key;

function allow(identities: readonly Identity[]): void {
  logins.allow({ ...emptyDirectory, identities });
}

beforeEach(() => {
  told.length = 0;
  ended.length = 0;
  carol = makeKey({ admin: { name: 'carol', role: 'operator', limits: {} }, owns: [] });
  alice = makeKey({ owns: ['alice'] });
  logins = new Logins({ now: () => new Date(), closed: (actor, _since, reason) => ended.push(`${actor.name}: ${reason ?? 'left'}`) });
  allow([carol.identity, alice.identity]);
});

const denied = expect.objectContaining({ code: 'denied' }) as Error;

describe('a proof', () => {
  it('lets in whoever holds the key, with what it may do here', () => {
    const actor = logins.prove(prove(carol, 'manage'), '192.0.2.1', front);
    expect(actor).toMatchObject({ name: 'carol', role: 'operator', door: 'manage', fingerprint: carol.identity.fingerprint, address: '192.0.2.1' });
    expect(logins.actor(actor.login ?? '')).toEqual(actor);
    expect(logins.prove(prove(alice, 'self'), '192.0.2.1', front)).toMatchObject({ name: 'alice', role: 'owner', door: 'self', owns: ['alice'] });
  });

  it('is good once: who has seen it cannot use it again', () => {
    const proof = prove(carol, 'manage');
    logins.prove(proof, '192.0.2.1', front);
    expect(() => logins.prove(proof, '192.0.2.1', front)).toThrow(denied);
    // 32 bytes leave four unused bits in the last digit: the same session, written differently.
    const [digits = ''] = proof.sessionId.split('=');
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.indexOf(digits.at(-1) ?? '');
    const rewritten = `${digits.slice(0, -1)}${'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'[last + 1]}=`;
    expect(Buffer.from(rewritten, 'base64')).toEqual(Buffer.from(proof.sessionId, 'base64'));
    expect(() => logins.prove({ ...proof, sessionId: rewritten }, '192.0.2.1', front)).toThrow(denied);
  });

  it.each([
    ['at another door', (proof: LoginProof) => ({ ...proof, username: 'self' })],
    ['on another connection', (proof: LoginProof) => ({ ...proof, sessionId: randomBytes(32).toString('base64') })],
    ['under another algorithm', (proof: LoginProof) => ({ ...proof, algorithm: 'rsa-sha2-512' })],
    ['without a signature', (proof: LoginProof) => ({ ...proof, signature: '' })],
    ['with another key', (proof: LoginProof) => ({ ...proof, blob: alice.identity.blob })],
    ['with a key that nobody has', (proof: LoginProof) => ({ ...proof, blob: makeKey({ owns: [] }).identity.blob })],
  ])('is none %s', (_, change) => {
    expect(() => logins.prove(change(prove(carol, 'manage')), '192.0.2.1', front)).toThrow(denied);
    expect(logins.list()).toEqual([]);
  });

  it('opens only the door that the key is for', () => {
    expect(() => logins.prove(prove(alice, 'manage'), '192.0.2.1', front)).toThrow(denied);
    expect(() => logins.prove(prove(carol, 'self'), '192.0.2.1', front)).toThrow(denied);
    expect(() => logins.prove(prove(carol, 'root'), '192.0.2.1', front)).toThrow(denied);
  });
});

describe('a login', () => {
  it.each([
    ['is taken from the list', [] as Identity[], 'your key may not be used here any more'],
    ['gets another role', [{ role: 'viewer', name: 'carol' } as const], 'your role is viewer now: log in again'],
    ['gets another name', [{ role: 'operator', name: 'dave' } as const], 'your key belongs to dave now: log in again'],
  ])('is over when its key %s', (_, after, reason) => {
    const { login = '' } = logins.prove(prove(carol, 'manage'), '192.0.2.1', front);
    allow(after.map((admin) => ({ ...carol.identity, admin: { limits: {}, ...admin } })) as Identity[]);
    expect(told).toEqual([[login, reason]]);
    expect(ended).toEqual([`carol: ${reason}`]);
    expect(() => logins.actor(login)).toThrow(denied);
  });

  it('sees containers come and go, and ends with the last', () => {
    const { login = '' } = logins.prove(prove(alice, 'self'), '192.0.2.1', front);
    allow([{ ...alice.identity, owns: ['alice', 'shared'] }]);
    expect(logins.actor(login).owns).toEqual(['alice', 'shared']);
    allow([{ ...alice.identity, owns: [] }]);
    expect(() => logins.actor(login)).toThrow(denied);
  });

  it('is kicked by its name or its person\'s, but not root on the host', () => {
    const first = logins.prove(prove(carol, 'manage'), '192.0.2.1', front);
    logins.prove(prove(carol, 'manage'), '192.0.2.2', front);
    const root = logins.local('carol', front);
    expect(logins.kick(first.login ?? '', 'maintenance')).toHaveLength(1);
    expect(logins.kick('carol', 'maintenance').map(({ address }) => address)).toEqual(['192.0.2.2']);
    expect(() => logins.kick('carol', 'maintenance')).toThrow(expect.objectContaining({ code: 'not-found' }) as Error);
    expect(logins.actor(root.login ?? '')).toMatchObject({ role: 'root', door: 'local' });
  });

  it('counts its shells', () => {
    const { login = '' } = logins.prove(prove(carol, 'manage'), '192.0.2.1', front);
    logins.shells(login, 1);
    logins.shells(login, 1);
    logins.shells(login, -1);
    expect(logins.list()).toMatchObject([{ login, name: 'carol', shells: 1 }]);
    logins.close(login);
    expect(logins.list()).toEqual([]);
    expect(told).toEqual([]);
  });
});
