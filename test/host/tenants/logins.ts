/** What a former right still opens: connections through the host's sshd. */
import { execa, type ResultPromise } from 'execa';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeKey } from '../../support/keys.ts';
import { eventually } from '../../support/server.ts';
import { twoSeconds } from '../../support/twoSeconds.ts';
import { result, ssh } from '../clients.ts';
import { reachesSsh, served, service, type House, type Tenant } from './house.ts';

interface Held {
  /** Resolves when the client ends. */
  readonly ended: Promise<unknown>;
  /** Reports whether a new channel opens. */
  opens(): Promise<boolean>;
  stop(): Promise<void>;
}

let number = 0;

/** Opens a connection to a jump account, which stays, and through which channels can be opened. */
async function hold({ folder }: House, { config, user, address }: Tenant, key: string): Promise<Held> {
  number += 1;
  const control = join(folder, `held-${number}`);
  const client: ResultPromise<{ reject: false; stdio: 'ignore' }> = execa(
    'ssh',
    ['-F', config, '-i', key, '-o', 'IdentitiesOnly=yes', '-M', '-S', control, '-N', `${user}-jump`],
    { reject: false, stdio: 'ignore' },
  );
  let over = false;
  const ended = client.then(() => (over = true));
  const opens = async (): Promise<boolean> => {
    const channel = execa('ssh', ['-F', 'none', '-S', control, '-W', `${address}:22`, 'any'], {
      reject: false,
      stdin: 'ignore',
      timeout: 3000,
    });
    return (await channel).stdout.startsWith('SSH-2.0-');
  };
  await eventually(async () => (over || (await opens()) ? true : undefined), 'the connection');
  return {
    ended,
    opens,
    stop: async () => {
      client.kill('SIGKILL');
      await client;
    },
  };
}

export function loginsCases(current: () => House): void {
  describe('with a right that ends', () => {
    const ends: readonly (readonly [string, (house: House, fingerprint: string) => Promise<void>])[] = [
      ['key remove', ({ host, alice }, fingerprint) => result(host, ['key', 'remove', alice.user, fingerprint])],
      ['stop', ({ host, alice }) => result(host, ['stop', alice.user])],
      ['restart', ({ host, alice }) => result(host, ['restart', alice.user])],
    ];
    it.each(ends)('a connection through the sshd of the host ends after %s', async (_verb, end) => {
      const house = current();
      const { host, alice } = house;
      const laptop = await makeKey(house.folder, `laptop-${number}`);
      await result(host, ['key', 'add', alice.user], laptop.line);
      const held = await hold(house, alice, laptop.path);
      const ofBob = await hold(house, house.bob, house.bob.key.path);
      try {
        expect(await held.opens()).toBe(true);
        const limitMs = await twoSeconds(host.server);
        await end(house, laptop.fingerprint);
        const over = await Promise.race([
          held.ended.then(() => true),
          new Promise<false>((resolve) => setTimeout(() => resolve(false), limitMs)),
        ]);
        expect(over).toBe(true);
        expect(await held.opens()).toBe(false);
        expect(await ofBob.opens()).toBe(true);
        expect(await service(house)).toEqual(served);
      } finally {
        await Promise.all([held.stop(), ofBob.stop()]);
        await host.server.ssh(['start', alice.user], { shared: true });
        await host.server.ssh(['key', 'remove', alice.user, laptop.fingerprint], { shared: true });
        await eventually(async () => ((await reachesSsh(alice)) ? true : undefined), 'Alice answers');
      }
    });

    it('a name of a tenant looks like any other on the port of sshd', async () => {
      const house = current();
      const answer = async (name: string): Promise<string> => {
        const words = ['-o', 'PubkeyAuthentication=no', '-o', `User=${name}`, `${house.bob.user}-jump`];
        return (await ssh(house.bob.config, words)).stderr.replaceAll(name, 'NAME');
      };
      const [known, unknown] = [await answer(house.bob.user), await answer('cxt-nobody')];
      expect(known).toMatch(/Permission denied/);
      expect(known).toBe(unknown);
    });
  });
}
