import { expect, it } from 'vitest';
import { parseLimitedKeys } from '../../../../src/domain/keys/keyLimits.ts';
import { failing } from '../failing.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvFzQ2dLNwO8mXGmYbYzcCrLXXeLhrOC0xKIT1YhS0Y';

it('parseLimitedKeys says where the quotation marks of an option may have been lost', () => {
  expect(parseLimitedKeys(`from="10.0.0.0/8" ${key}`)).toMatchObject([{ limits: { from: '10.0.0.0/8' } }]);
  expect(failing(() => parseLimitedKeys(`from=10.0.0.0/8 ${key}`))).toMatchObject({
    code: 'invalid-key',
    why: 'not in the form name="value",…',
    next: 'check the quotation marks; over ssh an argument loses them, so send the line on standard input',
  });
});
