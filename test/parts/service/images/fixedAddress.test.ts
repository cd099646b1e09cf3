/** The script that sets a container's fixed address, run by a real shell on the files of different base images. */
import { chmod, mkdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { beforeEach, describe, expect, it } from 'vitest';
import { addressFiles } from '../../../../src/service/images/fixedAddress.ts';
import { temporaryFolder } from '../../../support/server.ts';

let root: string;
beforeEach(async () => {
  root = await temporaryFolder();
  await put('/etc/containarium/seed/network', "address=10.0.3.101/24\ngateway=10.0.3.1\ndns='10.0.3.1'\nipv6=no\n");
});

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}
const read = (path: string): Promise<string | undefined> => readFile(join(root, path), 'utf8').catch(() => undefined);

/** Runs the script with every path below the test's folder. */
async function apply(): Promise<void> {
  const script = addressFiles.find(({ path }) => path === '/etc/containarium/network')?.content ?? '';
  await execa('sh', ['-c', script.replaceAll(/(?<=[\s=])\/(etc|sbin)\//g, `${root}/$1/`)]);
}

/** Installs ifupdown, as far as the script asks. */
async function installIfupdown(): Promise<void> {
  await put('/sbin/ifup', '');
  await chmod(join(root, '/sbin/ifup'), 0o755);
}

const networkFile = '/etc/systemd/network/05-containarium.network';

describe('the script that sets the fixed address', () => {
  it('gives systemd-networkd a file that precedes those of the image, netplan and cloud-init', async () => {
    await put('/etc/systemd/network/eth0.network', '[Match]\nName=eth0\n[Network]\nDHCP=true\n');
    await mkdir(join(root, '/etc/cloud/cloud.cfg.d'), { recursive: true });
    await symlink('../run/systemd/resolve/stub-resolv.conf', join(root, '/etc/resolv.conf'));
    await apply();
    expect(await read(networkFile)).toBe(
      '# Written by containarium: the fixed address of this container.\n[Match]\nName=eth0\n\n[Network]\nDHCP=no\n' +
        'IPv6AcceptRA=no\nAddress=10.0.3.101/24\nGateway=10.0.3.1\nDNS=10.0.3.1\n',
    );
    expect(['eth0.network', '10-netplan-eth0.network', '05-containarium.network'].sort()[0]).toBe(
      '05-containarium.network',
    );
    expect(await readlink(join(root, '/etc/resolv.conf'))).toBe('../run/systemd/resolve/stub-resolv.conf');
    expect(await read('/etc/cloud/cloud.cfg.d/99-containarium-network.cfg')).toBe('network: {config: disabled}\n');
  });

  it('leaves what ifupdown left behind when it was removed', async () => {
    await put('/etc/network/interfaces', 'auto eth0\niface eth0 inet dhcp\n');
    await apply();
    expect(await read('/etc/network/interfaces')).toContain('inet dhcp');
    expect(await read(networkFile)).toContain('Address=10.0.3.101/24');
  });

  it('makes the DHCP stanza of ifupdown a static one, and writes the name server', async () => {
    await installIfupdown();
    await put('/etc/network/interfaces', 'auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet dhcp\n');
    await put('/etc/resolv.conf', 'search incus\nnameserver 192.0.2.1\n');
    await apply();
    expect(await read('/etc/network/interfaces')).toBe(
      'auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet static\n    address 10.0.3.101/24\n    gateway 10.0.3.1\n',
    );
    expect(await read('/etc/resolv.conf')).toBe('nameserver 10.0.3.1\n');
    expect(await read(networkFile)).toBeUndefined();
  });

  it('changes a stanza of ifupdown in a file of its own, and tells systemd-resolved the name server', async () => {
    await installIfupdown();
    await put('/etc/network/interfaces', 'source /etc/network/interfaces.d/*\n');
    await put('/etc/network/interfaces.d/50-cloud-init', 'auto eth0\n  iface  eth0 inet dhcp\n');
    await symlink('/run/systemd/resolve/resolv.conf', join(root, '/etc/resolv.conf'));
    await apply();
    expect(await read('/etc/network/interfaces.d/50-cloud-init')).toContain('iface eth0 inet static');
    expect(await read('/etc/systemd/resolved.conf.d/containarium.conf')).toBe('[Resolve]\nDNS=10.0.3.1\n');
  });

  it('runs once, and leaves what it was told', async () => {
    await apply();
    expect(await read('/etc/containarium/seed/network')).toBeUndefined();
    expect(await read('/etc/containarium/seed/network.done')).toContain('10.0.3.101');
    await expect(apply()).rejects.toThrow();
  });
});
