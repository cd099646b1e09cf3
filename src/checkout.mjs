/**
 * Whether others than root can change what root is about to run from a checkout. npm and Node.js look for programs and
 * modules in `node_modules` of every folder above, so a user who can make that folder there, even in /tmp, has code run
 * as root.
 *
 * Plain JavaScript for Node.js 20, because it runs before anything is built.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const groupMayWrite = 0o020;
const anyoneMayWrite = 0o002;

/** Returns the lines of passwd(5) or group(5), split into fields. */
const fieldsOf = (text) => text.split('\n').map((line) => line.split(':'));

/** Returns `folder` and every folder above it. */
function upwards(folder) {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...upwards(above)];
}

/**
 * Returns why others can change what root runs from this checkout, as a clause; undefined if they cannot. The person
 * behind sudo(8) is no other: they act as root anyway.
 */
export function checkoutTrouble(
  checkout,
  {
    env = process.env,
    stat = (path) => statSync(path, { throwIfNoEntry: false }),
    passwd = readFileSync('/etc/passwd', 'utf8'),
    groups = readFileSync('/etc/group', 'utf8'),
  } = {},
) {
  const people = fieldsOf(passwd);
  const nameOf = (uid) => people.find((fields) => fields[2] === String(uid))?.[0];
  const trusted = new Set([0, ...(/^\d+$/.test(env.SUDO_UID ?? '') ? [Number(env.SUDO_UID)] : [])]);
  const isTrusted = (name) => [...trusted].some((uid) => nameOf(uid) === name);

  /** Reports whether a group has no member but those who are trusted. A group that is not listed may have any. */
  const isOwn = (gid) => {
    const group = fieldsOf(groups).find((fields) => fields[2] === String(gid));
    if (group === undefined) return false;
    const named = (group[3] ?? '').split(',').filter((name) => name !== '');
    const primary = people.filter((fields) => fields[3] === String(gid)).map(([name]) => name);
    return [...named, ...primary].every(isTrusted);
  };

  const inside = ['.', 'dist', 'node_modules', 'src'].map((name) => join(checkout, name));
  for (const path of [...inside, ...upwards(dirname(checkout))]) {
    const found = stat(path);
    if (found === undefined) continue;
    if (!trusted.has(found.uid)) return `${path} belongs to ${nameOf(found.uid) ?? `user ${found.uid}`}`;
    if ((found.mode & anyoneMayWrite) !== 0) return `every user can write to ${path}`;
    if ((found.mode & groupMayWrite) !== 0 && !isOwn(found.gid)) return `group ${found.gid} can write to ${path}`;
  }
  return undefined;
}
