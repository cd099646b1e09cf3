/**
 * The attackers of the soak test: outsiders without a key, and an owner who floods after login. They run in a process
 * of their own and connect from other addresses of the loopback network. Each kind of attack repeats as fast as the
 * server answers, until its time is over.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { anySource } from '../support/front.ts';
import { boolean, ed25519Signer, message, RawClient, string, uint32 } from '../support/rawClient.ts';
import type { TestKey } from '../support/keys.ts';

export type Order = { readonly do: 'attack'; readonly port: number; readonly ownerKey: string; readonly ms: number };

/** Number of completed attacks of each kind. */
export type AttackCounts = Readonly<Record<string, number>>;

/** Number of half-open connections that are held at a time. */
const maxHalfOpen = 150;

function keyAt(path: string): TestKey {
  const line = readFileSync(`${path}.pub`, 'utf8');
  const [type = '', base64 = ''] = line.split(' ');
  return {
    path,
    line,
    type,
    blob: Buffer.from(base64, 'base64'),
    fingerprint: '',
    private: readFileSync(path, 'utf8'),
  };
}

function open(port: number): Socket {
  return connect({ port, host: '127.0.0.1', localAddress: anySource() })
    .on('error', () => undefined)
    .resume();
}

async function attack({ port, ownerKey, ms }: Order): Promise<AttackCounts> {
  const key = keyAt(ownerKey);
  const until = performance.now() + ms;
  const counts: Record<string, number> = {};
  const kinds: Record<string, (i: number) => Promise<void>> = {
    'half-open connections': async (i) => {
      const socket = open(port);
      if (i % 2 === 0) socket.write('SSH-2.0-slow\r\n');
      held.push(socket);
      if (held.length > maxHalfOpen) held.shift()?.destroy();
      await pause(5);
    },
    garbage: async (i) => {
      const socket = open(port);
      socket.end(
        i % 2 === 0 ? 'GET / HTTP/1.1\r\n\r\n' : Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), Buffer.alloc(200, i)]),
      );
      await once(socket, 'close');
    },
    'failed logins': async (i) => {
      const client = await RawClient.connect(port, anySource());
      await client.requestAuthentication();
      for (let n = 0; n < 4; n++)
        await client.tryLogin(i % 2 === 0 ? 'root' : 'manage', 'password', boolean(false), string('guess'));
      client.destroy();
    },
    'disconnects in the middle': async (i) => {
      if (i % 3 === 0) {
        const socket = open(port);
        socket.write('SSH-2.0-hasty\r\n');
        await pause(i % 7);
        socket.resetAndDestroy();
        return;
      }
      const client = await RawClient.connect(port, anySource());
      client.send(message.serviceRequest, string('ssh-userauth'));
      if (i % 3 === 1) await client.tryKey('self', 'ssh-ed25519', key.blob, ed25519Signer(key));
      client.send(message.channelOpen, string('session'), uint32(0), uint32(2 ** 21), uint32(32_768));
      client.send(
        message.channelRequest,
        uint32(0),
        string(i % 2 === 0 ? 'exec' : 'shell'),
        boolean(true),
        string('info'),
      );
      await pause(i % 11);
      client.socket.resetAndDestroy();
    },
    'channel floods': async () => {
      const client = await RawClient.login(port, key, 'self', anySource());
      for (let id = 0; id < 1000 && !client.closed; id++) {
        client.send(
          message.channelOpen,
          string(id % 3 === 0 ? 'session' : 'x'),
          uint32(id),
          uint32(2 ** 21),
          uint32(id % 100 === 99 ? 16 : 32_768),
        );
        if (id % 50 === 49) await client.changes(50);
      }
      client.destroy();
    },
    'answers that are not read': async () => {
      const client = await RawClient.login(port, key, 'self', anySource());
      client.socket.pause();
      for (let n = 0; n < 3000 && !client.socket.writableNeedDrain; n++)
        client.send(message.globalRequest, string('x'), boolean(true));
      await pause(500);
      client.destroy();
    },
    'command floods': async (i) => {
      const client = await RawClient.login(port, key, 'self', anySource());
      for (let id = 0; id < 9; id++) {
        client.send(message.channelOpen, string('session'), uint32(id), uint32(2 ** 21), uint32(32_768));
        client.send(
          message.channelRequest,
          uint32(id),
          string('exec'),
          boolean(true),
          string(i % 2 === 0 ? 'help --json' : `info ${'x'.repeat(5000)}`),
        );
      }
      await pause(50);
      client.destroy();
    },
  };
  const held: Socket[] = [];
  await Promise.all(
    Object.entries(kinds).map(async ([name, strike]) => {
      counts[name] = 0;
      for (let i = 0; performance.now() < until; i++) {
        // A refused attacker waits and tries again.
        await strike(i).then(
          () => (counts[name] = (counts[name] ?? 0) + 1),
          () => pause(20),
        );
      }
    }),
  );
  for (const socket of held) socket.destroy();
  return counts;
}

process.on('message', (order: Order) => {
  attack(order).then(
    (answer) => process.send?.({ answer }),
    (error: unknown) =>
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
