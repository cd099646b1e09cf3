import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import { whenFree } from '../../../../src/host/incus/busy.ts';

const refused = (stderr: string): Failure =>
  new Failure('program-failed', { what: '"incus restart"', why: stderr, details: { stderr } });
const busy = refused('Error: Create restart operation: Instance is busy running a "stop" operation');

describe('a change of an instance on which Incus runs another operation', () => {
  it('is repeated until it is begun', async () => {
    let times = 0;
    const result = await whenFree(
      'alice-container',
      () => {
        times += 1;
        return times < 3 ? Promise.reject(busy) : Promise.resolve('restarted');
      },
      60_000,
    );
    expect([result, times]).toEqual(['restarted', 3]);
  });

  it('is repeated while the folder of a volume of ZFS is still a mount point', async () => {
    const [from, to] = ['/var/lib/incus/storage-pools/default/containers/a', '/var/lib/incus/storage-pools/default/b'];
    const mounted = refused(
      `Error: Rename instance: Failed to rename "${from}" to "${to}": rename ${from} ${to}: device or resource busy`,
    );
    let times = 0;
    await whenFree(
      'a',
      () => {
        times += 1;
        return times < 3 ? Promise.reject(mounted) : Promise.resolve();
      },
      60_000,
    );
    expect(times).toBe(3);
  });

  it('fails as busy, with the name of the other operation, if that does not end', async () => {
    const change = whenFree('alice-container', () => Promise.reject(busy), 300);
    await expect(change).rejects.toMatchObject({
      code: 'busy',
      what: 'instance "alice-container"',
      why: expect.stringContaining(': stop'),
    });
  });

  it('fails at once for any other reason', async () => {
    const failure = refused('Error: no space left on device');
    let times = 0;
    const change = whenFree(
      'alice-container',
      () => {
        times += 1;
        return Promise.reject(failure);
      },
      60_000,
    );
    await expect(change).rejects.toBe(failure);
    expect(times).toBe(1);
  });
});
