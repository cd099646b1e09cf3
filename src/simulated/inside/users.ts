/** Simulates the users of a container: those of every image, that of the first boot, and those added since. */
import { done, printed, refused } from '../program/answer.ts';
import type { Answer } from '../program/answer.ts';
import type { InstanceRecord } from '../state/state.ts';

/** Lines of passwd(5) that every image has. */
const systemUsers = 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n';

const passwdPath = '/etc/passwd';
/** The first boot names its user there. */
const sudoersPath = '/etc/sudoers.d/90-containarium';

/** Returns the line of passwd(5) for a user, or undefined. */
function lineOf({ files }: InstanceRecord, user: string): string | undefined {
  const own = Object.hasOwn(files, passwdPath) ? (files[passwdPath]?.content ?? '') : systemUsers;
  const [made] = (files[sudoersPath]?.content ?? '').split(' ');
  const lines = [...own.split('\n'), ...(made === undefined || made === '' ? [] : [newLine(made)])];
  return lines.find((line) => line.startsWith(`${user}:`));
}

function newLine(user: string): string {
  return `${user}:x:1000:1000::/home/${user}:/bin/bash`;
}

/** Runs `getent passwd USER`. In a copy of a host, whose files were not read, every user exists. */
export function getent(instance: InstanceRecord, args: readonly string[]): Answer {
  const [database, user = ''] = args;
  if (database !== 'passwd') return refused(1, `Unknown database: ${database ?? ''}`);
  const line = lineOf(instance, user) ?? (instance.isCopy === true ? newLine(user) : undefined);
  return line === undefined ? refused(2, '') : printed(`${line}\n`);
}

/** Runs `useradd … USER`. */
export function useradd(instance: InstanceRecord, args: readonly string[]): Answer {
  const user = args.at(-1) ?? '';
  if (lineOf(instance, user) !== undefined) return refused(9, `useradd: user '${user}' already exists`);
  const before = instance.files[passwdPath]?.content ?? systemUsers;
  instance.files[passwdPath] = { content: `${before}${newLine(user)}\n`, mode: '0644', uid: 0, gid: 0 };
  return done();
}
