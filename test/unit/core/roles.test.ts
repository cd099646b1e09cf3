/** core itself refuses what a role may not do: every verb, for every role, as a message from the front. */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { PassThrough, Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { mayUse, verbNamed, verbNames } from '../../../src/catalogue/catalogue.ts';
import { Dispatcher } from '../../../src/core/calls/dispatcher.ts';
import { callPlaces } from '../../../src/core/turns/places.ts';
import { serveCalls } from '../../../src/core/entryPoints/callEndpoint.ts';
import { FrontRestarts } from '../../../src/core/processes/frontRestarts.ts';
import type { Capabilities } from '../../../src/core/calls/capabilities.ts';
import { LoginEndpoint } from '../../../src/core/entryPoints/loginEndpoint.ts';
import { Logins } from '../../../src/core/logins/logins.ts';
import { emptyDirectory } from '../../../src/domain/access/directory.ts';
import { wireString } from '../../../src/domain/keys/wire.ts';
import { connectOver, fromResponseError } from '../../../src/protocol/connection.ts';
import { messages } from '../../../src/protocol/messages.ts';
import { Failure } from '../../../src/domain/failure.ts';

function pair(): [Duplex, Duplex] {
  const [there, back] = [new PassThrough(), new PassThrough()];
  return [Duplex.from({ readable: back, writable: there }), Duplex.from({ readable: there, writable: back })];
}

interface Key {
  readonly blob: string;
  readonly private: KeyObject;
}

function makeKey(): Key {
  const { privateKey } = generateKeyPairSync('ed25519');
  const blob = Buffer.concat([
    wireString('ssh-ed25519'),
    wireString(Buffer.from(privateKey.export({ format: 'jwk' }).x ?? '', 'base64url')),
  ]);
  return { blob: blob.toString('base64'), private: privateKey };
}

function proof(key: Key, username: string): Record<string, string> {
  const sessionId = randomBytes(32);
  const data = Buffer.concat([
    wireString(sessionId),
    Buffer.from([50]),
    ...[username, 'ssh-connection', 'publickey'].map(wireString),
    Buffer.from([1]),
    wireString('ssh-ed25519'),
    wireString(Buffer.from(key.blob, 'base64')),
  ]);
  const signature = Buffer.concat([wireString('ssh-ed25519'), wireString(sign(null, data, key.private))]);
  return {
    username,
    algorithm: 'ssh-ed25519',
    blob: key.blob,
    sessionId: sessionId.toString('base64'),
    signature: signature.toString('base64'),
  };
}

const callers = [
  ['manage', 'viewer'],
  ['manage', 'operator'],
  ['manage', 'admin'],
  ['self', 'owner'],
] as const;

describe.each(callers)('a call at %s as %s', (entryPoint, role) => {
  it('is refused for every verb that the role may not use, and never reaches the capability', async () => {
    const key = makeKey();
    const fingerprint = `SHA256:${createHash('sha256').update(Buffer.from(key.blob, 'base64')).digest('base64').replace(/=+$/, '')}`;
    const logins = new Logins({ now: () => new Date() });
    const admin = role === 'owner' ? undefined : { name: 'carol', role, limits: {} };
    logins.replaceDirectory({
      ...emptyDirectory,
      identities: [
        {
          blob: key.blob,
          type: 'ssh-ed25519',
          fingerprint,
          owns: role === 'owner' ? ['alice'] : [],
          ...(admin === undefined ? {} : { admin }),
        },
      ],
    });
    const called: string[] = [];
    const recorded: unknown[] = [];
    const capabilities = Object.fromEntries(
      verbNames.map((name) => [name, () => (called.push(name), Promise.resolve({}))]),
    ) as unknown as Capabilities;
    const nothing = (): undefined => undefined;
    const dispatcher = new Dispatcher({
      journal: {
        append: (entry: object) => (recorded.push(entry), Promise.resolve({ seq: 0, hash: '' })),
        head: undefined,
      } as never,
      capabilities,
      service: { room: { begun: nothing, step: nothing, ended: nothing } } as never,
      plan: () => Promise.reject(new Error('no plan')),
      changed: () => Promise.resolve(),
      now: Date.now,
      touch: { withinMs: 0, touchedAt: nothing },
    });
    const [front, core] = pair().map((stream) => connectOver(stream as never)) as [
      ReturnType<typeof connectOver>,
      ReturnType<typeof connectOver>,
    ];
    const endpoint = new LoginEndpoint(core, 'front', logins);
    serveCalls(core, {
      places: callPlaces(),
      greeting: { version: '0', host: { kind: 'simulated', simulated: true, why: '' } },
      dispatcher,
      logins: endpoint,
      frontRestarts: new FrontRestarts(),
    });
    core.listen();
    front.listen();
    const { login = '' } = await front.sendRequest(messages.prove, {
      proof: proof(key, entryPoint),
      address: '192.0.2.1',
    } as never);
    const codeOf = async (verb: string, as = login): Promise<string> => {
      try {
        await front.sendRequest(messages.call, { id: verb, login: as, verb, input: {} });
        return 'ok';
      } catch (error) {
        return Failure.from(fromResponseError(error)).code;
      }
    };
    const forbidden = verbNames.filter((name) => name !== 'help' && !mayUse(verbNamed(name), entryPoint, role));
    for (const name of forbidden) expect([name, await codeOf(name)]).toEqual([name, 'denied']);
    expect(called).toEqual([]);
    expect(recorded).toHaveLength(forbidden.length);
    expect(await codeOf('whoami')).toBe('ok');
    expect(called).toEqual(['whoami']);
    // A made-up login, or one of another connection.
    expect(await codeOf('whoami', 'made-up')).toBe('denied');
    for (const name of ['help', 'nonsense', '__proto__', 'toString'])
      expect(await codeOf(name)).toBe('unknown-command');
    front.dispose();
    core.dispose();
  });
});
