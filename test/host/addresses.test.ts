/** Addresses and names on a real Incus: containers need no DHCP, and the bridge answers them nothing about others. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeBridge } from '../../src/prepare/bridge.ts';
import { makeKey } from '../support/keys.ts';
import { eventually, temporaryFolder } from '../support/server.ts';
import { outputOf } from './harness/index.ts';
import { skipReason, startJumpHost, type JumpHost } from './jumpHost.ts';

/** Asks a DNS server by UDP: `SERVER NAME TYPE CLASS`. Prints the response code and the number of answers. */
const query = `
import socket, struct, sys
server, name, kind, family = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
labels = b''.join(bytes([len(label)]) + label.encode() for label in name.split('.'))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.sendto(struct.pack('>HHHHHH', 7, 0x100, 1, 0, 0, 0) + labels + b'\\0' + struct.pack('>HH', kind, family), (server, 53))
reply = s.recv(4096)
print(reply[3] & 15, struct.unpack('>H', reply[6:8])[0])
`;

/**
 * Asks for a lease with a made-up client address and prints how many offers come within two seconds. The frame carries
 * the port's own address, as a tenant's must.
 */
const discover = `
import os, socket, struct, sys, time
own = bytes.fromhex(open('/sys/class/net/eth0/address').read().strip().replace(':', ''))
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
s.bind(('eth0', 0))
def checksum(data):
    total = sum(struct.unpack('>%dH' % (len(data) // 2), data))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
ids = set()
for _ in range(20):
    xid = os.urandom(4); ids.add(xid)
    bootp = struct.pack('>BBBB4sHH', 1, 1, 6, 0, xid, 0, 0x8000) + bytes(16) + b'\\x02' + os.urandom(5) + bytes(10 + 192)
    bootp += bytes.fromhex('63825363') + b'\\x35\\x01\\x01\\xff'
    udp = struct.pack('>HHHH', 68, 67, 8 + len(bootp), 0) + bootp
    head = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, bytes(4), b'\\xff' * 4)
    head = head[:10] + struct.pack('>H', checksum(head)) + head[12:]
    s.send(b'\\xff' * 6 + own + b'\\x08\\x00' + head + udp)
offers, end = 0, time.time() + 2
s.settimeout(0.2)
while time.time() < end:
    try: frame = s.recv(4096)
    except OSError: continue
    if frame[23:24] == b'\\x11' and frame[36:38] == struct.pack('>H', 68) and frame[46:50] in ids: offers += 1
print(offers)
`;

/** Connects to an address and a port, or fails within three seconds. */
const probe = `
import socket, sys
socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)
`;

