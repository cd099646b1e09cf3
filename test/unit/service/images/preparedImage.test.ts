import { describe, expect, it, vi } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import { noBase } from '../../../../src/service/images/preparedImage.ts';
import { makeNic } from '../../../../src/service/isolation/nic.ts';
import { hosts } from '../../../support/world/hosts.ts';

/** Error text of Incus 6.0.4 on a real host. */
const unreachable =
  'Failed instance creation: Failed getting remote image info: Failed getting image: Failed parsing stream: ' +
  'Get "https://images.example/streams/v1/index.json": lookup images.example: no such host';
const failed = (why: string): Failure => new Failure('program-failed', { what: '"incus create"', why });

describe('the container in which an image is built', () => {
  const host = hosts(() => Promise.resolve());

  it('is kept from the identity of others on the bridge as the container of a user is', async () => {
    const world = await host();
    const create = vi.spyOn(world.context.incus, 'create');
    await world.must('image build');
    const [[name, , spec] = []] = create.mock.calls;
    expect(name).toMatch(/^containarium-build-/);
    const address = spec?.devices['eth0']?.['ipv4.address'] ?? '';
    expect(spec?.devices['eth0']).toEqual(makeNic('incusbr0', address));
    expect(spec?.devices['eth0']).toMatchObject({
      'security.mac_filtering': 'true',
      host_name: expect.stringMatching(/^ctn/),
    });
  });
});

describe('the failure for an unavailable base image', () => {
  it.each([
    ['nonsense', 'Image "nonsense" not found', 'image nonsense was not found on this host'],
    [
      'images:debian/13',
      'Failed instance creation: Failed getting remote image info: Failed getting image: The requested image couldn\'t be found for fingerprint "debian/13"',
      'image images:debian/13 was not found on images:',
    ],
    ['other:x', 'The remote "other" doesn\'t exist', 'Incus has no image server of the name other:'],
  ])('is invalid-image in a sentence, with the words of Incus in its details: %s', (base, incus, why) => {
    expect(noBase(base, failed(incus))).toMatchObject({
      code: 'invalid-image',
      what: `base image "${base}"`,
      why,
      next: expect.stringContaining('on the host, "incus image list"'),
      details: { incus },
    });
  });

  it('suggests a local image if the image server is unreachable', () => {
    expect(noBase('images:ubuntu/24.04', failed(unreachable))).toMatchObject({
      code: 'program-failed',
      why: 'its image server "images" did not give it',
      next: expect.stringContaining('image.base'),
      details: { incus: unreachable },
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
