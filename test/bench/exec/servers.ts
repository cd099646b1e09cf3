/** Bare SSH servers, in processes of their own, that answer execs with fixed bytes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { goProgram } from '../../support/downloads.ts';

/** What a bare server is given. */
export interface BareSettings {
  /** Private key file. */
  readonly hostKey: string;
  /** Public key file of the only user. */
  readonly userKey: string;
  /** What it answers, by command. */
  readonly answers: Readonly<Record<string, { readonly stdout: string; readonly stderr: string }>>;
}

export interface BareServer {
  readonly port: number;
  readonly pid: number;
  stop(): void;
}

export async function bareSsh2(settings: BareSettings): Promise<BareServer> {
  return start(process.execPath, [pathOf('bareServer.ts'), JSON.stringify(settings)]);
}

export async function bareGo(settings: BareSettings): Promise<BareServer> {
  return start(await goProgram(pathOf('goServer.go')), [JSON.stringify(settings)]);
}

export const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Starts a program whose first line is its port. */
async function start(program: string, args: readonly string[]): Promise<BareServer> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`${program} ended`)));
  ended.catch(() => undefined);
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), ended])) as [string];
  return { port: Number(line), pid: child.pid ?? -1, stop: () => void child.kill() };
}
