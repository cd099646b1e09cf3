/** Interruptions of front, service and machine, and the state afterwards. */
import { describe, expect, it } from 'vitest';
import { waitUntil } from '../host/harness/index.ts';
import { laptop, type JumpHost } from './jumpHost.ts';

export function interruptions(host: JumpHost): void {
  const inside = (): Promise<boolean> =>
    host.onLaptop('ssh -o BatchMode=yes alice-dev true').then(({ code }) => code === 0);

  describe('an interruption', () => {
    it('of the front ends only its sessions, and is reported at the next login', async () => {
      const [core, before] = await Promise.all([
        host.unit('containarium', 'MainPID'),
        host.unit('containarium-front', 'MainPID'),
      ]);
      await host.did('systemctl kill --signal=KILL --kill-who=main containarium-front');
      expect((await host.letsIn()).stderr).toMatch(
        /^The SSH server was restarted at \d\d:\d\d UTC because it exited unexpectedly\. Operations were not interrupted\.$/m,
      );
      expect(await host.unit('containarium', 'MainPID')).toBe(core);
      expect(await host.unit('containarium-front', 'MainPID')).not.toBe(before);
    });

    it("by an upgrade keeps an administrator's changes, and the restart runs the new program", async () => {
      await host.did('sed -i "s/^maxretry = .*/maxretry = 7/" /etc/fail2ban/jail.d/containarium.conf');
      const files =
        '/etc/systemd/system/containarium.service /etc/systemd/system/containarium-front.service.d/10-containarium.conf /etc/fail2ban/*.d/containarium.conf /usr/local/bin/containarium /usr/lib/sysusers.d/containarium.conf';
      const state = 'find /var/lib/containarium/keys /etc/passwd /etc/group -type f -exec sha256sum {} +';
      const before = await host.did(`sha256sum ${files}; ${state}`);
      // Use the dependencies of the checkout: fetching them again takes minutes and shows nothing new.
      const said = await host.did('cd /mnt/checkout && npm run service:install -- --offline');
      expect(said).toMatch(/^Next: systemctl restart containarium, which waits for running operations$/m);
      expect(await host.did(`sha256sum ${files}; ${state}`)).toBe(before);
      expect(await host.did('ls -d /opt/containarium*')).toBe('/opt/containarium\n/opt/containarium-releases\n');
    });

    it('by a restart waits for a create, or undoes it', async () => {
      const create = host.ssh('create bob', await host.did(`cat /home/${laptop}/.ssh/id_ed25519.pub`));
      expect(
        await waitUntil(
          async () => (await host.did('containarium list --json')).includes('"creating"'),
          5 * 60_000,
          1000,
        ),
      ).toBe(true);
      const startedMs = Date.now();
      await host.did('systemctl restart containarium');
      const stopMs = Date.now() - startedMs;
      const answer = await create;
      await host.letsIn();
      const ended = async (): Promise<boolean> => {
        const { checks } = (await host.manage('doctor')) as { checks: { name: string; severity: string }[] };
        return checks.every(({ name, severity }) => name !== 'operations' || severity === 'ok');
      };
      expect(await waitUntil(ended, 5 * 60_000, 2000)).toBe(true);
      const { containers } = (await host.manage('list')) as { containers: { user: string }[] };
      const there = containers.map(({ user }) => user);
      console.info(
        `a create that was running at a restart (${Math.round(stopMs / 1000)} s): exit code ${answer.code}, ${there.includes('bob') ? 'done' : 'undone'}`,
      );
      // core waits for a minute. A create that reported success must have left its container.
      expect(answer.code === 0 || stopMs >= 60_000, answer.stderr).toBe(true);
      if (answer.code === 0) expect(there).toContain('bob');
      await host.isSound();
      if (there.includes('bob')) await host.manage('delete bob --purge --yes');
      expect((await host.machine.run('getent passwd bob')).code).toBe(2);
      expect(await inside()).toBe(true);
    });

    it('by a reboot ends with everything running again, containers included', async () => {
      await host.machine.reboot();
      await host.letsIn();
      expect(await waitUntil(inside, 10 * 60_000, 2000)).toBe(true);
      expect((await host.manage('list')).containers).toMatchObject([{ user: 'alice', status: 'running' }]);
      expect(await host.unit('containarium', 'NRestarts')).toBe('0');
      expect(await host.did('fail2ban-client status containarium')).toMatch(/Currently failed/);
      await host.isSound();
    });
  });

  describe('the end of the story', () => {
    it('is a deletion that is taken back from the trash', async () => {
      await host.manage('delete alice --yes');
      expect(await inside()).toBe(false);
      await host.isSound();
      expect(await host.manage('trash restore alice')).toMatchObject({ status: 'running', isNewAddress: false });
      expect(await waitUntil(inside, 60_000, 2000)).toBe(true);
      await host.isSound();
    });

    it('is a purge that leaves nothing of the container', async () => {
      await host.manage('delete alice --purge --yes');
      expect(await host.did('zfs list -Ho name')).not.toMatch(/alice|bob/);
      expect((await host.machine.run('getent passwd alice')).code).toBe(2);
      expect(await inside()).toBe(false);
      await host.isSound();
      expect(await host.manage('audit verify')).toMatchObject({ ok: true });
    });
  });
}
