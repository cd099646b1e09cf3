/** The jump host that the tests of this folder share, and the actions of its admin and its user. */
import { expect } from 'vitest';
import { waitUntil } from '../host/harness/index.ts';
import type { Finished } from '../support/server.ts';
import { startMachine, type Machine, type MachineOptions } from './machine.ts';

/** The account on the machine that plays a user's laptop. It has nothing of the jump host's. */
export const laptop = 'laptop';

export class JumpHost {
  #machine: Machine | undefined;

  async boot(options: Omit<MachineOptions, 'say'> = {}): Promise<void> {
    this.#machine = await startMachine({ ...options, say: (line) => void process.stderr.write(`${line}\n`) });
  }

  get machine(): Machine {
    if (this.#machine === undefined) throw new Error('the machine has not been started');
    return this.#machine;
  }

  async stop(): Promise<void> {
    await this.#machine?.stop();
  }

  /** Runs a command line as root, which must succeed; returns its standard output. */
  async did(command: string, stdin?: string): Promise<string> {
    const { code, stdout, stderr } = await this.machine.run(command, {
      timeoutMs: 30 * 60_000,
      ...(stdin === undefined ? {} : { stdin }),
    });
    expect(code, `${command}\n${stdout}\n${stderr}`).toBe(0);
    return stdout;
  }

  /** Runs a verb over ssh, as the admin from the first start. */
  ssh(words: string, stdin?: string): Promise<Finished> {
    const options = '-o StrictHostKeyChecking=accept-new -o LogLevel=ERROR -o BatchMode=yes';
    return this.machine.run(`ssh -p 2222 ${options} manage@localhost ${words}`, {
      timeoutMs: 30 * 60_000,
      ...(stdin === undefined ? {} : { stdin }),
    });
  }

  async manage(words: string, stdin?: string): Promise<any> {
    const { stdout, stderr } = await this.ssh(`${words} --json`, stdin);
    const document = JSON.parse(stdout) as { ok: boolean; result: unknown };
    expect(document.ok, `${words}\n${stdout}\n${stderr}`).toBe(true);
    return document.result;
  }

  /** Runs a command line on the laptop, as its owner. */
  onLaptop(command: string): Promise<Finished> {
    return this.machine.run(`runuser -u ${laptop} -- sh -ec '${command}'`);
  }

  async journal(...units: string[]): Promise<string> {
    return this.did(`journalctl --boot --output cat --no-pager ${units.map((unit) => `--unit ${unit}`).join(' ')}`);
  }

  /** Waits until an admin can log in; returns the output of that login. */
  async letsIn(): Promise<Finished> {
    let answer: Finished = { code: -1, stdout: '', stderr: '' };
    await waitUntil(async () => (answer = await this.ssh('whoami')).code === 0, 10 * 60_000, 2000);
    expect(answer.code, answer.stderr).toBe(0);
    return answer;
  }

  /** Expects no problem, and that Incus, accounts and keys agree. */
  async isSound(): Promise<void> {
    const { checks } = await this.manage('doctor');
    expect(checks.filter(({ severity }: { severity: string }) => severity === 'problem')).toEqual([]);
    expect((await this.manage('reconcile')).differences).toEqual([]);
  }

  unit(name: string, property: string): Promise<string> {
    return this.did(`systemctl show --property ${property} --value ${name}`).then((value) => value.trim());
  }
}
