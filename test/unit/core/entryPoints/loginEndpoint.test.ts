/** core's end of logins, with two connections: a login made over one cannot be used over the other. */
import { createHash } from 'node:crypto';
import { duplexPair } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { LoginEndpoint, type FrontReports, type Peer } from '../../../../src/core/entryPoints/loginEndpoint.ts';
import { Logins } from '../../../../src/core/logins/logins.ts';
import { emptyDirectory } from '../../../../src/domain/access/directory.ts';
import { invitationLogin, newToken } from '../../../../src/domain/access/invitation.ts';
import { connectOver } from '../../../../src/protocol/connection.ts';
import { messages } from '../../../../src/protocol/messages.ts';
import { makeIdentity, prove } from '../../../support/proofs.ts';

const carol = makeIdentity({ admin: { name: 'carol', role: 'operator', limits: {} }, owns: [] });
const token = newToken();
const denied = expect.objectContaining({ code: 'denied' }) as Error;

let logins: Logins;
let ended: string[];
const open: MessageConnection[] = [];

beforeEach(() => {
  ended = [];
  logins = new Logins({
    now: () => new Date(),
    closed: (actor, _since, reason) => ended.push(`${actor.name}: ${reason ?? 'left'}`),
  });
  logins.replaceDirectory({
    ...emptyDirectory,
    identities: [carol.identity],
    invitations: [{ hash: createHash('sha256').update(token).digest('hex'), expiresAtMs: Date.now() + 60_000 }],
  });
});
afterEach(() => {
  for (const connection of open.splice(0)) connection.dispose();
});

/** A connection to core: both ends, core's endpoint, and the notifications of ended logins. */
function connect(kind: Peer, reports: FrontReports = {}) {
  const [mine, theirs] = duplexPair();
  const [core, peer] = [connectOver(mine), connectOver(theirs)];
  const endpoint = new LoginEndpoint(core, kind, logins, reports);
  const notified: unknown[] = [];
  peer.onNotification(messages.loginEnded, (message) => void notified.push(message));
  core.listen();
  peer.listen();
  open.push(core, peer);
  return { core, endpoint, peer, notified };
}

const proofOf = (username = 'manage') => ({ proof: prove(carol, username), address: '192.0.2.1' });

describe('a login', () => {
  it('can be used, ended and counted only over the connection on which it was made', async () => {
    const [front, other] = [connect('front'), connect('remote')];
    const { login } = (await front.peer.sendRequest(messages.prove, proofOf())) as { login: string };
    expect(front.endpoint.identify(login)).toMatchObject({ name: 'carol', login });
    expect(() => other.endpoint.identify(login)).toThrow(denied);
    other.endpoint.countShells(login, 1);
    await other.peer.sendNotification(messages.logout, { login });
    // Answered after the notification was handled.
    await expect(other.peer.sendRequest(messages.prove, proofOf())).rejects.toThrow(/Unhandled method/);
    expect(logins.list()).toMatchObject([{ login, shells: 0 }]);
    front.endpoint.countShells(login, 1);
    expect(logins.list()[0]).toMatchObject({ shells: 1 });
    await front.peer.sendNotification(messages.logout, { login });
    await vi.waitUntil(() => ended.length > 0);
    expect(ended).toEqual(['carol: left']);
    expect(() => front.endpoint.identify(login)).toThrow(denied);
  });

  it('ends with its connection', async () => {
    const { core, endpoint, peer } = connect('front');
    const heard: string[] = [];
    endpoint.onEnd((login) => heard.push(login));
    const { login } = (await peer.sendRequest(messages.prove, proofOf())) as { login: string };
    core.dispose();
    expect(ended).toEqual(['carol: the SSH server closed its connection']);
    expect(heard).toEqual([login]);
    expect(() => endpoint.identify(login)).toThrow(denied);
  });

  it('that core ends is reported over its connection, with the reason', async () => {
    const { endpoint, peer, notified } = connect('front');
    const { login } = (await peer.sendRequest(messages.prove, proofOf())) as { login: string };
    logins.replaceDirectory(emptyDirectory);
    expect(() => endpoint.identify(login)).toThrow(denied);
    await vi.waitUntil(() => notified.length > 0);
    expect(notified).toEqual([{ login, reason: 'your key is no longer accepted here' }]);
  });

  it('of a client over ssh can be made only over the front, and one with a certificate only over the remote process', async () => {
    const reports: FrontReports = { useInvitation: vi.fn() };
    const [front, remote] = [connect('front', reports), connect('remote', reports)];
    await Promise.all(
      [
        remote.peer.sendRequest(messages.prove, proofOf()),
        remote.peer.sendRequest(messages.useInvitation, proofOf(invitationLogin(token))),
        front.peer.sendRequest(messages.certify, { certificate: '', address: '192.0.2.1', tls: 'TLSv1.3' }),
        front.peer.sendRequest(messages.insecure, { address: '192.0.2.1' }),
      ].map((refused) => expect(refused).rejects.toThrow(/Unhandled method/)),
    );
    expect(reports.useInvitation).not.toHaveBeenCalled();
    expect(logins.list()).toEqual([]);
  });

  it.each<[what: string, change: object]>([
    ['a name that is too long', { proof: { ...prove(carol, 'manage'), username: 'x'.repeat(65) } }],
    ['an invalid address', { address: 'here' }],
    ['a role', { role: 'admin' }],
    ['a signature that is too long', { proof: { ...prove(carol, 'manage'), signature: 'A'.repeat(8196) } }],
    ['an algorithm name with a line feed', { transport: { keyExchange: 'a\nb', hostKey: 'x', cipher: 'x' } }],
  ])('is refused if the front sends %s', async (_, change) => {
    const { peer } = connect('front');
    await expect(peer.sendRequest(messages.prove, { ...proofOf(), ...change } as never)).rejects.toMatchObject({
      data: { code: 'usage' },
    });
    expect(logins.list()).toEqual([]);
  });
});
