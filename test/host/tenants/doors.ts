/** Attacks on the host's ports, and on networks that containers have no business with. */
import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../src/prepare/programs.ts';
import { renderSshdDropIn } from '../../../src/prepare/sshdDropIn.ts';
import { startSshd, type RunningSshd } from '../harness/index.ts';
import { waitUntil } from '../harness/index.ts';
import { withoutGuard } from './guards.ts';
import { ssh } from '../clients.ts';
import { attack, startAttack, type House } from './house.ts';

/** Listens on every address of the host, as sshd on port 22 and the server on port 2222 do. */
async function openDoor(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.on('error', () => undefined).end('door\n')).listen(0, '0.0.0.0');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}

/** Returns the addresses of the machine's own interfaces, and those of this house; other tests have bridges too. */
async function hostAddresses({ host, lan }: House): Promise<string[]> {
  const { stdout } = await run('ip', ['-json', 'route', 'show', 'default']);
  const uplinks = (JSON.parse(stdout) as { dev: string }[]).map(({ dev }) => dev);
  const own = uplinks.flatMap((dev) => networkInterfaces()[dev] ?? []).filter(({ family }) => family === 'IPv4');
  return [host.incus.gateway, lan.hostAddress, ...own.map(({ address }) => address)];
}

export function doorsCases(current: () => House): void {
  describe('at the door of the host', () => {
    let door: { server: Server; port: number };
    beforeAll(async () => {
      door = await openDoor();
    });
    afterAll(() => void door.server.close());

    it('Alice reaches no port on any address of the host', async () => {
      const house = current();
      const addresses = await hostAddresses(house);
      const targets = addresses.map((address) => `${address}:${door.port}`).sort();
      const dns = `${house.host.incus.gateway}:53`;
      const attempt = () => attack(house, house.alice, 'connect', [2, ...targets, dns]);
      expect((await withoutGuard(house, ['doors'], attempt)).open).toEqual([...targets, dns].sort());
      // The DNS server of the containers is the only port of the host that answers.
      expect(await attempt()).toEqual({ open: [dns], refused: [], silent: targets });
    });

    it('Alice gets answers of DNS on the address of the bridge and on no other', async () => {
      const house = current();
      const { gateway } = house.host.incus;
      const other = house.lan.hostAddress;
      // A resolver of the host, which answers every question with itself.
      const resolver = createSocket('udp4').bind(53, other);
      await once(resolver, 'listening');
      resolver.on('message', (question, { port, address }) => {
        question.writeUInt16BE(0x8180, 2);
        resolver.send(question, port, address);
      });
      const ask = async (): Promise<string[]> => {
        const answering: string[] = [];
        for (const address of [gateway, other]) {
          const { replies } = await attack(house, house.alice, 'dns', [address, 'A:x.test']);
          if (replies[0].reply === 'answer') answering.push(address);
        }
        return answering;
      };
      try {
        expect(await withoutGuard(house, ['doors'], ask)).toEqual([gateway, other]);
        expect(await ask()).toEqual([gateway]);
      } finally {
        resolver.close();
      }
    });

    it('Alice reaches neither the metadata service nor the LAN of the host, but the internet', async () => {
      const house = current();
      const { lan } = house;
      const closed = [lan.metadata, lan.neighbour].map((address) => `${address}:${lan.port}`);
      const open = `${lan.internet}:${lan.port}`;
      const attempt = () => attack(house, house.alice, 'connect', [2, ...closed, open]);
      expect(new Set((await withoutGuard(house, ['doors'], attempt)).open)).toEqual(new Set([...closed, open]));
      expect(await attempt()).toEqual({ open: [open], refused: [], silent: [...closed].sort() });
    });

    it('Alice does not reach Bob through the host', async () => {
      const house = current();
      const { alice, bob } = house;
      const attempt = async (): Promise<string[]> => {
        const sniffing = startAttack(house, bob, 'sniff', [4, 'tenants-hairpin', 'tenants-routed']);
        await sniffing.started();
        for (const [text, ...hop] of [['tenants-hairpin'], ['tenants-routed', house.host.incus.gateway]] as const)
          await attack(house, alice, 'spoof', ['udp', alice.address, bob.address, 9, house.bridgeMac, text, ...hop]);
        return (await sniffing.report()).seen as string[];
      };
      // The kernel drops packets with a source route whatever the guard is.
      expect(await withoutGuard(house, ['doors'], attempt)).toEqual(['tenants-hairpin']);
      expect(await attempt()).toEqual([]);
    });

    it('packets of Alice in the name of Bob do not reach the host', async () => {
      const house = current();
      const { alice, bob } = house;
      const socket = createSocket('udp4').bind(0, '0.0.0.0');
      await once(socket, 'listening');
      const from: string[] = [];
      socket.on('message', (_, { address }) => from.push(address));
      const attempt = async (): Promise<string[]> => {
        from.length = 0;
        const { port } = socket.address();
        const to = [house.host.incus.gateway, port, house.bridgeMac, 'x'];
        await attack(house, alice, 'spoof', ['udp', bob.address, ...to]);
        return [...new Set(from)];
      };
      try {
        // A datagram may get lost while Incus puts its filters on or off.
        const arrives = (): Promise<boolean> => waitUntil(async () => (await attempt()).includes(bob.address), 10_000);
        expect(await withoutGuard(house, ['doors', 'addresses', 'frames'], arrives)).toBe(true);
        expect(await attempt()).toEqual([]);
        // Each of the guards suffices.
        expect(await withoutGuard(house, ['doors', 'addresses'], attempt)).toEqual([]);
        expect(await withoutGuard(house, ['doors', 'frames'], attempt)).toEqual([]);
      } finally {
        socket.close();
      }
    });

    it('half-open connections of Alice do not keep Bob from his jump account', async () => {
      const house = current();
      const { gateway } = house.host.incus;
      const crowd = async (): Promise<number> => {
        const { report, ended } = startAttack(house, house.alice, 'half-open', [gateway, door.port, 250, 1]);
        const { connected } = await report();
        await ended;
        return connected as number;
      };
      expect(await withoutGuard(house, ['doors'], crowd)).toBe(250);
      expect(await crowd()).toBe(0);
    });

    describe('from outside', () => {
      const started: RunningSshd[] = [];
      afterAll(async () => {
        for (const sshd of started) await sshd.stop();
      });

      /** Counts Bob's logins that succeed while another source holds connections without a login. */
      const loginsMeanwhile = async (house: House, dropIn: string): Promise<number> => {
        const sshd = await startSshd({ dir: house.host.incus.dir, dropIn });
        started.push(sshd);
        const held: Socket[] = [];
        let lastEvent = Date.now();
        for (let n = 0; n < 120; n += 1) {
          const socket = connect({ port: sshd.port, host: '127.0.0.1', localAddress: '127.0.0.66' });
          socket.on('error', () => undefined);
          for (const event of ['connect', 'data', 'close']) socket.on(event, () => (lastEvent = Date.now()));
          held.push(socket);
        }
        // sshd has then refused those that it refuses, and greeted the others.
        await waitUntil(() => Promise.resolve(Date.now() - lastEvent > 1000), 20_000);
        const logins = await Promise.all(
          Array.from({ length: 8 }, () =>
            ssh(house.bob.config, [
              ...['-p', `${sshd.port}`, '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
              `${house.bob.user}-jump`,
            ]),
          ),
        );
        for (const socket of held) socket.destroy();
        return logins.filter(({ stdout }) => stdout.includes('This account is currently not available')).length;
      };

      it('a crowd of connections does not keep Bob from his jump account', async () => {
        const house = current();
        const dropIn = renderSshdDropIn({ group: house.host.incus.group, authorizedKeysFolder: house.host.keysFolder });
        const without = dropIn.replaceAll(/^\s*(?:PerSource|MaxStartups).*$/gm, '');
        expect(await loginsMeanwhile(house, without)).toBeLessThan(8);
        expect(await loginsMeanwhile(house, dropIn)).toBe(8);
      });
    });
  });
}
