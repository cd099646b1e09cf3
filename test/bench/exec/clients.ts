/** Clients on SSH libraries that make cold execs: connect, log in by key, run one command, read its answer, close. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { connect, run } from '../list/connection.ts';
import { goProgram } from '../../support/downloads.ts';
import { pathOf } from './servers.ts';

/** The parts of an exec as a client sees them, in their order, in milliseconds. */
export const phases = ['connect', 'keyExchange', 'login', 'session', 'answer', 'close'] as const;
export type Phase = (typeof phases)[number];

export interface ColdExec {
  readonly totalMs: number;
  /** Absent if the client does not measure them. */
  readonly phases?: Readonly<Record<Phase, number>>;
}

export interface Answer {
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecClient {
  readonly name: string;
  exec(port: number, command: string): Promise<ColdExec & Partial<Answer>>;
  stop(): void;
}

/** Starts a client on golang.org/x/crypto/ssh, which runs until it is stopped, with this private key file. */
export async function goExecs(key: string): Promise<ExecClient> {
  const child = spawn(await goProgram(pathOf('goExec.go')), [key], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout);
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the Go client ended')));
  ended.catch(() => undefined);
  return {
    name: 'x/crypto',
    async exec(port, command) {
      const answer = once(lines, 'line');
      child.stdin.write(`${port} ${command}\n`);
      const [line] = (await Promise.race([answer, ended])) as [string];
      const told = JSON.parse(line) as Record<Phase, number> & Answer;
      const inMs = Object.fromEntries(phases.map((phase) => [phase, told[phase] / 1000])) as Record<Phase, number>;
      const totalMs = phases.reduce((sum, phase) => sum + inMs[phase], 0);
      return { totalMs, phases: inMs, stdout: told.stdout, stderr: told.stderr };
    },
    stop: () => void child.kill(),
  };
}

/** Returns a client on ssh2, in this process, with this private key file. */
export function ssh2Execs(key: string): ExecClient {
  const privateKey = readFileSync(key);
  return {
    name: 'ssh2',
    async exec(port, command) {
      const begunMs = performance.now();
      const client = await connect(port, privateKey);
      await run(client, command);
      client.end();
      return { totalMs: performance.now() - begunMs };
    },
    stop: () => undefined,
  };
}
