/**
 * What a tenant who is root in a container can do to others, on a real Incus. Each attack runs twice: without its
 * guard, where it must succeed, and with it, where it must fail while Bob and an admin are served.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { skipReason } from './jumpHost.ts';
import { doorsCases } from './tenants/doors.ts';
import { escapesCases } from './tenants/escapes.ts';
import { framesCases } from './tenants/frames.ts';
import { result } from './clients.ts';
import { closeHouse, openHouse, served, service, type House } from './tenants/house.ts';
import { leasesCases } from './tenants/leases.ts';
import { limitsCases } from './tenants/limits.ts';
import { loginsCases } from './tenants/logins.ts';
import { packetsCases } from './tenants/packets.ts';
import { sabotageCases } from './tenants/sabotage.ts';
import { sharedIdsCases } from './tenants/sharedIds.ts';

describe.skipIf(skipReason !== undefined)('a tenant who is root in a container', () => {
  let house: House | undefined;
  const current = (): House => {
    if (house === undefined) throw new Error('the house is not open');
    return house;
  };

  beforeAll(async () => {
    house = await openHouse();
  });
  afterAll(() => closeHouse(house));

  it('leaves Bob and an admin served while there is no attack', async () => {
    expect(await service(current())).toEqual(served);
  });

  framesCases(current);
  packetsCases(current);
  doorsCases(current);
  leasesCases(current);
  sharedIdsCases(current, async () => {
    const { host, alice } = current();
    return (await result(host, ['info', alice.user])).container.status as string;
  });
  limitsCases(current);
  loginsCases(current);
  escapesCases(current);
  sabotageCases(current);
});
