import { describe, expect, it } from 'vitest';
import { includesDropIns } from '../../../src/prepare/sshd.ts';
import { renderSshdDropIn } from '../../../src/prepare/sshdDropIn.ts';

/** The keywords that the drop-in may use: sshd_config(5) of OpenSSH 9.2 allows them inside Match. */
const allowedInMatch = new Set(
  (
    'AllowAgentForwarding AllowStreamLocalForwarding AllowTcpForwarding AuthenticationMethods AuthorizedKeysCommand AuthorizedKeysFile ' +
    'ClientAliveCountMax ClientAliveInterval ForceCommand GatewayPorts KbdInteractiveAuthentication MaxSessions PasswordAuthentication PermitListen ' +
    'PermitTTY PermitTunnel PermitUserRC PubkeyAuthentication TrustedUserCAKeys X11Forwarding'
  ).split(' '),
);

const settings = { group: 'containarium-jump', authorizedKeysFolder: '/var/lib/containarium/authorized_keys' };

function keywords(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

describe('the sshd drop-in', () => {
  it('has only limits of pending logins before its Match block, and closes the block', () => {
    const lines = keywords(renderSshdDropIn(settings));
    expect(lines.slice(0, 4)).toEqual([
      'PerSourceMaxStartups 20',
      'PerSourceNetBlockSize 32:64',
      'MaxStartups 100:30:200',
      'Match Group containarium-jump',
    ]);
    expect(lines.at(-1)).toBe('Match all');
    expect(lines.filter((line) => line.startsWith('Match'))).toHaveLength(2);
  });

  it('turns passwords off for every account, before its Match block, if it is told to', () => {
    const lines = keywords(renderSshdDropIn({ ...settings, passwordLogins: false, pendingLoginsPerSource: 3 }));
    expect(lines.slice(0, 6)).toEqual([
      'PerSourceMaxStartups 3',
      'PerSourceNetBlockSize 32:64',
      'MaxStartups 15:30:30',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'Match Group containarium-jump',
    ]);
  });

  it('uses only keywords that Match allows, each once', () => {
    const lines = keywords(renderSshdDropIn(settings));
    const names = lines
      .slice(lines.findIndex((line) => line.startsWith('Match')) + 1, -1)
      .map((line) => line.split(' ')[0] ?? '');
    expect(names.filter((name) => !allowedInMatch.has(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  it('names one file per account, and keeps special characters of the folder', () => {
    expect(keywords(renderSshdDropIn(settings))).toContain(
      'AuthorizedKeysFile /var/lib/containarium/authorized_keys/%u',
    );
    expect(keywords(renderSshdDropIn({ ...settings, authorizedKeysFolder: '/srv/a b/100%/' }))).toContain(
      'AuthorizedKeysFile "/srv/a b/100%%/%u"',
    );
  });

  it.each(['relative', '/with"quote', '/with\nMatch all', '/back\\slash'])(
    'refuses the folder %j',
    (authorizedKeysFolder) => {
      expect(() => renderSshdDropIn({ ...settings, authorizedKeysFolder })).toThrow(
        expect.objectContaining({ code: 'settings' }),
      );
    },
  );

  it.each(['', 'a b', 'a,b', '*', '!root', 'a\nMatch all'])('refuses the group %j', (group) => {
    expect(() => renderSshdDropIn({ ...settings, group })).toThrow(expect.objectContaining({ code: 'settings' }));
  });
});

describe('the main configuration of sshd', () => {
  it.each([
    'Include /etc/ssh/sshd_config.d/*.conf\nPort 22',
    '# x\ninclude sshd_config.d/*.conf',
    'Include "/etc/ssh/sshd_config.d/*.conf"',
  ])('counts as including its drop-ins with %j', (text) => {
    expect(includesDropIns(text)).toBe(true);
  });

  it.each([
    'Port 22',
    '#Include /etc/ssh/sshd_config.d/*.conf',
    'Match User a\nInclude /etc/ssh/sshd_config.d/*.conf',
    'Include /etc/ssh/other.d/*.conf',
  ])('does not count as including its drop-ins with %j', (text) => {
    expect(includesDropIns(text)).toBe(false);
  });
});
