import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import { noBase } from '../../../../src/service/images/preparedImage.ts';

/** As Incus 6.0.4 said them on a real host. */
const unreachable =
  'Failed instance creation: Failed getting remote image info: Failed getting image: Failed parsing stream: ' +
  'Get "https://images.example/streams/v1/index.json": lookup images.example: no such host';
const said = (why: string): Failure => new Failure('program-failed', { what: '"incus create"', why });

describe('a base image that cannot be had', () => {
  it.each(['Image "nonsense" not found', 'The remote "other" doesn\'t exist'])(
    'is bad input where Incus says: %s',
    (why) => {
      expect(noBase('nonsense', said(why))).toMatchObject({
        code: 'invalid-image',
        what: 'base image "nonsense"',
        why,
        next: expect.stringContaining('incus image list'),
      });
    },
  );

  it('is a failure with a way out where its server cannot be reached', () => {
    expect(noBase('images:ubuntu/24.04', said(unreachable))).toMatchObject({
      code: 'program-failed',
      next: expect.stringContaining('image.base'),
    });
  });

  it('is not made of other failures', () => {
    for (const other of [
      said('Disk quota exceeded'),
      new Failure('timeout', { what: '"incus create"', why: 'x' }),
      new Error('x'),
    ]) {
      expect(noBase('images:ubuntu/24.04', other)).toBe(other);
    }
  });
});
