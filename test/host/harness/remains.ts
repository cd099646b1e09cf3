/**
 * Finds and removes everything that one test Incus put on this machine. The folder is all it needs, so that the test
 * itself can do it, its guardian if the test was killed, or a later run if both were.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { renderRemoval } from '../../../src/host/firewall/ruleset.ts';
import { findIncusd, socketAnswers } from '../../../src/prepare/daemon.ts';
import { run, succeeds } from '../../../src/prepare/programs.ts';
import { removeAccounts, removeOrphans } from './accounts.ts';
import { removeControlGroups } from './cgroups.ts';
import { freeLoopDevices, mountsUnder, removeFolder, unmountUnder } from './mounts.ts';
import { endProcesses, processes, runs, waitUntil, withDescendants } from './processes.ts';
import type { Process } from './processes.ts';

/** Parent of the folders of all tests. Not under /tmp, whose permissions sshd's StrictModes rejects. */
export const parentFolder = '/var/lib';
export const folderPrefix = 'containarium-test-';

/** Facts about a test's folder, in a file that exists from the moment that the folder has its name. */
const ownerSchema = z.strictObject({
  /** Mark of the test's process; see `markOf`. */
  mark: z.string(),
  /** Name of the bridge and of the accounts' group. */
  id: z.string().regex(/^cxt[0-9a-f]{8}$/),
});
export type Owner = z.infer<typeof ownerSchema>;
export const ownerFile = 'owner.json';

async function readOwner(folder: string): Promise<Owner | undefined> {
  try {
    return ownerSchema.parse(JSON.parse(await readFile(join(folder, ownerFile), 'utf8')));
  } catch {
    return undefined;
  }
}

export function incusEnv(folder: string): Record<string, string> {
  return { INCUS_DIR: join(folder, 'incus'), INCUS_CONF: join(folder, 'client') };
}

/**
 * Returns the processes that name the folder in their arguments (daemon, dnsmasq, container monitors, sshd), with their
 * descendants.
 */
async function ownProcesses(folder: string): Promise<Process[]> {
  const all = await processes();
  const named = all.filter(
    (each) =>
      each.commandLine.includes(`${folder}/`) && each.pid !== process.pid && !each.commandLine.includes('guardian.ts'),
  );
  return withDescendants(all, named).filter((each) => each.pid !== process.pid);
}

/**
 * Asks the daemon to delete what it manages, in the order that its references allow. The later steps remove what this
 * one cannot.
 */
async function emptyIncus(env: Record<string, string>, bridge: string): Promise<void> {
  const incus = async (...args: string[]): Promise<string | undefined> =>
    run('incus', args, { env, timeoutMs: 120_000 }).then(
      (result) => result.stdout,
      () => undefined,
    );
  const list = async (...args: string[]): Promise<string[]> =>
    (await incus(...args))?.split('\n').filter((line) => line !== '') ?? [];
  for (const line of await list('list', '--all-projects', '--format', 'csv', '--columns', 'en')) {
    const [project = 'default', name = ''] = line.split(',');
    await incus('delete', '--force', '--project', project, name);
  }
  const images = await list('image', 'list', '--format', 'csv', '--columns', 'F');
  if (images.length > 0) await incus('image', 'delete', ...images);
  await run('incus', ['profile', 'edit', 'default'], { env, input: 'config: {}\ndevices: {}\n', allowExit: 'any' });
  await incus('network', 'delete', bridge);
  for (const line of await list('storage', 'list', '--format', 'csv', '--columns', 'n'))
    await incus('storage', 'delete', line);
}

/**
 * Stops the daemon as systemd would, within a time limit: `incus admin shutdown` also stops containers and unmounts.
 */
async function stopDaemon(folder: string, env: Record<string, string>): Promise<void> {
  await succeeds('incus', ['admin', 'shutdown', '--timeout', '20'], { env, timeoutMs: 40_000 });
  const incusd = await findIncusd();
  const daemonRuns = async (): Promise<boolean> =>
    (await ownProcesses(folder)).some((each) => each.commandLine.startsWith(incusd));
  await waitUntil(async () => !(await daemonRuns()), 20_000);
}

