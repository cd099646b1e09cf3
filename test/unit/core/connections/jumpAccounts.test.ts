/** Which users have a jump account, while the answers arrive out of order. */
import { expect, it } from 'vitest';
import { JumpAccounts } from '../../../../src/core/connections/jumpAccounts.ts';
import type { Account } from '../../../../src/host/accounts.ts';
import { accountComment } from '../../../../src/service/instances/jumpAccount.ts';

const account: Account = {
  name: 'alice',
  uid: 999,
  gid: 42,
  comment: accountComment('alice', 'operation'),
  home: '/nonexistent',
  shell: '/usr/sbin/nologin',
};

it('an older answer that arrives late does not count for the next half minute', async () => {
  const old = Promise.withResolvers<Account | undefined>();
  const answers = [old.promise, Promise.resolve(account)];
  const accounts = new JumpAccounts(
    {
      account: () => answers.shift() ?? Promise.reject(new Error('asked too often')),
      groupId: () => Promise.resolve(42),
    },
    'jump',
  );
  const first = accounts.has('alice');
  expect(await accounts.has('alice')).toBe(true);
  old.resolve(undefined);
  expect(await first).toBe(false);
  expect(await accounts.has('alice')).toBe(true);
});
