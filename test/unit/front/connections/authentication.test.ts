/** Decisions about authentication requests as ssh2 passes them on: synchronous, and without ssh2's parser of keys. */
import { createHash, randomBytes, sign } from 'node:crypto';
import ssh2, { type AuthContext } from 'ssh2';
import { describe, expect, it, vi } from 'vitest';
import { emptyDirectory } from '../../../../src/domain/access/directory.ts';
import { newToken } from '../../../../src/domain/access/invitation.ts';
import { decide } from '../../../../src/front/connections/authentication.ts';
import { KeyIndex } from '../../../../src/identity/keyIndex.ts';
import { makeIdentity, wire, type IdentityKey } from '../../../support/proofs.ts';
import { makeSecurityKey } from '../../../support/rawClient.ts';

const carol = makeIdentity({ admin: { name: 'carol', role: 'operator', limits: {} }, owns: [] });
const token = newToken();
const fido = makeSecurityKey('ed25519', 'token');
const index = (): KeyIndex => {
  const made = new KeyIndex();
  made.replace({
    ...emptyDirectory,
    identities: [
      carol.identity,
      {
        blob: fido.blob.toString('base64'),
        type: fido.type,
        fingerprint: 'SHA256:fido',
        admin: { name: 'dave', role: 'admin', limits: { verifyRequired: true } },
        owns: [],
      },
    ],
    invitations: [{ hash: createHash('sha256').update(token).digest('hex'), expiresAtMs: Date.now() + 60_000 }],
  });
  return made;
};

const outcome = (context: object, of = index()): string => {
  const decision = decide(context as AuthContext, of, '192.0.2.7', Date.now());
  return decision.outcome === 'reject' ? decision.reason : decision.outcome;
};

/** Returns a request as ssh2 passes it on, for a key that is only offered. */
function request(username: string, { identity }: IdentityKey, more: object = {}): object {
  return {
    method: 'publickey',
    username,
    key: { algo: identity.type, data: Buffer.from(identity.blob, 'base64') },
    ...more,
  };
}

/** Returns a request with a signature by `signer`. */
function signed(username: string, key: IdentityKey, signer: IdentityKey = key): object {
  const blob = Buffer.from(key.identity.blob, 'base64');
  const data = Buffer.concat([
    wire(randomBytes(32)),
    Buffer.from([50]),
    wire(username, 'ssh-connection', 'publickey'),
    Buffer.from([1]),
    wire('ssh-ed25519', blob),
  ]);
  return request(username, key, { blob: data, signature: sign(null, data, signer.private) });
}

/** Returns a request that dave's FIDO key has signed with these flags: 1 is a touch, 4 is a verified person. */
function touched(flags: number): object {
  const data = Buffer.concat([
    wire(randomBytes(32)),
    Buffer.from([50]),
    wire('manage', 'ssh-connection', 'publickey'),
    Buffer.from([1]),
    wire(fido.type, fido.blob),
  ]);
  // ssh2 strips the name of the algorithm and the length of the signature.
  const bytes = fido.signer(flags)(data);
  return {
    method: 'publickey',
    username: 'manage',
    key: { algo: fido.type, data: fido.blob },
    blob: data,
    signature: bytes.subarray(4 + fido.type.length + 4),
  };
}

describe('a login', () => {
  it('with a known key may sign, and is accepted once it has', () => {
    expect([outcome(request('manage', carol)), outcome(signed('manage', carol))]).toEqual(['offer', 'accept']);
  });

  it('without a known key is rejected, whatever the method or the login name', () => {
    const stranger = makeIdentity({ owns: [] });
    expect(
      ['none', 'password', 'keyboard-interactive', 'hostbased'].map((method) =>
        outcome({ method, username: 'manage' }),
      ),
    ).toEqual(['method', 'method', 'method', 'method']);
    expect([
      outcome(request('manage', stranger)),
      outcome(signed('manage', stranger)),
      outcome(request('self', carol)),
      outcome(signed('x'.repeat(30_000), carol)),
    ]).toEqual(['key', 'key', 'key', 'key']);
  });

  it('signed by another key is rejected', () => {
    expect(outcome(signed('manage', carol, makeIdentity({ owns: [] })))).toBe('signature');
    expect(outcome({ ...signed('manage', carol), signature: Buffer.alloc(0) })).toBe('signature');
  });

  it('with a FIDO key needs a touch, and a verified person if verify-required is set', () => {
    expect([0, 1, 4, 5].map((flags) => outcome(touched(flags)))).toEqual([
      'signature',
      'signature',
      'signature',
      'accept',
    ]);
  });

  it('with an invitation is accepted for the first key that signs, and for no other', () => {
    const known = index();
    const [guest, other] = [makeIdentity({ owns: [] }), makeIdentity({ owns: [] })];
    const name = `invite-${token}`;
    expect([
      outcome(request(name, guest), known),
      outcome(request(name, other), known),
      outcome(signed(name, other, guest), known),
    ]).toEqual(['offer', 'offer', 'signature']);
    expect([
      outcome(signed(name, other), known),
      outcome(signed(name, guest), known),
      outcome(request(name, guest), known),
    ]).toEqual(['invited', 'key', 'key']);
  });

  it('never has its key parsed by ssh2, which takes quadratic time (L29)', () => {
    const parse = vi.spyOn(ssh2.utils, 'parseKey');
    for (const bytes of [
      '',
      '-----BEGIN RSA PRIVATE KEY-----\n'.repeat(900),
      '-----BEGIN OPENSSH PRIVATE KEY-----\n',
      `ssh-ed25519 ${'A'.repeat(20_000)}`,
    ]) {
      for (const username of ['manage', 'self', `invite-${token}`]) {
        const context = { method: 'publickey', username, key: { algo: 'ssh-ed25519', data: Buffer.from(bytes) } };
        expect([
          outcome(context),
          outcome({ ...context, blob: Buffer.alloc(40), signature: Buffer.alloc(64) }),
        ]).toEqual(['key', 'key']);
      }
    }
    for (const context of [request('manage', carol), signed('manage', carol), request(`invite-${token}`, carol)])
      outcome(context);
    expect(parse).not.toHaveBeenCalled();
  });
});
