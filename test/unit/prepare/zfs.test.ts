import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { supportedRelease } from '../../../src/prepare/release.ts';
import { offerZfs, packagesToOffer, type ZfsMachine } from '../../../src/prepare/zfs.ts';

const debian = supportedRelease({ id: 'debian', versionId: '13', codename: 'trixie', name: 'Debian 13' });
const ubuntu = supportedRelease({ id: 'ubuntu', versionId: '24.04', codename: 'noble', name: 'Ubuntu 24.04' });
const packages = ['linux-headers-6.12.48+deb13-amd64', 'linux-headers-amd64', 'zfs-dkms', 'zfsutils-linux'];

class Machine implements ZfsMachine {
  kernel = '6.12.48+deb13-amd64';
  loadsModules = true;
  headers = true;
  failure: Failure | undefined;
  removalFailure: Failure | undefined;
  readonly done: string[] = [];

  loadsOwnModules = (): Promise<boolean> => Promise.resolve(this.loadsModules);
  hasPackage = (): Promise<boolean> => Promise.resolve(this.headers);
  install(names: readonly string[]): Promise<void> {
    this.done.push(`install ${names.join(' ')}`);
    return this.failure === undefined ? Promise.resolve() : Promise.reject(this.failure);
  }
  remove(names: readonly string[]): Promise<void> {
    this.done.push(`remove ${names.join(' ')}`);
    return this.removalFailure === undefined ? Promise.resolve() : Promise.reject(this.removalFailure);
  }
}

async function offered(machine: Machine, consent: boolean, release = debian) {
  const said: string[] = [];
  const asked: string[] = [];
  const installed = await offerZfs(
    {
      release,
      say: (line) => said.push(line),
      offer: (question) => {
        asked.push(question);
        return Promise.resolve(consent);
      },
    },
    machine,
  );
  return { installed, said, asked, done: machine.done };
}

describe('the offer of ZFS', () => {
  it('installs ZFS with the headers of the running kernel and of later ones, after consent', async () => {
    const { installed, asked, done } = await offered(new Machine(), true);
    expect(installed).toBe(true);
    expect(asked).toEqual([expect.stringContaining('some minutes')]);
    expect(done).toEqual([`install ${packages.join(' ')}`]);
  });

  it('changes nothing if it is declined', async () => {
    expect(await offered(new Machine(), false)).toMatchObject({
      installed: false,
      said: ['ZFS was not installed'],
      done: [],
    });
  });

  it('removes what a failed installation left, and says why it failed', async () => {
    const machine = new Machine();
    machine.failure = new Failure('program-failed', { what: 'installing zfs-dkms', why: 'bad exit status: 10' });
    const failed = await offered(machine, true);
    expect(failed).toMatchObject({
      installed: false,
      said: ['ZFS was not installed: installing zfs-dkms: bad exit status: 10'],
    });
    expect(failed.done.at(-1)).toBe('remove zfs-dkms zfsutils-linux');
    machine.removalFailure = new Failure('timeout', { what: 'apt-get', why: 'too slow' });
    expect((await offered(machine, true)).said.at(-1)).toContain('Run "apt-get purge zfs-dkms zfsutils-linux"');
  });

  it.each<[string, (machine: Machine) => void]>([
    ['a kernel without a headers package', (machine) => (machine.headers = false)],
    ['a machine that loads no modules of its own', (machine) => (machine.loadsModules = false)],
    ['a kernel of backports', (machine) => (machine.kernel = '6.12.9+bpo-amd64')],
    ['a kernel that is not of the release', (machine) => (machine.kernel = '6.18.44')],
  ])('is not made to %s', async (_, change) => {
    const machine = new Machine();
    change(machine);
    expect(await offered(machine, true)).toEqual({ installed: false, said: [], asked: [], done: [] });
  });

  it('is not made on Ubuntu, whose kernel has ZFS', async () => {
    expect(await packagesToOffer(ubuntu, new Machine())).toBeUndefined();
  });
});
