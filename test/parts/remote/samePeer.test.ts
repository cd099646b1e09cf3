/** Two connections from one address and port, to two addresses of the host. gRPC cannot tell them apart. */
import { connect, Server, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Gate } from '../../../src/admission/gate.ts';
import { Refusals } from '../../../src/admission/refusals.ts';
import type { Actor } from '../../../src/domain/access/actor.ts';
import { Connections } from '../../../src/remote/connections/connections.ts';
import { eventually } from '../../support/eventually.ts';
import { closed } from '../../support/remote/http2.ts';

let port: number;
let connections: Connections;
let served: Socket[];
const clients: Socket[] = [];
let logins: { readonly actor: Actor; readonly end: (reason: string) => void }[];

beforeEach(async () => {
  served = [];
  logins = [];
  const pendingLogins = { start: 100, ratePercent: 30, full: 300, perSource: 30 };
  const penalties = {
    failedLoginMs: 5000,
    noLoginMs: 1000,
    lateMs: 10_000,
    violationMs: 20_000,
    minMs: 15_000,
    maxMs: 600_000,
    maxSources: 100,
    overflow: 'permissive' as const,
    exempt: ['127.0.0.0/8'],
  };
  connections = new Connections({
    start: {
      minTlsVersion: '1.3',
      limits: { handshakeMs: 20_000, maxConnections: 100, maxConnectionsPerSource: 100, pendingLogins, penalties },
    } as never,
    gate: new Gate({ pendingLogins, penalties, onPenalty: () => undefined }),
    refusals: new Refusals({ send: () => undefined }),
    logins: {
      insecure: (address, end) => {
        const actor: Actor = { name: `admin${logins.length}`, role: 'admin', entryPoint: 'remote', address };
        logins.push({ actor, end });
        return Promise.resolve(actor);
      },
      certify: () => Promise.reject(new Error('there is no TLS')),
      logout: () => undefined,
    },
    serve: (socket) => served.push(socket),
  });
  // Every address of this host, in place of a descriptor of core.
  const listen = vi.spyOn(Server.prototype, 'listen');
  listen.mockImplementationOnce(function (this: Server, _fd: unknown, done: unknown) {
    listen.mockRestore();
    return this.listen(0, '0.0.0.0', () => {
      port = (this.address() as AddressInfo).port;
      (done as () => void)();
    });
  } as never);
  await connections.listen(0);
});

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  connections.destroy();
  connections.close();
});

/** Connects to an address of this host, from a port if one is given. */
function client(host: string, localPort?: number): Socket {
  const from = localPort === undefined ? {} : { localPort };
  const socket = connect({ host, port, localAddress: '127.0.0.1', ...from });
  clients.push(socket.on('error', () => undefined).resume());
  return socket;
}

test('a second connection from the address and port of an open one is refused, and takes no login from it', async () => {
  const first = client('127.0.0.1');
  await eventually(() => served[0], 'the first connection');
  const peer = `127.0.0.1:${first.localPort}`;
  const second = client('127.0.0.2', first.localPort);
  await closed(second);
  expect(logins).toHaveLength(1);
  expect(connections.caller(peer)).toEqual({ actor: logins[0]?.actor });
  expect(first.destroyed).toBe(false);

  const gone = closed(first);
  first.destroy();
  await gone;
  await eventually(
    () => (connections.caller(peer) === undefined ? true : undefined),
    'the end of the first connection',
  );
  client('127.0.0.2', Number(peer.split(':')[1]));
  await eventually(() => served[1], 'a connection from the port that is free again');
  expect(connections.caller(peer)).toEqual({ actor: logins[1]?.actor });

  // The end of the first login, told late, is not that of the second.
  logins[0]?.end('it was removed');
  expect(connections.caller(peer)).toEqual({ actor: logins[1]?.actor });
});
