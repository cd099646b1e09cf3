import { describe, expect, it } from 'vitest';
import { CallPlaces } from '../../../../src/core/entryPoints/callPlaces.ts';

const admin = { name: 'carol', entryPoint: 'manage' } as const;
const owner = (n: number) => ({ name: `owner${n}`, entryPoint: 'self' }) as const;
const busy = expect.objectContaining({ code: 'busy' }) as Error;

describe('running calls', () => {
  it('of one person are limited over all their logins, and leave places for everybody else', () => {
    const places = new CallPlaces();
    const leave = Array.from({ length: 100 }, () =>
      places.take({ ...owner(1), login: String(Math.random()) } as never),
    );
    expect(() => places.take(owner(1))).toThrow(busy);
    expect(() => places.take(owner(2))).not.toThrow();
    leave[0]?.();
    expect(() => places.take(owner(1))).not.toThrow();
  });

  it('of all owners together leave places for admins and for root', () => {
    const places = new CallPlaces();
    for (let n = 0; n < 800; n++) places.take(owner(n));
    expect(() => places.take(owner(800))).toThrow(busy);
    for (let n = 0; n < 100; n++) places.take(admin);
    expect(() => places.take({ ...admin, entryPoint: 'remote' })).toThrow(busy);
    for (let n = 0; n < 100; n++) places.take({ ...admin, name: 'dave' });
    expect(() => places.take({ ...admin, name: 'erin' })).toThrow(busy);
    expect(() => places.take({ name: 'root', entryPoint: 'local' })).not.toThrow();
  });

  it('of an owner do not count for an admin of the same name', () => {
    const places = new CallPlaces({ calls: 10, callsOfOwners: 8, callsPerPerson: 1 });
    places.take({ name: 'carol', entryPoint: 'self' });
    expect(() => places.take(admin)).not.toThrow();
  });
});
