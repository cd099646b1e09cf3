/** Removes the empty control groups of containers whose daemon was killed. Otherwise the kernel would keep them. */
import { readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

const root = '/sys/fs/cgroup';

async function below(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    entries.filter((entry) => entry.isDirectory()).map((entry) => below(join(folder, entry.name))),
  );
  return [...found.flat(), folder];
}

/** The hierarchies: one for each controller in cgroups version 1, the root itself in version 2 (cgroups(7)). */
async function hierarchies(): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true });
  return [root, ...entries.filter((entry) => entry.isDirectory()).map((entry) => join(root, entry.name))];
}

/**
 * Removes the groups that LXC made for these instances. Groups with processes stay: another daemon may have an instance
 * of the same name.
 */
export async function removeControlGroups(instances: readonly string[]): Promise<void> {
  if (instances.length === 0) return;
  for (const hierarchy of await hierarchies()) {
    for (const name of await readdir(hierarchy).catch(() => [])) {
      const instance = /^lxc\.(?:monitor|payload)\.(.+?)(?:-\d+)?$/.exec(name)?.[1];
      if (instance === undefined || !instances.some((each) => each === instance || name.endsWith(`.${each}`))) continue;
      const groups = await below(join(hierarchy, name));
      const members = await Promise.all(
        groups.map((group) => readFile(join(group, 'cgroup.procs'), 'utf8').catch(() => '')),
      );
      if (members.some((text) => text.trim() !== '')) continue;
      for (const group of groups) await rmdir(group).catch(() => undefined);
    }
  }
}
