/** What root in a container can put in the way of the product's own work there. */
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { makeKey } from '../../support/keys.ts';
import { manage } from '../clients.ts';
import { attack, served, service, type House } from './house.ts';

const fusectl = '/sys/fs/fuse/connections';

/**
 * Makes FUSE as it is on a machine with udev and systemd: open to everybody, with its connections in /sys. Returns what
 * restores the device.
 */
async function commonFuse(): Promise<() => Promise<void>> {
  const { mode } = await stat('/dev/fuse');
  await chmod('/dev/fuse', 0o666);
  const { exitCode, stderr } = await execa('mountpoint', ['-q', fusectl], { reject: false });
  if (exitCode !== 0) {
    const mounted = await execa('mount', ['-t', 'fusectl', 'fusectl', fusectl], { reject: false });
    if (mounted.exitCode !== 0) throw new Error(`${fusectl}: ${mounted.stderr}${stderr}`);
  }
  return () => chmod('/dev/fuse', mode);
}

/** Ends what a case without its guard would leave for ever. */
async function abortAll(): Promise<void> {
  for (const connection of await readdir(fusectl)) {
    const path = join(fusectl, connection);
    if ((await stat(path)).uid !== 0) await writeFile(join(path, 'abort'), '1');
  }
}

export function sabotageCases(current: () => House): void {
  describe('against what the product does in her container', () => {
    const inAlice = (script: string): Promise<string> => {
      const { host, alice } = current();
      return host.incus.incus(['exec', alice.instance, '--', 'sh', '-c', script]);
    };
    const keysFolder = '/etc/ssh/authorized_keys.d';

    it('endless output of a program that "info" runs does not stop the server', async () => {
      const house = current();
      const { host, alice } = house;
      const flood = '#!/bin/sh\ntrap "" HUP TERM INT PIPE\nexec cat /dev/zero\n';
      await inAlice(`printf '%s' '${flood}' > /usr/bin/last && chmod 755 /usr/bin/last`);
      try {
        const info = () => host.server.ssh(['info'], { user: 'self', key: alice.key.path });
        const calls = Array.from({ length: 8 }, info);
        expect(await service(house)).toEqual(served);
        for (const call of calls) expect((await call).code).toBe(0);
      } finally {
        await inAlice('rm -f /usr/bin/last; pkill -KILL -f "[c]at /dev/zero" || true');
      }
    });

    it('keys that cannot be written inside do not hold the container', async () => {
      const { host, alice, folder } = current();
      await inAlice(`mv ${keysFolder} ${keysFolder}.kept && ln -s /nonexistent ${keysFolder}`);
      try {
        const key = await makeKey(folder, 'sabotage');
        expect((await manage(host, ['key', 'add', alice.user], key.line)).code).not.toBe(0);
        const stopped = await manage(host, ['stop', alice.user, '--force']);
        expect(stopped, stopped.stderr).toMatchObject({ code: 0 });
      } finally {
        await manage(host, ['start', alice.user]);
        await inAlice(`rm -f ${keysFolder} && mv ${keysFolder}.kept ${keysFolder}`);
      }
    });

    it('a folder in place of the keys inside vetoes no removal of a key, which never comes back', async () => {
      const { host, alice, folder } = current();
      const key = await makeKey(folder, 'revoked');
      const blob = key.line.split(' ')[1] ?? '';
      const file = `${keysFolder}/${alice.user}`;
      const jumpFile = (): Promise<string> => readFile(join(host.keysFolder, alice.user), 'utf8');
      const added = await manage(host, ['key', 'add', alice.user], key.line);
      expect(added, added.stderr).toMatchObject({ code: 0 });
      expect(await jumpFile()).toContain(blob);
      await inAlice(`mv ${file} /root/keys && mkdir ${file}`);
      try {
        const removed = await manage(host, ['key', 'remove', alice.user, key.fingerprint]);
        expect(removed, removed.stderr).toMatchObject({ code: 0 });
        expect(await jumpFile()).not.toContain(blob);
        expect((await manage(host, ['reconcile', '--apply'])).code).toBe(6);
        expect(await jumpFile()).not.toContain(blob);
      } finally {
        await inAlice(`rm -rf ${file} && mv /root/keys ${file}`);
      }
      await manage(host, ['reconcile', '--apply']);
      expect((await manage(host, ['reconcile'])).code).toBe(0);
      expect(await jumpFile()).not.toContain(blob);
      expect(await inAlice(`cat ${file}`)).not.toContain(blob);
    });

    it('a process that no signal ends does not keep her container from being stopped', async () => {
      const house = current();
      const { host, alice } = house;
      const restore = await commonFuse();
      try {
        const { pid } = await attack(house, alice, 'self-fuse', []);
        const state = await inAlice(`kill -KILL ${pid}; sleep 1; cut -d' ' -f3 /proc/${pid}/stat`);
        expect(state.trim()).toBe('D');
        const stopped = await manage(host, ['stop', alice.user, '--force']);
        expect(stopped, stopped.stderr).toMatchObject({ code: 0 });
      } finally {
        await abortAll();
        await restore();
        await manage(host, ['start', alice.user]);
      }
      expect(await service(house)).toEqual(served);
    });

    it('a FIFO in place of the keys is a difference of her container alone', async () => {
      const { host, alice } = current();
      await inAlice(`mv ${keysFolder}/${alice.user} /root/keys && mkfifo ${keysFolder}/${alice.user}`);
      try {
        const { code, stdout, stderr } = await manage(host, ['reconcile']);
        expect(code, stderr).toBe(6);
        expect(stdout).toMatch(new RegExp(`${alice.user}.*cannot be read`));
      } finally {
        await inAlice(`rm -f ${keysFolder}/${alice.user} && mv /root/keys ${keysFolder}/${alice.user}`);
      }
      expect((await manage(host, ['reconcile'])).code).toBe(0);
    });
  });
}
