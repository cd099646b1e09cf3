/** Reads keys of earlier versions of the configuration file under their new names. */

/** Old key → new key, as dotted paths. A key never moves to another group. */
const renamed: Readonly<Record<string, string>> = {
  'ssh.startups': 'ssh.pendingLogins',
  'ssh.penalties.mostSources': 'ssh.penalties.maxSources',
};

/**
 * Returns a copy of `document` with the new names. If a key is there under both names, the old one stays, and the
 * schema refuses it as unknown.
 */
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
