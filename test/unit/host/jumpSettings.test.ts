import { expect, it } from 'vitest';
import {
  jumpSettingFaults,
  jumpSettings,
  offeredMethods,
  serverSettingFaults,
} from '../../../src/host/jumpSettings.ts';
import { renderSshdDropIn } from '../../../src/prepare/sshdDropIn.ts';

const folder = '/srv/a b/100%/';

/** What `sshd -T` prints for a jump account when the drop-in is in force (OpenSSH 9.2: it removes quotes). */
function inForce(): Map<string, string> {
  const block = renderSshdDropIn({ group: 'jump', authorizedKeysFolder: folder }).split(/^Match .*\n/m)[1] ?? '';
  return new Map(
    block
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const [keyword = '', ...value] = line.split(' ');
        return [keyword.toLowerCase(), value.join(' ').replaceAll('"', '')];
      }),
  );
}

it('jumpSettingFaults finds none when the drop-in is in force, whatever its folder is called', () => {
  expect(jumpSettingFaults(inForce(), folder)).toEqual([]);
});

it('jumpSettingFaults finds each setting that is missing or another one', () => {
  for (const [keyword, value] of jumpSettings(folder).flatMap(({ settings }) => settings)) {
    const changed = inForce().set(keyword.toLowerCase(), 'other');
    expect(jumpSettingFaults(changed, folder)).toEqual([`${keyword} is "other", but must be "${value}"`]);
    changed.delete(keyword.toLowerCase());
    expect(jumpSettingFaults(changed, folder)).toEqual([`${keyword} is not set, but must be "${value}"`]);
  }
});

it('serverSettingFaults finds a limit that is missing or another one, and passwords that should be off', () => {
  const wanted = { pendingLoginsPerSource: 20, passwordLogins: true };
  const inForce = new Map([
    ['persourcemaxstartups', 'none'],
    ['persourcenetblocksize', '32:64'],
    ['maxstartups', '100:30:200'],
    ['passwordauthentication', 'yes'],
    ['kbdinteractiveauthentication', 'no'],
  ]);
  expect(serverSettingFaults(inForce, wanted)).toEqual(['PerSourceMaxStartups is "none", but must be "20"']);
  inForce.set('persourcemaxstartups', '20');
  expect(serverSettingFaults(inForce, wanted)).toEqual([]);
  expect(serverSettingFaults(inForce, { ...wanted, passwordLogins: false })).toEqual([
    'PasswordAuthentication is "yes", but must be "no"',
  ]);
});

it.each<[methods: string, enabled: readonly string[], offered: readonly string[]]>([
  ['any', ['pubkeyauthentication', 'passwordauthentication'], ['publickey', 'password']],
  ['publickey', ['pubkeyauthentication', 'passwordauthentication'], ['publickey']],
  ['publickey,password keyboard-interactive:pam', ['pubkeyauthentication', 'passwordauthentication'], ['publickey']],
  ['any', ['gssapiauthentication', 'hostbasedauthentication'], ['gssapi-with-mic', 'hostbased']],
])('offeredMethods with AuthenticationMethods %s and %j are %j', (methods, enabled, offered) => {
  const settings = new Map(enabled.map((keyword) => [keyword, 'yes']));
  expect(offeredMethods(settings.set('authenticationmethods', methods))).toEqual(offered);
});
