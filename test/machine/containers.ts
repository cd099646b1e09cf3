/** The life of a container and the work of its owner, under the restrictions of the two units. */
import { describe, expect, it } from 'vitest';
import { waitUntil } from '../host/harness/index.ts';
import { laptop, type JumpHost } from './jumpHost.ts';

export function containers(host: JumpHost): void {
  describe('a container', () => {
    it('is created completely', async () => {
      const { baseImage } = host.machine;
      await host.did(
        `incus image import --quiet /mnt/base/metadata.tar.gz /mnt/base/rootfs.squashfs --alias ${baseImage}`,
      );
      await host.manage('create alice --disk-quota 1GiB', await host.did(`cat /home/${laptop}/.ssh/id_ed25519.pub`));
      expect((await host.manage('list')).containers).toMatchObject([
        { name: 'alice-container', status: 'running', provisioning: 'ready' },
      ]);
      await host.isSound();
    });

    it('lets its owner in through the jump host, with the stock ssh', async () => {
      const way = 'ssh -p 2222 -o StrictHostKeyChecking=accept-new -o LogLevel=ERROR';
      const prepared = await host.onLaptop(`
        mkdir -p ~/.ssh/config.d
        ${way} self@127.0.0.1 config > ~/.ssh/config.d/containarium
        ${way} self@127.0.0.1 config --known-hosts >> ~/.ssh/known_hosts
        echo "Include config.d/*" > ~/.ssh/config
      `);
      expect(prepared.code, prepared.stderr).toBe(0);
      const inside = await host.onLaptop('ssh -o BatchMode=yes alice-dev "id -un; hostname; sudo -n id -un"');
      expect(inside).toMatchObject({ code: 0, stdout: 'alice\nalice-container\nroot\n' });
      // The jump account offers nothing else.
      expect((await host.onLaptop('ssh -o BatchMode=yes alice-jump id')).stdout).not.toMatch(/uid/);
    });

    it('is in the record of connections, with the key of its owner', async () => {
      interface Found {
        readonly state: string;
        readonly container: string;
        readonly fingerprint: string;
      }
      const found = (): Promise<Found[]> =>
        host.manage('audit --connections --user alice').then(({ connections }) => connections as Found[]);
      const haveEnded = async (): Promise<boolean> => {
        const all = await found();
        return all.length > 0 && all.every(({ state }) => state === 'ended');
      };
      expect(await waitUntil(haveEnded, 60_000, 2000)).toBe(true);
      const key = (await host.onLaptop('ssh-keygen -lf ~/.ssh/id_ed25519.pub')).stdout.split(' ')[1];
      expect((await found())[0]).toMatchObject({ container: 'alice-container', fingerprint: key });
      expect((await host.manage('info alice')).container.lastSeen).toMatchObject({ fingerprint: key });
    });

    it('accepts added keys, and refuses removed ones', async () => {
      await host.onLaptop('ssh-keygen -q -t ed25519 -N "" -C alice@phone -f ~/.ssh/phone');
      const withPhone = () => host.onLaptop('ssh -F ~/.ssh/phone-config -o BatchMode=yes alice-dev id -un');
      await host.onLaptop(
        'sed "/^Host /a IdentityFile ~/.ssh/phone\\nIdentitiesOnly yes" ~/.ssh/config.d/containarium > ~/.ssh/phone-config',
      );
      expect((await withPhone()).stderr).toMatch(/Permission denied/);
      await host.manage('key add alice', await host.did(`cat /home/${laptop}/.ssh/phone.pub`));
      expect(await withPhone()).toMatchObject({ code: 0, stdout: 'alice\n' });
      await host.manage('key remove alice alice@phone --yes');
      expect((await withPhone()).stderr).toMatch(/Permission denied/);
    });

    it('shows its console log, and can be stopped, started and restarted', async () => {
      expect(JSON.stringify(await host.manage('logs alice'))).toMatch(/systemd|login:/);
      expect(await host.manage('stop alice')).toMatchObject({ status: 'stopped', changed: true });
      expect(await host.manage('start alice')).toMatchObject({ status: 'running', changed: true });
      expect(await host.manage('restart alice')).toMatchObject({ status: 'running', changed: true });
      const again = (): Promise<boolean> =>
        host.onLaptop('ssh -o BatchMode=yes alice-dev true').then(({ code }) => code === 0);
      expect(await waitUntil(again, 5 * 60_000, 2000)).toBe(true);
    });

    it('gives an admin a terminal session', async () => {
      // Type only after the prompt, and keep the input open: its end would hang up.
      const typed = '(sleep 30; printf "id -un; tty; exit 3\\n"; sleep 60)';
      const shell = await host.machine.run(`${typed} | ssh -tt -p 2222 -o LogLevel=ERROR manage@localhost shell alice`);
      expect(shell).toMatchObject({ code: 3, stdout: expect.stringMatching(/^alice\r?\n\/dev\/pts\/\d+\r?$/m) });
    });

    it('is counted in the metrics for Prometheus', async () => {
      const ask = 'fetch("http://127.0.0.1:9187/metrics").then((answer) => answer.text()).then(console.log)';
      const figures = await host.did(`node --eval '${ask}'`);
      expect(figures).toMatch(/^containarium_incus_up 1$/m);
      expect(figures).toMatch(/^containarium_verb_duration_seconds_count\{verb="create",outcome="ok"\} 1$/m);
      // Run it as nobody.
      expect(await host.did('ps -eo user=,args= | grep "[d]ist/metrics"')).toMatch(/^nobody /);
    });
  });
}
