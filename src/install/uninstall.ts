/**
 * Removes what the installer has installed, and the firewall from the kernel.
 *
 * Containers, jump accounts, the sshd drop-in that restricts them, fail2ban's settings and the home of the server stay:
 * people reach their containers as before. Without the firewall, containers can reach this host and its networks.
 */
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { exists } from '../prepare/files.ts';
import { isFailure } from '../domain/failure.ts';
import { run, succeeds } from '../prepare/programs.ts';
import { defaultHomes, installedProgram } from '../settings/home.ts';
import { firewallUnit, installedCommand, releasesFolder, serviceUnit, systemFiles } from './program/layout.ts';
import type { Say } from './step/step.ts';

const tables = z.looseObject({
  nftables: z.array(z.looseObject({ table: z.looseObject({ family: z.string(), name: z.string() }).optional() })),
});

/** Safe to repeat. With `check` it says what it would remove. */
export async function uninstall(say: Say, { check }: { readonly check: boolean }): Promise<void> {
  // A drop-in leaves its folder behind.
  const files = Object.values(systemFiles).map((path) =>
    path.endsWith('.conf') && path.includes('.service.d/') ? dirname(path) : path,
  );
  const paths = [...files, installedCommand, installedProgram, releasesFolder, defaultHomes.system.firewall];
  if (check) {
    const present = await Promise.all(paths.map(async (path) => ((await exists(path)) ? [path] : [])));
    say(`Nothing was changed. This would stop the service and remove: ${present.flat().join(', ') || 'nothing'}`);
    return;
  }
  const units = [serviceUnit, firewallUnit];
  for (const unit of units)
    // "disable" fails for a unit that is not installed.
    if (await succeeds('systemctl', ['cat', unit]))
      await run('systemctl', ['disable', '--quiet', '--now', unit], { timeoutMs: 150_000 });
  for (const path of paths) await rm(path, { recursive: true, force: true });
  await run('systemctl', ['daemon-reload']);
  await removeFirewall();
  say('Removed the service and its firewall. Containers can now reach this host and its networks.');
  say(`Kept: containers, jump accounts, the sshd drop-in, fail2ban settings, and ${defaultHomes.system.root}.`);
}

async function removeFirewall(): Promise<void> {
  try {
    const { stdout } = await run('nft', ['--json', 'list', 'tables']);
    const lines = tables
      .parse(JSON.parse(stdout))
      .nftables.flatMap(({ table }) => (table?.name.startsWith('containarium_') ? [table] : []))
      .map(({ family, name }) => `delete table ${family} ${name}\n`);
    await run('nft', ['-f', '-'], { input: lines.join('') });
  } catch (error) {
    // Without nftables there is no firewall either.
    if (!isFailure(error, 'program-missing')) throw error;
  }
}
