/** When passwords may be turned off: only on a machine where certainly no account can log in with one. */
import { describe, expect, it } from 'vitest';
import { whyPasswordsMayBeUsed, type PasswordFacts } from '../../../src/prepare/passwordLogins.ts';

/** A typical cloud machine with Debian 12: admins log in with keys. */
const cloud: PasswordFacts = {
  passwd: 'root:x:0:0:root:/root:/bin/bash\nadmin:x:1000:1000:Debian:/home/admin:/bin/bash\n',
  shadow: 'root:*:20000:0:99999:7:::\nsshd:!:20000::::::\nadmin:!$y$j9T$locked:20000:0:99999:7:::\n',
  nsswitch: '# comment\npasswd:         files systemd\ngroup:          files systemd\nshadow:         files systemd\n',
  pam: '# comment\nauth\t[success=1 default=ignore]\tpam_unix.so nullok\nauth\trequisite\tpam_deny.so\nauth\trequired\tpam_permit.so\n',
  sshd: 'port 22\npermitrootlogin without-password\nkbdinteractiveauthentication no\nauthenticationmethods any\n',
  sshdFiles: 'Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n#Match User anoncvs\nMatch all\n',
};

describe('passwords', () => {
  it('are not in use on a cloud machine whose accounts have none', () => {
    expect(whyPasswordsMayBeUsed(cloud)).toBeUndefined();
  });

  it('are not in use if only root has one, with which root may not log in', () => {
    const shadow = cloud.shadow.replace('root:*', 'root:$y$j9T$hash');
    expect(whyPasswordsMayBeUsed({ ...cloud, shadow })).toBeUndefined();
    const sshd = cloud.sshd.replace('without-password', 'yes');
    expect(whyPasswordsMayBeUsed({ ...cloud, shadow, sshd })).toBe('the account "root" has a password');
  });

  it.each<[what: string, over: Partial<PasswordFacts>, why: string]>([
    ['an account has a hash', { shadow: 'eve:$6$salt$hash:1::::::\n' }, 'the account "eve" has a password'],
    ['an account has an empty field', { shadow: 'eve::1::::::\n' }, 'the account "eve" has a password'],
    ['a line of shadow is damaged', { shadow: 'eve\n' }, 'the account "eve" has a password'],
    ['shadow is empty', { shadow: '' }, '/etc/shadow has no accounts'],
    ['passwd has a hash', { passwd: 'eve:abJnggxhB/yWI:1:1::/:/bin/sh\n' }, 'the account "eve" has a password'],
    ['accounts come from LDAP', { nsswitch: 'passwd: files ldap\nshadow: files\n' }, 'nsswitch.conf'],
    ['accounts come from sssd', { nsswitch: 'passwd: files [NOTFOUND=continue] sss\n' }, 'nsswitch.conf'],
    ['nsswitch.conf is empty', { nsswitch: '' }, 'nsswitch.conf'],
    ['PAM asks Kerberos', { pam: `auth [success=2 default=ignore] pam_krb5.so minimum_uid=1000\n${cloud.pam}` }, 'PAM'],
    ['PAM asks a module at a path', { pam: `-auth optional /lib/security/pam_otp.so\n${cloud.pam}` }, 'PAM'],
    ['PAM includes another stack', { pam: `${cloud.pam}@include otp\n` }, 'PAM'],
    ['PAM has no stack', { pam: '' }, 'PAM'],
    [
      'sshd asks for one-time codes',
      { sshd: cloud.sshd.replace('kbdinteractiveauthentication no', 'kbdinteractiveauthentication yes') },
      'KbdInteractiveAuthentication',
    ],
    [
      'sshd asks for a key and a password',
      { sshd: cloud.sshd.replace('methods any', 'methods publickey,password') },
      'AuthenticationMethods',
    ],
    ['sshd has another setting for a network', { sshdFiles: 'Match Address 10.0.0.0/8\n' }, 'Match'],
    ['sshd reads a file from elsewhere', { sshdFiles: 'Include /etc/site/sshd.conf\n' }, 'Include'],
    ['sshd says nothing', { sshd: '' }, 'KbdInteractiveAuthentication'],
  ])('count as in use if %s', (_, over, why) => {
    expect(whyPasswordsMayBeUsed({ ...cloud, ...over })).toContain(why);
  });
});
