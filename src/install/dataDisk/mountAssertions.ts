/**
 * Drop-ins by which units that need the data disk do not start without it: with an empty folder in its place, Incus
 * would begin a new database, and the server a new journal.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { exists } from '../../prepare/files.ts';
import { run } from '../../prepare/programs.ts';
import type { Say } from '../step/step.ts';

const incus = '/var/lib/incus';
const home = '/var/lib/containarium';

const units = {
  'incus.service': incus,
  'incus.socket': incus,
  'incus-startup.service': incus,
  'containarium.service': home,
};

interface DropIn {
  readonly file: string;
  readonly text: string;
}

const dropIns: readonly DropIn[] = Object.entries(units).map(([unit, path]) => ({
  file: `/etc/systemd/system/${unit}.d/20-data-disk.conf`,
  text: `# Written by containarium install --data-disk.\n[Unit]\nAfter=zfs-mount.service\nAssertPathIsMountPoint=${path}\n`,
}));

/** Returns the drop-ins that are missing or differ. */
export async function missingAssertions(): Promise<readonly DropIn[]> {
  const states = await Promise.all(
    dropIns.map(async ({ file, text }) => (await exists(file)) && (await readFile(file, 'utf8')) === text),
  );
  return dropIns.filter((_, i) => states[i] !== true);
}

/** Writes the drop-ins that are missing or differ, and has systemd read them. */
export async function assertMounts(say: Say): Promise<void> {
  const missing = await missingAssertions();
  if (missing.length === 0) return;
  say('Letting Incus and the server start only while the data disk is mounted');
  for (const { file, text } of missing) {
    await mkdir(dirname(file), { recursive: true });
    await writeFileAtomic(file, text, { mode: 0o644 });
  }
  await run('systemctl', ['daemon-reload']);
}
