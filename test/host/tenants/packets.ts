/** Attacks with packets that the host handles for others: errors about their connections, and fragments. */
import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { run } from '../../../src/prepare/programs.ts';
import { withoutGuard } from './guards.ts';
import { attack, served, service, startAttack, type House } from './house.ts';

/** Returns what a connection of the host to a machine in its network is told while Alice sends errors about it. */
async function errorsAbout(house: House): Promise<{ readonly codes: readonly string[]; readonly route: string }> {
  const { lan, alice, bridgeMac } = house;
  const socket = createSocket('udp4');
  const codes: string[] = [];
  socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => codes.push(code));
  try {
    socket.connect(lan.port, lan.neighbour);
    await once(socket, 'connect');
    const { address, port } = socket.address();
    const attacking = startAttack(house, alice, 'icmp-error', [
      ...[bridgeMac, alice.address, address, port, lan.neighbour, lan.port],
      ...[3, 10],
    ]);
    let ended = false;
    void attacking.ended.then(() => (ended = true));
    while (!ended) {
      // Ten datagrams a second, as many as errors of each kind: each takes the error before it.
      socket.send('data', (error) => error === null || codes.push((error as NodeJS.ErrnoException).code ?? ''));
      await setTimeout(100);
    }
    expect((await attacking.report()).sent).toBeGreaterThan(20);
    const { stdout } = await run('ip', ['route', 'get', lan.neighbour]);
    return { codes, route: stdout };
  } finally {
    socket.close();
    await run('ip', ['route', 'flush', 'cache']);
  }
}

/** Returns how many packets the host waits for the rest of, while Alice sends fragments without it. */
async function waitingFragments(house: House): Promise<number> {
  const { alice, bridgeMac, lan } = house;
  const attacked = await attack(house, alice, 'fragments', [bridgeMac, alice.address, lan.internet, 4, 1000]);
  expect(attacked.sent).toBeGreaterThan(2000);
  return Number(/^FRAG: inuse (\d+)/m.exec(await readFile('/proc/net/sockstat', 'utf8'))?.[1]);
}

export function packetsCases(current: () => House): void {
  describe('with packets about others', () => {
    it('Alice cannot end a connection of the host, or shrink its packets, by ICMP errors about it', async () => {
      const house = current();
      const open = await withoutGuard(house, ['frames'], () => errorsAbout(house));
      // Of two errors between two datagrams the socket tells the last.
      expect(open.codes.filter((code) => ['ECONNREFUSED', 'EMSGSIZE'].includes(code))).not.toEqual([]);
      const closed = await errorsAbout(house);
      expect(closed.codes).toEqual([]);
      expect(closed.route).not.toContain('mtu 600');
      expect(await service(house)).toEqual(served);
    });

    it('Alice cannot fill the memory for fragments of the host', async () => {
      const house = current();
      // Each waits for 30 s, so the guarded attack is the first.
      expect(await waitingFragments(house)).toBeLessThan(1000);
      expect(await service(house)).toEqual(served);
      expect(await withoutGuard(house, ['frames'], () => waitingFragments(house))).toBeGreaterThan(2000);
    });
  });
}
