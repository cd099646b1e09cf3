/** What containers would share if they had the same user ids: keys, and quotas that the kernel counts by user. */
import { describe, expect, it } from 'vitest';
import { withoutGuard } from './guards.ts';
import { attack, startAttack, type House } from './house.ts';

/** A user id that no test beside this one uses in its containers. */
const uid = 54_321;

interface Findings {
  readonly secrets: readonly string[];
  readonly invalidated: number;
  readonly keysOfBob: { readonly added: number; readonly error: string };
  readonly capacityOfBob: number;
  readonly guestApi: { readonly status?: number; readonly error?: string };
  readonly statusAfterPatch: string;
}

/** Makes every attack once. They share the restarts of both containers, which take the most time. */
async function find(house: House, containerStatus: () => Promise<string>): Promise<Findings> {
  const { alice, bob } = house;
  const keys = (tenant: typeof alice, ...args: (string | number)[]): Promise<any> =>
    attack(house, tenant, 'keys', [uid, ...args]);
  await keys(bob, 'plant', 'secret-of-bob');
  const { secrets } = await keys(alice, 'steal');
  const { invalidated } = await keys(alice, 'invalidate');
  await keys(bob, 'clear');

  await keys(alice, 'exhaust', 5000);
  const keysOfBob = await keys(bob, 'exhaust', 1);
  await Promise.all([keys(alice, 'clear'), keys(bob, 'clear')]);

  // 1024 pipes of 16 pages are what one user id may have before its new pipes get less (pipe(7)).
  const holding = startAttack(house, alice, 'hold', ['pipes', 1100, 4, uid]);
  expect(await holding.report()).toMatchObject({ held: 1100 });
  const { capacity: capacityOfBob } = await attack(house, bob, 'hold', ['pipes', 1, 0, uid]);
  await holding.ended;

  const guestApi = await attack(house, alice, 'guest-api', ['PATCH', '/1.0', '{"state":"Ready"}']);
  const statusAfterPatch = await containerStatus();
  await attack(house, alice, 'guest-api', ['PATCH', '/1.0', '{"state":"Started"}']);
  return { secrets, invalidated, keysOfBob, capacityOfBob, guestApi, statusAfterPatch };
}

export function sharedIdsCases(current: () => House, statusOfAlice: () => Promise<string>): void {
  describe('with the same user id as Bob', () => {
    let asked: Promise<{ without: Findings; guarded: Findings }> | undefined;
    const findings = (): Promise<{ without: Findings; guarded: Findings }> =>
      (asked ??= (async () => {
        const house = current();
        const without = await withoutGuard(house, ['isolation'], () => find(house, statusOfAlice));
        return { without, guarded: await find(house, statusOfAlice) };
      })());

    it('Alice cannot read a key of his in the keyring of the kernel', async () => {
      const { without, guarded } = await findings();
      expect(without.secrets).toContain('secret-of-bob');
      expect(guarded.secrets).not.toContain('secret-of-bob');
    });

    it('Alice cannot invalidate a key of his', async () => {
      const { without, guarded } = await findings();
      expect(without.invalidated).toBeGreaterThan(0);
      expect(guarded.invalidated).toBe(0);
    });

    it('Alice cannot take the keys that he may have', async () => {
      const { without, guarded } = await findings();
      expect(without.keysOfBob).toEqual({ added: 0, error: 'EDQUOT' });
      expect(guarded.keysOfBob).toEqual({ added: 1, error: 'none' });
    });

    it('Alice cannot make his pipes small', async () => {
      const { without, guarded } = await findings();
      expect(without.capacityOfBob).toBeLessThan(65_536);
      expect(guarded.capacityOfBob).toBe(65_536);
    });

    it('Alice finds no guest API, through which she would change how her container is shown', async () => {
      const { without, guarded } = await findings();
      expect(without.guestApi).toMatchObject({ status: 200 });
      // Ready is one of the states in which a container runs.
      expect(without.statusAfterPatch).toBe('running');
      expect(guarded.guestApi).toEqual({ error: 'ENOENT' });
      expect(guarded.statusAfterPatch).toBe('running');
    });
  });
}
