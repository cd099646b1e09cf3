/**
 * A whole jump host with ZFS, from `--real` to `delete`. Not part of `npm test`: it takes half an hour, most of it in a virtual machine
 * in software. Run by hand as root on Debian: npm run test:machine
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { succeeds } from '../../src/prepare/programs.ts';
import { ensurePackages, waitUntil } from '../host/harness/index.ts';
import { makeKey } from '../support/keys.ts';
import { temporaryFolder } from '../support/server.ts';
import { startMachine, type Machine } from './machine.ts';

vi.setConfig({ testTimeout: 30 * 60_000, hookTimeout: 60 * 60_000 });

const gibibyte = 1024 ** 3;
const server = '/mnt/checkout/node_modules/.bin/node /mnt/checkout/dist/main.js';
const dataset = 'default/containers/alice-container';

describe('a jump host with ZFS', () => {
  let machine: Machine;
  let key: string;

  const did = async (command: string, stdin?: string): Promise<string> => {
    const { code, stdout, stderr } = await machine.run(command, stdin === undefined ? {} : { stdin });
    expect(code, `${command}\n${stdout}\n${stderr}`).toBe(0);
    return stdout;
  };
  const manage = async (words: string, stdin?: string): Promise<any> => {
    const login = 'ssh -p 2222 -i /var/lib/containarium/keys/admin_ed25519 -o StrictHostKeyChecking=accept-new manage@localhost';
    return (JSON.parse(await did(`${login} ${words} --json`, stdin)) as { result: unknown }).result;
  };
  const property = async (name: string): Promise<number> => Number(await did(`zfs get -Hpo value ${name} ${dataset}`));
  const fill = (mebibytes: number) => machine.run(`incus exec alice-container -- dd if=/dev/urandom of=/root/fill bs=1M count=${mebibytes} conv=fsync`);

  beforeAll(async () => {
    expect(await ensurePackages()).toBeUndefined();
    expect(await succeeds('qemu-system-x86_64', ['--version']), 'install qemu-system-x86').toBe(true);
    key = (await makeKey(join(await temporaryFolder()), 'alice')).line;
    machine = await startMachine((line) => void process.stderr.write(`${line}\n`));
  });
  afterAll(async () => machine?.stop());

  it('is prepared by --real, with a ZFS pool', async () => {
    const settings = [
      'jump: {hostname: 127.0.0.1}',
      `image: {base: ${machine.baseImage}, packages: []}`,
      'defaults: {cpu: 1, memory: 1GiB, disk: 3GiB}',
      // In software everything takes its time.
      'timeouts: {readyMs: 600000, readMs: 120000, changeMs: 600000, copyMs: 1800000}',
    ];
    await did('mkdir -p /var/lib/containarium && cat > /var/lib/containarium/containarium.yaml', `${settings.join('\n')}\n`);
    // As a unit, as "npm run service:install" does it; npm itself is not on that machine.
    await did(`systemd-run --quiet --unit containarium ${server} serve --real`);
    const log = (): Promise<string> => did('journalctl --unit containarium --output cat --no-pager');
    await waitUntil(async () => /^Listening|^Error/m.test(await log()), 20 * 60_000, 5000);
    expect(await log()).toMatch(/Creating the storage pool "default" \(zfs of \d+ GiB\)[^]*Host: +Incus on this machine/);
    expect(await did('zpool list -Ho name,health')).toBe('default\tONLINE\n');
  });

  it('gives a container a quota of ZFS, in which it stays', async () => {
    await did(`incus image import --quiet /mnt/base/metadata.tar.gz /mnt/base/rootfs.squashfs --alias ${machine.baseImage}`);
    await manage('create alice --disk-quota 1GiB', key);
    expect(await property('quota')).toBe(gibibyte);

    expect((await fill(100)).code).toBe(0);
    // ZFS counts what it has written out, which it does every few seconds.
    await did('zpool sync default');
    const { container } = await manage('info alice');
    const used = await property('used');
    expect(Math.abs(container.diskUsedBytes - used)).toBeLessThan(16 * 1024 ** 2);
    expect(used).toBeGreaterThan(100 * 1024 ** 2);

    const full = await fill(1100);
    expect(full.code).not.toBe(0);
    expect(full.stderr).toMatch(/Disk quota exceeded|No space left/);
    // ZFS enforces a quota a little late (zfsprops(7)): what was under way is still written.
    expect(await property('used')).toBeLessThan(gibibyte + 16 * 1024 ** 2);
  });

  it('resizes it, and takes all of it away', async () => {
    await manage('resize alice --disk-quota 2GiB --memory 1536MiB --cpu 2');
    expect(await property('quota')).toBe(2 * gibibyte);
    expect((await fill(1100)).code).toBe(0);
    await manage('delete alice --yes');
    expect(await did('zfs list -Ho name')).not.toContain('alice');
    const { checks } = await manage('doctor');
    expect(checks.filter((check: { severity: string }) => check.severity === 'problem')).toEqual([]);
    expect((await manage('reconcile')).differences).toEqual([]);
  });
});
