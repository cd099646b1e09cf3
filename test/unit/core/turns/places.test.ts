import { describe, expect, it } from 'vitest';
import { callPlaces, loginPlaces, shellPlaces } from '../../../../src/core/turns/places.ts';

const admin = { name: 'carol', entryPoint: 'manage' } as const;
const owner = (n: number) => ({ name: `owner${n}`, entryPoint: 'self' }) as const;
const root = { name: 'root', entryPoint: 'local' } as const;
const busy = expect.objectContaining({ code: 'busy' }) as Error;

describe.each([
  { of: 'running calls', make: callPlaces, all: 1000, ofOwners: 800, perAdmin: 100, perOwner: 100 },
  { of: 'open logins', make: loginPlaces, all: 4000, ofOwners: 3000, perAdmin: 256, perOwner: 64 },
  { of: 'open shells', make: shellPlaces, all: 2000, ofOwners: 1500, perAdmin: 64, perOwner: 32 },
])('the places of $of', ({ make, all, ofOwners, perAdmin, perOwner }) => {
  it('are limited for one person over all their logins, and remain for everybody else', () => {
    const places = make();
    const leave = Array.from({ length: perOwner }, () =>
      places.take({ ...owner(1), login: String(Math.random()) } as never),
    );
    expect(() => places.take(owner(1))).toThrow(busy);
    expect(() => places.take(owner(2))).not.toThrow();
    // A place that is given back twice is one place.
    leave[0]?.();
    leave[0]?.();
    expect(() => places.take(owner(1))).not.toThrow();
    expect(() => places.take(owner(1))).toThrow(busy);
  });

  it('are kept for admins and for root, whatever all owners have together', () => {
    const places = make();
    for (let n = 0; n < ofOwners; n++) places.take(owner(n));
    expect(() => places.take(owner(ofOwners))).toThrow(busy);
    for (let n = 0; n < perAdmin; n++) places.take(admin);
    // Over ssh and the remote interface it is the same admin.
    expect(() => places.take({ ...admin, entryPoint: 'remote' })).toThrow(busy);
    for (let n = 0; n < all - ofOwners - perAdmin; n++) places.take({ ...admin, name: `admin${n}` });
    expect(() => places.take({ ...admin, name: 'erin' })).toThrow(busy);
    expect(() => places.take(root)).not.toThrow();
  });

  it('of an owner do not count for an admin of the same name', () => {
    const places = make({ all: 10, ofOwners: 8, perAdmin: 1, perOwner: 1 });
    places.take({ name: 'carol', entryPoint: 'self' });
    expect(() => places.take(admin)).not.toThrow();
  });
});
