/** Core's end of logging in, with two connections: what is logged in over one is nothing to the other. */
import { createHash } from 'node:crypto';
import { duplexPair } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { LoginEndpoint, type FrontReports, type Way } from '../../../../src/core/entryPoints/loginEndpoint.ts';
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
  logins.allow({
    ...emptyDirectory,
    identities: [carol.identity],
    invitations: [{ hash: createHash('sha256').update(token).digest('hex'), expiresAtMs: Date.now() + 60_000 }],
  });
});
afterEach(() => {
  for (const connection of open.splice(0)) connection.dispose();
});

/** A connection to core: what is at its other end, and core's part of it. */
function connect(way: Way, reports: FrontReports = {}) {
  const [mine, theirs] = duplexPair();
  const [core, peer] = [connectOver(mine), connectOver(theirs)];
  const endpoint = new LoginEndpoint(core, way, logins, reports);
  const told: unknown[] = [];
  peer.onNotification(messages.loginEnded, (what) => void told.push(what));
  core.listen();
  peer.listen();
  open.push(core, peer);
  return { core, endpoint, peer, told };
}

const proofOf = (username = 'manage') => ({ proof: prove(carol, username), address: '192.0.2.1' });

describe('a login', () => {
  it('is named, left and counted over the connection that it came in by, and over no other', async () => {
    const [front, other] = [connect('front'), connect('local')];
    const { login } = (await front.peer.sendRequest(messages.prove, proofOf())) as { login: string };
    expect(front.endpoint.identify(login)).toMatchObject({ name: 'carol', login });
    expect(() => other.endpoint.identify(login)).toThrow(denied);
    other.endpoint.shells(login, 1);
    await other.peer.sendNotification(messages.logout, { login });
    // Answered behind the notification.
    await other.peer.sendRequest(messages.local, { name: 'root' });
    expect(logins.list()).toMatchObject([{ login, shells: 0 }, { entryPoint: 'local' }]);
    front.endpoint.shells(login, 1);
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
    expect(ended).toEqual(['carol: the connection of the front ended']);
    expect(heard).toEqual([login]);
    expect(() => endpoint.identify(login)).toThrow(denied);
  });

  it('that core ends is told over its connection, with the reason', async () => {
    const { endpoint, peer, told } = connect('front');
    const { login } = (await peer.sendRequest(messages.prove, proofOf())) as { login: string };
    logins.allow(emptyDirectory);
    expect(() => endpoint.identify(login)).toThrow(denied);
    await vi.waitUntil(() => told.length > 0);
    expect(told).toEqual([{ login, reason: 'your key may not be used here any more' }]);
  });

  it("is root's over core's own socket only, and a client's over the front only", async () => {
    const reports: FrontReports = { refused: vi.fn(), useInvitation: vi.fn() };
    const [front, local] = [connect('front', reports), connect('local', reports)];
    await expect(front.peer.sendRequest(messages.local, { name: 'root' })).rejects.toThrow(/Unhandled method/);
    await expect(local.peer.sendRequest(messages.prove, proofOf())).rejects.toThrow(/Unhandled method/);
    await expect(local.peer.sendRequest(messages.useInvitation, proofOf(invitationLogin(token)))).rejects.toThrow(
      /Unhandled method/,
    );
    const refused = { counted: [{ source: '192.0.2.1', reason: 'key', count: 1, ports: [1] }], others: {} };
    await local.peer.sendNotification(messages.refusals, refused as never);
    await local.peer.sendRequest(messages.local, { name: 'root' });
    expect(reports.refused).not.toHaveBeenCalled();
    expect(reports.useInvitation).not.toHaveBeenCalled();
    expect(logins.list()).toMatchObject([{ entryPoint: 'local' }]);
  });

  it.each<[what: string, change: object]>([
    ['a name that is longer than any', { proof: { ...prove(carol, 'manage'), username: 'x'.repeat(65) } }],
    ['an address that is none', { address: 'here' }],
    ['a role', { role: 'admin' }],
    ['a signature that is longer than any', { proof: { ...prove(carol, 'manage'), signature: 'A'.repeat(8196) } }],
    [
      'the name of an algorithm that has a line feed',
      { transport: { keyExchange: 'a\nb', hostKey: 'x', cipher: 'x' } },
    ],
  ])('is none where the front says %s', async (_, change) => {
    const { peer } = connect('front');
    await expect(peer.sendRequest(messages.prove, { ...proofOf(), ...change } as never)).rejects.toMatchObject({
      data: { code: 'usage' },
    });
    expect(logins.list()).toEqual([]);
  });
});
