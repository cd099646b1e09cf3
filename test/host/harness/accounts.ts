/** Removes the accounts and groups that tests leave in the machine's user database. */
import { Failure } from '../../../src/domain/failure.ts';
import { Accounts } from '../../../src/host/accounts.ts';
import { ProgramRunner } from '../../../src/host/runner.ts';
import { run } from '../../../src/prepare/programs.ts';

/** Names of test groups: the prefix keeps them apart from a machine's real group. */
export const testGroup = /^cxt[a-z0-9-]{1,20}$/;

/** Removes every account whose primary group is `group`, and the group itself, if it exists. */
export async function removeAccounts(group: string): Promise<void> {
  if (!testGroup.test(group))
    throw new Failure('usage', { what: `group "${group}"`, why: "it is not the name of a test's group" });
  const accounts = new Accounts(new ProgramRunner());
  const gid = await accounts.groupId(group);
  if (gid === undefined) return;
  for (const account of (await accounts.all()).filter((each) => each.gid === gid)) {
    await accounts.endSessions(account.name);
    await accounts.remove(account.name);
  }
  await run('groupdel', [group]);
}
