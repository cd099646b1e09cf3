/**
 * Simulates `getent`, `useradd`, `userdel`, `groupadd` and `pkill` with the texts and exit codes of Debian 12
 * (shadow 4.13, glibc 2.36).
 */
import { done, printed, refused } from '../program/answer.ts';
import type { Answer, SimulatedProgram, World } from '../program/answer.ts';
import { parseFlags } from '../program/flags.ts';
import type { AccountRecord, GroupRecord } from '../state/state.ts';

const short = { changes: () => true, isLong: () => false } as const;

/** The ID ranges of ordinary accounts and of system groups (login.defs(5)). */
const firstUid = 1000;
const lastUid = 60_000;
const firstSystemGid = 100;
const lastSystemGid = 999;

function passwdLine(account: AccountRecord): string {
  return `${[account.name, 'x', account.uid, account.gid, account.comment, account.home, account.shell].join(':')}\n`;
}

function groupLine(group: GroupRecord): string {
  return `${[group.name, 'x', group.gid, group.members.join(',')].join(':')}\n`;
}

function entries(world: World, database: string, key: string | undefined): string[] | undefined {
  const { accounts, groups } = world.state;
  // Like getent(1), read a key that consists of digits as an ID.
  const numeric = key !== undefined && /^\d+$/.test(key) ? Number(key) : undefined;
  const matches = (name: string, id: number): boolean =>
    key === undefined || (numeric === undefined ? name === key : id === numeric);
  if (database === 'passwd') return accounts.filter(({ name, uid }) => matches(name, uid)).map(passwdLine);
  if (database === 'group') return groups.filter(({ name, gid }) => matches(name, gid)).map(groupLine);
  return undefined;
}

export const getent: SimulatedProgram = {
  changes: () => false,
  isLong: () => false,
  run: (world, { args }) => {
    const [database = '', ...keys] = args;
    const found = (keys.length === 0 ? [undefined] : keys).map((key) => entries(world, database, key));
    if (found.includes(undefined)) return refused(1, `Unknown database: ${database}`);
    const missing = keys.length > 0 && found.some((lines) => lines?.length === 0);
    return { ...printed(found.flat().join('')), exitCode: missing ? 2 : 0 };
  },
};

const useraddFlags = {
  'no-create-home': 'none',
  'home-dir': 'value',
  'no-user-group': 'none',
  gid: 'value',
  shell: 'value',
  password: 'value',
  comment: 'value',
  key: 'value',
  system: 'none',
} as const;

/**
 * Reports whether a name would break passwd(5). Debian's shadow accepts every other name and leaves rules to adduser.
 */
function isBadName(name: string): boolean {
  return name.length > 32 || name.startsWith('-') || /[:,/\s]/.test(name);
}

function groupOf(world: World, reference: string): GroupRecord | undefined {
  const { groups } = world.state;
  return groups.find((group) => (/^\d+$/.test(reference) ? group.gid === Number(reference) : group.name === reference));
}

function nextUid(accounts: readonly AccountRecord[]): number {
  const taken = accounts.map(({ uid }) => uid).filter((uid) => uid >= firstUid && uid <= lastUid);
  return Math.max(firstUid - 1, ...taken) + 1;
}

function addAccount(world: World, args: readonly string[]): Answer {
  const parsed = parseFlags(args, useraddFlags);
  const [name, ...more] = parsed.rest;
  if (parsed.unknown !== undefined) return refused(2, `useradd: unrecognized option '${parsed.unknown}'`);
  if (name === undefined || more.length > 0) return refused(2, 'Usage: useradd [options] LOGIN');
  const comment = parsed.flags.get('comment') ?? '';
  const shell = parsed.flags.get('shell') ?? '/bin/sh';
  const groupName = parsed.flags.get('gid') ?? 'users';
  const group = groupOf(world, groupName);
  if (/[:\n]/.test(comment)) return refused(3, `useradd: invalid comment '${comment}'`);
  if (group === undefined) return refused(6, `useradd: group '${groupName}' does not exist`);
  if (!/^[/*]/.test(shell) || /[:\n]/.test(shell)) return refused(3, `useradd: invalid shell '${shell}'`);
  if (isBadName(name)) return refused(3, `useradd: invalid user name '${name}': use --badname to ignore`);
  if (world.state.accounts.some((account) => account.name === name))
    return refused(9, `useradd: user '${name}' already exists`);
  const uid = nextUid(world.state.accounts);
  if (uid > lastUid) return refused(4, `useradd: Can't get unique UID (no more available UIDs)`);
  world.state.accounts.push({
    name,
    uid,
    gid: group.gid,
    comment,
    home: parsed.flags.get('home-dir') ?? `/home/${name}`,
    shell,
  });
  return done();
}

export const useradd: SimulatedProgram = { ...short, run: (world, { args }) => addAccount(world, args) };

export const userdel: SimulatedProgram = {
  ...short,
  run: (world, { args }) => {
    const parsed = parseFlags(args, { force: 'none' });
    const [name] = parsed.rest;
    if (name === undefined || parsed.unknown !== undefined) return refused(2, 'Usage: userdel [options] LOGIN');
    const { accounts } = world.state;
    if (!accounts.some((account) => account.name === name)) return refused(6, `userdel: user '${name}' does not exist`);
    world.state.accounts = accounts.filter((account) => account.name !== name);
    for (const group of world.state.groups) group.members = group.members.filter((member) => member !== name);
    return done();
  },
};

export const groupadd: SimulatedProgram = {
  ...short,
  run: (world, { args }) => {
    const parsed = parseFlags(args, { system: 'none' });
    const [name] = parsed.rest;
    const { groups } = world.state;
    if (name === undefined || parsed.unknown !== undefined) return refused(2, 'Usage: groupadd [options] GROUP');
    if (isBadName(name)) return refused(3, `groupadd: '${name}' is not a valid group name`);
    if (groups.some((group) => group.name === name)) return refused(9, `groupadd: group '${name}' already exists`);
    const taken = new Set(groups.map((group) => group.gid));
    const isSystem = parsed.flags.has('system');
    let gid = isSystem ? lastSystemGid : firstUid;
    while (taken.has(gid)) gid += isSystem ? -1 : 1;
    if (gid < firstSystemGid || gid > lastUid)
      return refused(4, "groupadd: Can't get unique GID (no more available GIDs)");
    groups.push({ name, gid, members: [] });
    return done();
  },
};

/**
 * Never kills anything, because simulated accounts have no processes. Exit codes as in pkill(1): 1 no match, 2 no user.
 */
export const pkill: SimulatedProgram = {
  ...short,
  run: (world, { args }) => {
    const name = args[args.indexOf('-u') + 1] ?? '';
    // A number need not be the ID of an account.
    const known = /^\d+$/.test(name) || world.state.accounts.some((account) => account.name === name);
    return known ? refused(1, '') : refused(2, `pkill: invalid user name: ${name}`);
  },
};
