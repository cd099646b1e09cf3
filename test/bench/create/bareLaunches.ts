/** What `create` is compared with: `incus launch` of the same image, which gets its address by DHCP, until its sshd. */
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { stringify } from 'yaml';
import { makeHostKey } from '../../../src/host/hostKey.ts';
import type { JumpHost } from '../../host/jumpHost.ts';

/** Pause between two tries for a banner, and the time limit of one, in milliseconds. */
const tryPauseMs = 5;
const tryLimitMs = 250;
/** The most that a container may take until its banner, in milliseconds. */
const bannerLimitMs = 120_000;

/** Returns true if an SSH server at `address` sends its banner in time. */
function sendsBanner(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22 });
    const end = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.setTimeout(tryLimitMs, () => end(false));
    socket.on('error', () => end(false));
    socket.once('data', (data: Buffer) => end(data.toString().startsWith('SSH-')));
  });
}

async function waitForBanner(address: string): Promise<void> {
  const end = performance.now() + bannerLimitMs;
  while (performance.now() < end) {
    if (await sendsBanner(address)) return;
    await setTimeout(tryPauseMs);
  }
  throw new Error(`${address} sent no banner within ${bannerLimitMs} ms`);
}

export interface BareLaunches {
  /** Launches a container. Resolves when its sshd has sent its first banner. */
  launch(): Promise<void>;
  remove(): Promise<void>;
}

/** Makes an image to launch: the prepared one with a host key, without which its sshd does not start. */
export async function bareLaunches(
  { incus: { incus, ...host } }: JumpHost,
  fingerprint: string,
): Promise<BareLaunches> {
  const address = `${host.gateway.replace(/\d+$/, '')}50`;
  // What our containers have too, but for the address, which the bridge's DHCP gives to instances that it knows.
  const spec = stringify({
    config: { 'limits.cpu': '1', 'limits.memory': '512MiB', 'security.nesting': 'true' },
    devices: {
      root: { type: 'disk', path: '/', pool: host.pool, size: '3GiB' },
      eth0: { type: 'nic', name: 'eth0', network: host.bridge, 'ipv4.address': address },
    },
  });
  const remove = async (): Promise<void> => {
    await incus(['delete', 'bare', '--force']);
  };
  await incus(['create', fingerprint, 'bare', '--no-profiles', '--quiet'], { input: spec });
  await incus(
    ['file', 'push', '-', 'bare/etc/ssh/ssh_host_ed25519_key', '--mode', '0600', '--uid', '0', '--gid', '0'],
    { input: makeHostKey('bare').privateKey },
  );
  await incus(['publish', 'bare', '--alias', 'bench/bare', '--compression', 'zstd', '--quiet']);
  await remove();
  return {
    async launch() {
      await incus(['launch', 'bench/bare', 'bare', '--no-profiles', '--quiet'], { input: spec });
      await waitForBanner(address);
    },
    remove,
  };
}
