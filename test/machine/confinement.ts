/** AppArmor confines containers, beside their user namespaces. Debian's kernel has it. */
import { describe, expect, it } from 'vitest';
import { laptop, type JumpHost } from './jumpHost.ts';

/** A limit of the container's own user namespace, which its root may set as far as the kernel is concerned. */
const sysctl = '/proc/sys/user/max_uts_namespaces';

export function confinement(host: JumpHost): void {
  describe('AppArmor', () => {
    it('confines the init of a container with the profile of Incus, in enforce mode', async () => {
      expect(await host.did('cat /sys/module/apparmor/parameters/enabled')).toBe('Y\n');
      const { pid } = JSON.parse(await host.did('incus query /1.0/instances/alice-container/state')) as { pid: number };
      const label = await host.did(`tr --delete '\\0' < /proc/${pid}/attr/current`);
      expect(label.trim()).toMatch(/^incus-alice-container_<.+ \(enforce\)$/);
      expect(await host.did('cat /sys/kernel/security/apparmor/profiles')).toMatch(
        /^incus-alice-container_<[^>]+> \(enforce\)$/m,
      );
    });

    it('is reported by doctor as confining every running container', async () => {
      const { checks } = (await host.manage('doctor')) as {
        checks: { name: string; severity: string; detail: string }[];
      };
      expect(checks.find((check) => check.name === 'AppArmor')).toMatchObject({
        severity: 'ok',
        detail: expect.stringMatching(/^AppArmor confines all \d+ running containers$/) as string,
      });
    });

    it('denies root what its user namespace allows', async () => {
      await host.manage(
        'create plain --no-docker --no-autostart --disk-quota 1GiB',
        await host.did(`cat /home/${laptop}/.ssh/id_ed25519.pub`),
      );
      const write = (instance: string) =>
        host.machine.run(`incus exec ${instance} -- sh -c 'echo 1000 > ${sysctl} && cat ${sysctl}'`);
      const denied = await write('plain-container');
      expect(denied.code).not.toBe(0);
      expect(denied.stderr).toMatch(/permission denied/i);
      // With nesting, which Docker needs, the profile of Incus leaves out this rule: it was the profile that denied.
      expect(await write('alice-container')).toMatchObject({ code: 0, stdout: '1000\n' });
      await host.manage('delete plain --purge --yes');
    });
  });
}
