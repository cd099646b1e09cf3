import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import { noBase } from '../../../../src/service/images/preparedImage.ts';

/** Error text of Incus 6.0.4 on a real host. */
const unreachable =
  'Failed instance creation: Failed getting remote image info: Failed getting image: Failed parsing stream: ' +
  'Get "https://images.example/streams/v1/index.json": lookup images.example: no such host';
const failed = (why: string): Failure => new Failure('program-failed', { what: '"incus create"', why });

describe('the failure for an unavailable base image', () => {
  it.each(['Image "nonsense" not found', 'The remote "other" doesn\'t exist'])(
    'is invalid-image if Incus reports: %s',
    (why) => {
      expect(noBase('nonsense', failed(why))).toMatchObject({
        code: 'invalid-image',
        what: 'base image "nonsense"',
        why,
        next: expect.stringContaining('incus image list'),
      });
    },
  );

  it('suggests a local image if the image server is unreachable', () => {
    expect(noBase('images:ubuntu/24.04', failed(unreachable))).toMatchObject({
      code: 'program-failed',
      next: expect.stringContaining('image.base'),
    });
  });

  it('does not replace other failures', () => {
    for (const other of [
      failed('Disk quota exceeded'),
      new Failure('timeout', { what: '"incus create"', why: 'x' }),
      new Error('x'),
    ]) {
      expect(noBase('images:ubuntu/24.04', other)).toBe(other);
    }
  });
});
