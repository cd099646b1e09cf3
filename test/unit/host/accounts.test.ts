/** Which processes `Accounts.endSessions` kills, and how often it looks. */
import { describe, expect, it } from 'vitest';
import { Accounts } from '../../../src/host/accounts.ts';
import type { Command, Runner } from '../../../src/host/runner.ts';

/** Returns accounts whose pkill finds processes at its first `finds` calls, and the commands that ran. */
function accountsThatFind(finds: number): { accounts: Accounts; commands: string[] } {
  const commands: string[] = [];
  const runner: Runner = {
    run: ({ program, args }: Command) => {
      commands.push([program, ...args].join(' '));
      return Promise.resolve({ stdout: '', stderr: '', exitCode: commands.length <= finds ? 0 : 1 });
    },
  };
  return { accounts: new Accounts(runner), commands };
}

const serving = 'pkill -KILL -u 0 -f ^sshd(-session)?: alice \\[priv\\]';
const own = 'pkill -KILL -u alice';

describe('ending the sessions of an account', () => {
  it("kills root's sshd processes that serve it, then its own, and looks once if there are none", async () => {
    const { accounts, commands } = accountsThatFind(0);
    expect(await accounts.endSessions('alice')).toBe(false);
    expect(commands).toEqual([serving, own]);
  });

  it('looks again after it has found any', async () => {
    const { accounts, commands } = accountsThatFind(2);
    expect(await accounts.endSessions('alice')).toBe(true);
    expect(commands).toEqual([serving, own, serving, own]);
  });

  it('tells a connection that has not logged in from a session', async () => {
    const { accounts } = accountsThatFind(1);
    expect(await accounts.endSessions('alice')).toBe(false);
  });

  it('ends although clients keep connecting', async () => {
    const { accounts, commands } = accountsThatFind(Infinity);
    expect(await accounts.endSessions('alice')).toBe(true);
    expect(commands.length).toBeLessThanOrEqual(8);
  });
});
