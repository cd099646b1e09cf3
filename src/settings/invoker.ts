/** The person who runs a command on this machine, also behind sudo. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { invokingUser } from './environment.ts';

export interface Invoker {
  readonly name: string;
  readonly home: string;
  /** Ids of the person behind sudo; undefined for anyone else. */
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

export async function invoker(env: NodeJS.ProcessEnv): Promise<Invoker> {
  const name = invokingUser(env) ?? 'admin';
  if (env['SUDO_USER'] === undefined || process.getuid?.() !== 0)
    return { name, home: homedir(), uid: undefined, gid: undefined };
  const line = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .find((candidate) => candidate.startsWith(`${name}:`));
  const [, , , , , home] = line?.split(':') ?? [];
  const number = (text: string | undefined): number | undefined =>
    text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  return { name, home: home ?? homedir(), uid: number(env['SUDO_UID']), gid: number(env['SUDO_GID']) };
}
