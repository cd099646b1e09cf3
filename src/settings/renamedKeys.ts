/** Keys that earlier versions of the configuration file had, read under their new names. */

/** Old key → new key, both with dots, renamed within the same parent. */
const renamed: Readonly<Record<string, string>> = {
  'ssh.startups': 'ssh.pendingLogins',
  'ssh.penalties.mostSources': 'ssh.penalties.maxSources',
};

/** A copy of `document` with the new names. A key that stands under both names keeps the old one, which is refused. */
export function renameKeys(document: unknown): unknown {
  const copy: unknown = structuredClone(document);
  for (const [from, to] of Object.entries(renamed)) {
    const path = from.split('.');
    const [oldName = '', newName = ''] = [path.pop(), to.split('.').pop()];
    let parent = copy;
    for (const step of path) parent = isObject(parent) ? parent[step] : undefined;
    if (!isObject(parent) || !(oldName in parent) || newName in parent) continue;
    parent[newName] = parent[oldName];
    delete parent[oldName];
  }
  return copy;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
