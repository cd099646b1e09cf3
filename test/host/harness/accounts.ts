/** Removes the accounts and groups that tests leave in the machine's user database. */
import { Failure } from '../../../src/domain/failure.ts';
import { Accounts } from '../../../src/host/accounts.ts';
import { ProgramRunner } from '../../../src/host/runner.ts';
import { run } from '../../../src/prepare/programs.ts';

/** Names of test groups: the prefix keeps them apart from a machine's real group. */
export const testGroup = /^cxt[a-z0-9-]{1,20}$/;

/** Names of accounts that the tests create. */
const testAccount = /^cxt-[a-z0-9-]+$/;

/** Removes every account whose primary group is `group`, and the group itself, if it exists. */
export async function removeAccounts(group: string): Promise<void> {
  if (!testGroup.test(group))
    throw new Failure('usage', { what: `group "${group}"`, why: "it is not the name of a test's group" });
  const accounts = new Accounts(new ProgramRunner());
  const gid = await accounts.groupId(group);
  if (gid === undefined) return;
  for (const account of (await accounts.all()).filter((each) => each.gid === gid)) await remove(accounts, account.name);
  // 6 is "does not exist" (groupdel(8)): another test cleans up at the same time.
  await run('groupdel', [group], { allowExit: [0, 6] });
}

/**
 * Removes the groups of tests that are not among `living`, and the accounts of tests whose group does not exist. They
 * are what is left when a killed run was removed by hand, and would keep the tests from creating accounts of these
 * names. Returns what it removed.
 */
export async function removeOrphans(living: () => Promise<readonly string[]>): Promise<string[]> {
  const accounts = new Accounts(new ProgramRunner());
  // Read in the reverse order of their creation, so that nothing of a test that begins meanwhile looks orphaned.
  const users = await accounts.all();
  const groups = (await run('getent', ['group'])).stdout.split('\n').map((line) => line.split(':'));
  const alive = await living();
  const orphans = groups.map(([name = '']) => name).filter((name) => testGroup.test(name) && !alive.includes(name));
  for (const group of orphans) await removeAccounts(group);
  const gids = new Set(groups.map(([, , gid]) => Number(gid)));
  const homeless = users.filter(({ name, gid }) => testAccount.test(name) && !gids.has(gid)).map(({ name }) => name);
  for (const name of homeless) await remove(accounts, name);
  return [...orphans, ...homeless];
}

async function remove(accounts: Accounts, name: string): Promise<void> {
  try {
    await accounts.endSessions(name);
    await accounts.remove(name);
  } catch (error) {
    // Another test cleans up at the same time.
    if ((await accounts.account(name)) !== undefined) throw error;
  }
}
