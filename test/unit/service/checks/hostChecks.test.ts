/** The check of jump accounts, on a simulated host with the containers of alice and bob. */
import { describe, expect, it } from 'vitest';
import { checkAccounts, judgeServer } from '../../../../src/service/checks/hostChecks.ts';
import { checkSettings } from '../../../../src/settings/settings.ts';
import { field } from '../../../../src/service/instances/metadata.ts';
import { createContainer } from '../../../../src/service/create.ts';
import type { HostState } from '../../../../src/simulated/state/state.ts';
import { alice, bob, callBy, hosts, whileHeld } from '../../../support/world/hosts.ts';
import { newKey } from '../../../support/world/keys.ts';
import type { World } from '../../../support/world/world.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  for (const user of [alice, bob]) await createContainer(world.context, { user, keys: [newKey(user)] }, callBy());
});

const check = ({ context }: World) => checkAccounts(context, new AbortController().signal);
const removeAccount = (state: HostState): void => {
  state.accounts = state.accounts.filter(({ name }) => name !== 'alice');
};
const removeContainer = (state: HostState): void => {
  delete state.instances['alice-container'];
};

describe('the check of jump accounts', () => {
  it('is ok if every container has its account', async () => {
    expect(await check(await host())).toMatchObject({ severity: 'ok', detail: '2 for 2 containers' });
  });

  it.each([
    ['a container without an account', removeAccount, '1 missing, 0 without a container'],
    ['an account without a container', removeContainer, '0 missing, 1 without a container'],
  ])('counts %s, unless an operation holds its user', async (_, edit, detail) => {
    const world = await host({ edit });
    expect(await check(world)).toMatchObject({ severity: 'problem', detail });
    expect(await whileHeld(world, 'bob', () => check(world))).toMatchObject({ severity: 'problem', detail });
    expect(await whileHeld(world, 'alice', () => check(world))).toMatchObject({ severity: 'ok' });
  });

  it.each(['creating', 'deleting'])('does not count a container that was left %s as missing', async (left) => {
    const edit = (state: HostState): void => {
      removeAccount(state);
      const config = state.instances['alice-container']?.config;
      if (config !== undefined) config[field.state] = left;
    };
    expect(await check(await host({ edit }))).toMatchObject({ severity: 'ok' });
  });
});

describe('the check of sshd', () => {
  const limits = [
    ['persourcemaxstartups', '20'],
    ['persourcenetblocksize', '32:64'],
    ['maxstartups', '100:30:200'],
    ['pubkeyauthentication', 'yes'],
  ] as const;
  const jump = new Map<string, string>([...limits, ['authenticationmethods', 'publickey']]);
  const unknown = (...more: readonly (readonly [string, string])[]): Map<string, string> =>
    new Map<string, string>([...limits, ['authenticationmethods', 'any'], ...more]);
  const judge = (found: Map<string, string>, settings: object = {}): ReturnType<typeof judgeServer> =>
    judgeServer(checkSettings({ jump: settings }, 'test').jump, jump, found);

  it('is satisfied if a name without an account is offered what a jump account is offered', () => {
    expect(judge(unknown())).toBeUndefined();
  });

  it('warns of a name without an account that is offered a password', () => {
    expect(judge(unknown(['passwordauthentication', 'yes']))).toMatchObject({
      severity: 'warning',
      detail:
        'a name without an account is offered publickey, password, a jump account publickey: anyone can find out who has a container',
    });
  });

  it('warns of limits that are not in force, and of a file that sshd reads first', () => {
    expect(judge(unknown(['persourcemaxstartups', 'none']))).toMatchObject({
      severity: 'warning',
      detail: 'for all connections PerSourceMaxStartups is "none", but must be "20"',
    });
    expect(judge(unknown(), { pendingLoginsPerSource: 10 })?.detail).toContain('MaxStartups is "100:30:200"');
    expect(judge(unknown(['passwordauthentication', 'yes']), { passwordLogins: false })?.detail).toContain(
      'PasswordAuthentication is "yes", but must be "no"',
    );
  });
});
