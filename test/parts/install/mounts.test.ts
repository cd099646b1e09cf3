/** Mounting the datasets of a data disk, on a machine whose programs are imitated. */
import { expect, it, vi } from 'vitest';
import { mountDatasets } from '../../../src/install/dataDisk/pool.ts';

const ran = vi.hoisted(() => [] as string[]);

vi.mock(import('../../../src/prepare/files.ts'), () => ({ exists: () => Promise.resolve(false) }));
vi.mock(import('../../../src/prepare/programs.ts'), () => ({
  succeeds: (program, args) => Promise.resolve(program === 'zfs' || args.includes('incus.socket')),
  run: (program, args) => {
    ran.push([program, ...args].join(' '));
    if (args[0] === 'mount') return Promise.reject(new Error('cannot mount'));
    return Promise.resolve({ stdout: 'no\n', stderr: '', exitCode: 0 });
  },
}));

it('a dataset that cannot be mounted does not leave the sockets of Incus stopped', async () => {
  await expect(mountDatasets(() => undefined)).rejects.toThrow('cannot mount');
  expect(ran.slice(-3)).toEqual([
    'systemctl stop incus.socket',
    'zfs mount containarium/home',
    'systemctl start incus.socket',
  ]);
});