/** Returns the nftables chains that Incus made for a bridge, and for instances of this folder without interface. */
async function removeFirewallRules(bridge: string, instances: readonly string[]): Promise<void> {
  const listed = await run('nft', ['--json', 'list', 'chains'], { allowExit: 'any' });
  if (listed.exitCode !== 0) return;
  const { nftables } = JSON.parse(listed.stdout) as {
    nftables: { chain?: { family: string; table: string; name: string } }[];
  };
  const interfaces = await readdir('/sys/class/net');
  for (const { chain } of nftables) {
    if (chain?.table !== 'incus') continue;
    const ours = chain.name.endsWith(`.${bridge}`);
    const orphan = async (): Promise<boolean> => {
      // Another daemon may have an instance of the same name, but its chain names an existing interface.
      if (!instances.some((name) => chain.name.includes(`.${name}.`))) return false;
      const { stdout } = await run('nft', ['list', 'chain', chain.family, chain.table, chain.name], {
        allowExit: 'any',
      });
      const named = [...stdout.matchAll(/[io]ifname "([^"]+)"/g)].map(([, name]) => name ?? '');
      return named.length > 0 && !named.some((name) => interfaces.includes(name));
    };
    if (!ours && !(await orphan())) continue;
    await succeeds('nft', ['flush', 'chain', chain.family, chain.table, chain.name]);
    await succeeds('nft', ['delete', 'chain', chain.family, chain.table, chain.name]);
  }
}

/** Removes the firewall that the product put around the bridge. */
async function removeFirewall(bridge: string): Promise<void> {
  await run('nft', ['-f', '-'], { input: renderRemoval(bridge), allowExit: 'any' });
}

/** Lists the remains of a test Incus on this machine, one line each. */
export async function remains(folder: string, id: string): Promise<string[]> {
  const left: string[] = [];
  for (const each of await ownProcesses(folder)) left.push(`process ${each.pid}: ${each.commandLine}`);
  for (const path of await mountsUnder(folder)) left.push(`mount ${path}`);
  if ((await readdir('/sys/class/net')).includes(id)) left.push(`bridge ${id}`);
  const loops = await run('losetup', ['--list', '--noheadings', '--output', 'NAME,BACK-FILE']);
  for (const line of loops.stdout.split('\n')) if (line.includes(`${folder}/`)) left.push(`loop device ${line.trim()}`);
  const rules = await run('nft', ['list', 'ruleset'], { allowExit: 'any' });
  if (rules.stdout.includes(id)) left.push(`firewall rules of ${id}`);
  if (await succeeds('getent', ['group', id])) left.push(`group ${id}`);
  if ((await readdir(parentFolder)).some((name) => join(parentFolder, name) === folder)) left.push(`folder ${folder}`);
  return left;
}

/** Removes all remains of a test Incus from this machine. Safe to repeat, and to call for an incomplete one. */
export async function removeRemains(folder: string, id: string | undefined): Promise<void> {
  const env = incusEnv(folder);
  const instances = await readdir(join(folder, 'incus', 'devices')).catch(() => []);
  if (await socketAnswers(join(folder, 'incus', 'unix.socket'))) {
    if (id !== undefined) await emptyIncus(env, id);
    await stopDaemon(folder, env);
  }
  await endProcesses(await ownProcesses(folder), 1000);
  await removeControlGroups(instances);
  await unmountUnder(folder);
  await freeLoopDevices(folder);
  if (id !== undefined) {
    // The rules of a test's LAN name the bridge (tenants/lan.ts).
    while (await succeeds('ip', ['rule', 'del', 'iif', id]));
    if ((await readdir('/sys/class/net')).includes(id)) await succeeds('ip', ['link', 'delete', id]);
    await removeFirewallRules(id, instances);
    await removeFirewall(id);
    await removeAccounts(id);
  }
  await removeFolder(folder);
}

/**
 * Removes the remains of runs that were killed together with their guardians, and of those whose folders were removed
 * by hand. Returns the removed folders, groups and accounts.
 */
export async function sweep(): Promise<string[]> {
  const removed: string[] = [];
  for (const name of (await readdir(parentFolder)).filter((each) => each.startsWith(folderPrefix))) {
    const folder = join(parentFolder, name);
    const owner = await readOwner(folder);
    if (owner !== undefined && (await runs(owner.mark))) continue;
    await removeRemains(folder, owner?.id);
    removed.push(folder);
  }
  // A group is younger than its folder, and is removed before it.
  const living = async (): Promise<string[]> =>
    (await readdir(parentFolder))
      .filter((name) => name.startsWith(folderPrefix))
      .map((name) => `cxt${name.slice(name.lastIndexOf('-') + 1)}`);
  return [...removed, ...(await removeOrphans(living))];
}
