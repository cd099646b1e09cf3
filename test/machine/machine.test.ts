/**
 * A whole jump host with ZFS, installed as in the README, from a bare Debian to a reboot and `delete`: one machine and
 * one story, in which each part continues the one before. Not part of `npm test`: it takes an hour and more, because
 * the virtual machine is emulated. Run it by hand as root on Debian: npm run test:machine
 */
import { afterAll, afterEach, beforeAll, describe, expect, vi } from 'vitest';
import { ensurePackages } from '../host/harness/index.ts';
import { backups } from './backups.ts';
import { confinement } from './confinement.ts';
import { containers } from './containers.ts';
import { installing } from './installing.ts';
import { interruptions } from './interruptions.ts';
import { JumpHost } from './jumpHost.ts';
import { quotas } from './quotas.ts';
import { snapshots } from './snapshots.ts';

vi.setConfig({ testTimeout: 40 * 60_000, hookTimeout: 60 * 60_000 });

describe('a jump host with ZFS', () => {
  const host = new JumpHost();

  beforeAll(async () => {
    expect(await ensurePackages(undefined, ['qemu-system-x86'])).toBeUndefined();
    await host.boot();
  });
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    const { stdout } = await host.machine.run(
      'journalctl --boot --no-pager --lines 60 --unit first --unit containarium --unit containarium-front --unit fail2ban',
    );
    console.info(`the end of the journal after "${task.name}":\n${stdout}`);
  });
  afterAll(() => host.stop());

  installing(host);
  containers(host);
  confinement(host);
  snapshots(host);
  quotas(host);
  backups(host);
  interruptions(host);
});