describe.skipIf(skipReason !== undefined)('addresses and names on a real Incus', () => {
  let host: JumpHost;
  const nora = 'cxt-nora-container';
  const otto = 'cxt-otto-container';

  const result = async (words: readonly string[], stdin?: string): Promise<any> => {
    const { stdout } = await host.server.ssh([...words, '--json'], {
      shared: true,
      ...(stdin === undefined ? {} : { stdin }),
    });
    const document = JSON.parse(stdout) as { result: unknown; error?: unknown };
    expect(document.error).toBeUndefined();
    return document.result;
  };
  const inside = (name: string, ...argv: string[]): Promise<string> => outputOf(host.incus, name, argv);
  const python = (name: string, script: string, ...args: string[]): Promise<string> =>
    inside(name, 'python3', '-c', script, ...args).then((text) => text.trim());
  const leases = (): Promise<string> =>
    readFile(join(host.incus.incusDir, 'networks', host.incus.bridge, 'dnsmasq.leases'), 'utf8');
  const addressOf = async (user: string): Promise<string> => String((await result(['info', user])).container.address);

  beforeAll(async () => {
    host = await startJumpHost({ name: 'addresses', packages: ['procps', 'python3'] });
    const folder = await temporaryFolder();
    for (const user of ['cxt-nora', 'cxt-otto']) await result(['create', user], (await makeKey(folder, user)).line);
  });
  afterAll(async () => {
    for (const user of ['cxt-nora', 'cxt-otto']) await host.server.ssh(['delete', user, '--yes'], { shared: true });
    await host.stop();
    expect(await host.incus.remains()).toEqual([]);
  });

  it('gives a container its address, router and name server without DHCP', async () => {
    const address = await addressOf('cxt-nora');
    expect(await inside(nora, 'ip', '-4', '-oneline', 'address', 'show', 'eth0')).toContain(`${address}/24`);
    expect(await inside(nora, 'ip', 'route')).toContain(`default via ${host.incus.gateway} dev eth0`);
    expect(await inside(nora, 'cat', '/etc/resolv.conf')).toBe(`nameserver ${host.incus.gateway}\n`);
    expect(await inside(nora, 'sh', '-c', 'ps -e | grep -c dhc || true')).toBe('0\n');
    expect(await leases()).not.toContain(address);
    // The units of its network ran without failure.
    expect(await inside(nora, 'systemctl', '--failed', '--quiet', '--no-legend')).toBe('');
  });

  it('gives a container everything by its configuration, which keeps no private key, and renames its account', async () => {
    expect(await host.incus.incus(['config', 'get', nora, 'user.containarium.seed'])).toBe('\n');
    expect(await host.incus.incus(['config', 'show', nora])).not.toContain('PRIVATE KEY');
    expect(await inside(nora, 'stat', '--format', '%a %U', '/etc/ssh/ssh_host_ed25519_key')).toBe('600 root\n');
    expect(await inside(nora, 'stat', '--format', '%a %U', '/home/cxt-nora')).toMatch(/^7\d\d cxt-nora\n$/);
    expect(await inside(nora, 'ls', '/etc/containarium/seed')).not.toContain('bundle');
    expect(await inside(nora, 'id', '--name', '--groups', 'cxt-nora')).toMatch(/^cxt-nora .*sudo/);
    expect(await inside(nora, 'sh', '-c', 'cat /etc/passwd /etc/shadow /etc/group /etc/sub?id')).not.toMatch(
      /^containarium:/m,
    );
  });

  it('makes a container of an image of another version as before, by pushing what it is given', async () => {
    const [{ fingerprint }] = (await result(['image', 'list'])).images;
    const key = await makeKey(await temporaryFolder(), 'cxt-older');
    const property = (value: string): Promise<string> =>
      host.incus.incus(['image', 'set-property', fingerprint, 'containarium.recipe', value]);
    const recipe = (await host.incus.incus(['image', 'get-property', fingerprint, 'containarium.recipe'])).trim();
    await property('older');
    try {
      expect((await result(['create', 'cxt-older'], key.line)).steps).toHaveLength(7);
    } finally {
      await property(recipe);
    }
    expect(await inside('cxt-older-container', 'id', '--name', '--groups', 'cxt-older')).toContain('sudo');
    await result(['delete', 'cxt-older', '--purge', '--yes']);
  });

  it('keeps the address over a restart', async () => {
    await result(['restart', 'cxt-nora']);
    const address = await addressOf('cxt-nora');
    await eventually(
      async () => ((await inside(nora, 'ip', '-4', 'address', 'show', 'eth0')).includes(address) ? true : undefined),
      'the address',
    );
    expect(await leases()).not.toContain(address);
  });

  it('answers a container no name and no address of another one, and nothing of itself', async () => {
    const { gateway } = host.incus;
    const reverse = (address: string): string => `${address.split('.').reverse().join('.')}.in-addr.arpa`;
    // Otto asks for a lease with his name, as a container of an earlier version does at every start.
    await inside(otto, 'sh', '-c', 'dhclient -1 eth0 || true');
    const address = await addressOf('cxt-otto');
    expect(await leases()).toContain(address);
    for (const name of [`${otto}.incus`, otto, reverse(address), reverse(gateway)]) {
      const kind = name.endsWith('arpa') ? '12' : '1';
      expect([name, await python(nora, query, gateway, name, kind, '1')]).toEqual([name, '3 0']);
    }
    expect(await inside(nora, 'sh', '-c', `getent hosts ${otto}.incus ${otto} ${address} || echo nothing`)).toBe(
      'nothing\n',
    );
    for (const name of ['version.bind', 'servers.bind', 'cachesize.bind'])
      expect(await python(nora, query, gateway, name, '16', '3')).toMatch(/^[^0] 0$/);
  });

  it('gives no lease to made-up clients, so that the addresses do not run out', async () => {
    const before = await leases();
    expect(await python(nora, discover)).toBe('0');
    expect(await leases()).toBe(before);
  });

  it('lets a container install packages, as before', async () => {
    expect(await inside(nora, 'sh', '-c', 'apt-get update --quiet >/dev/null && echo updated')).toBe('updated\n');
  });

  it('keeps containers and their connections when the network is enlarged', async () => {
    const { bridge, gateway } = host.incus;
    const boot = (): Promise<string> => inside(nora, 'cat', '/proc/sys/kernel/random/boot_id');
    const [before, address] = [await boot(), await addressOf('cxt-nora')];
    await host.incus.incus(['network', 'set', bridge, `ipv4.address=${gateway}/22`]);
    await closeBridge({ say: () => undefined, name: bridge, env: host.incus.env });
    await result(['create', 'cxt-olga'], (await makeKey(await temporaryFolder(), 'olga')).line);
    const inLarger = await addressOf('cxt-olga');
    expect(await inside('cxt-olga-container', 'ip', '-4', '-brief', 'address', 'show', 'eth0')).toContain(
      `${inLarger}/22`,
    );
    for (const user of ['cxt-nora', 'cxt-olga']) expect((await result(['debug', user])).broken).toBeNull();
    expect([await boot(), await addressOf('cxt-nora')]).toEqual([before, address]);
    // The firewall knows the larger network too.
    await expect(python(nora, probe, inLarger, '22')).rejects.toThrow();
    expect((await result(['doctor'])).checks).not.toContainEqual(expect.objectContaining({ severity: 'problem' }));
    expect((await result(['reconcile'])).differences).toEqual([]);
    await result(['delete', 'cxt-olga', '--purge', '--yes']);
    // The next test wants the settings of this size alone.
    const { config } = JSON.parse(await host.incus.incus(['query', `/1.0/networks/${bridge}`])) as {
      config: Record<string, string>;
    };
    const lines = (config['raw.dnsmasq'] ?? '').split('\n');
    await host.incus.incus([
      'network',
      'set',
      bridge,
      `ipv4.address=${gateway}/24`,
      `raw.dnsmasq=${lines.filter((line) => !line.endsWith('/22')).join('\n')}`,
    ]);
  });

  it('closes a bridge of an earlier version, and names what it changes', async () => {
    const { bridge, env, incus } = host.incus;
    const before = await incus(['network', 'get', bridge, 'raw.dnsmasq']);
    await incus(['network', 'unset', bridge, 'raw.dnsmasq']);
    await incus(['network', 'unset', bridge, 'dns.mode']);
    const network = async (): Promise<any> =>
      (await result(['doctor'])).checks.find(({ name }: { name: string }) => name === 'network');
    expect(await network()).toMatchObject({ severity: 'warning', next: expect.stringContaining('serve --real') });
    // What the settings keep away: names. Made-up clients have the firewall against them too (tenants.test.ts).
    await inside(otto, 'sh', '-c', 'dhclient -1 eth0 || true');
    expect(await python(nora, query, host.incus.gateway, `${otto}.incus`, '1', '1')).toBe('0 1');

    const said: string[] = [];
    await closeBridge({ say: (line) => void said.push(line), name: bridge, env });
    expect(said).toEqual([expect.stringContaining(`Closing the bridge "${bridge}" (dns.mode, raw.dnsmasq)`)]);
    expect(await incus(['network', 'get', bridge, 'raw.dnsmasq'])).toBe(before);
    expect(await network()).toMatchObject({ severity: 'ok' });
    await closeBridge({ say: (line) => void said.push(line), name: bridge, env });
    expect(said).toHaveLength(1);
    expect(await python(nora, discover)).toBe('0');
    // The lease of a running container stays, but not its name.
    const address = await addressOf('cxt-otto');
    expect(await leases()).toContain(`${address} * `);
    const reverse = `${address.split('.').reverse().join('.')}.in-addr.arpa`;
    expect(await python(nora, query, host.incus.gateway, otto, '1', '1')).toBe('3 0');
    expect(await python(nora, query, host.incus.gateway, reverse, '12', '1')).toBe('3 0');
    await inside(otto, 'sh', '-c', 'dhclient -1 eth0 || true');
    expect(await python(nora, query, host.incus.gateway, otto, '1', '1')).toBe('3 0');
  });

  it('writes the address into a container of an earlier version, for its next start', async () => {
    const { incus } = host.incus;
    await incus(['config', 'unset', otto, 'user.containarium.address']);
    await inside(otto, 'sh', '-c', "printf 'auto eth0\\niface eth0 inet dhcp\\n' > /etc/network/interfaces");
    await inside(otto, 'rm', '-r', '/etc/containarium/network', '/etc/containarium/seed/network.done');
    await inside(otto, 'rm', '-r', '/etc/systemd/system/sysinit.target.d');
    await result(['restart', 'cxt-otto']);
    const address = await addressOf('cxt-otto');
    const shown = (): Promise<string> => inside(otto, 'ip', '-4', '-oneline', 'address', 'show', 'eth0');
    await eventually(async () => ((await shown()).includes(`${address}/24`) ? true : undefined), 'the lease');
    expect((await result(['reconcile', '--apply'])).differences).toMatchObject([
      { kind: 'container-address', target: 'cxt-otto', fixed: true },
    ]);
    await result(['restart', 'cxt-otto']);
    await eventually(async () => ((await shown()).includes(`${address}/24`) ? true : undefined), 'the address');
    expect(await inside(otto, 'sh', '-c', 'ps -e | grep -c dhc || true')).toBe('0\n');
    expect((await result(['reconcile'])).differences).toEqual([]);
  });
});
