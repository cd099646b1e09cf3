/** Which processes `Accounts.endSessions` kills, how often it looks, and when an account is removed. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
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

describe('removing an account', () => {
  /** Returns accounts whose userdel fails with each of these texts once. */
  function accountsWhoseUserdelSays(...texts: readonly string[]): { accounts: Accounts; commands: string[] } {
    const left = [...texts];
    const commands: string[] = [];
    const runner: Runner = {
      run: ({ program, args }: Command) => {
        commands.push([program, ...args].join(' '));
        const stderr = program === 'userdel' ? left.shift() : undefined;
        if (stderr === undefined) return Promise.resolve({ stdout: '', stderr: '', exitCode: 1 });
        return Promise.reject(
          new Failure('program-failed', { what: '"userdel"', why: stderr, details: { exitCode: 8, stderr } }),
        );
      },
    };
    return { accounts: new Accounts(runner, { retries: 5, minTimeout: 1, maxTimeout: 2 }), commands };
  }

  it('ends its sessions first', async () => {
    const { accounts, commands } = accountsWhoseUserdelSays();
    await accounts.remove('alice');
    expect(commands).toEqual([serving, own, 'userdel alice']);
  });

  it.each([
    'userdel: user alice is currently used by process 4711',
    'userdel: user alice is currently logged in',
    'userdel: cannot lock /etc/passwd; try again later.',
  ])('is tried again, and its sessions are ended again, after "%s"', async (text) => {
    const { accounts, commands } = accountsWhoseUserdelSays(text, text);
    await accounts.remove('alice');
    expect(commands).toEqual(Array.from({ length: 3 }, () => [serving, own, 'userdel alice']).flat());
  });

  it('fails for any other reason at once', async () => {
    const { accounts, commands } = accountsWhoseUserdelSays("userdel: user 'alice' does not exist");
    await expect(accounts.remove('alice')).rejects.toMatchObject({ code: 'program-failed' });
    expect(commands).toEqual([serving, own, 'userdel alice']);
  });
});
