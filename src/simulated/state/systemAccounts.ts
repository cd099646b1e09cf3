/** The accounts and groups of a fresh Debian 12 with Incus and sshd, so that user names can clash with them. */

export interface SystemAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly comment: string;
  readonly home: string;
  readonly shell: string;
}

const nologin = '/usr/sbin/nologin';

function entry(name: string, uid: number, gid: number, home: string, shell = nologin, comment = name): SystemAccount {
  return { name, uid, gid, comment, home, shell };
}

export const systemAccounts: readonly SystemAccount[] = [
  entry('root', 0, 0, '/root', '/bin/bash'),
  entry('daemon', 1, 1, '/usr/sbin'),
  entry('bin', 2, 2, '/bin'),
  entry('sys', 3, 3, '/dev'),
  entry('sync', 4, 65534, '/bin', '/bin/sync'),
  entry('games', 5, 60, '/usr/games'),
  entry('man', 6, 12, '/var/cache/man'),
  entry('lp', 7, 7, '/var/spool/lpd'),
  entry('mail', 8, 8, '/var/mail'),
  entry('news', 9, 9, '/var/spool/news'),
  entry('uucp', 10, 10, '/var/spool/uucp'),
  entry('proxy', 13, 13, '/bin'),
  entry('www-data', 33, 33, '/var/www'),
  entry('backup', 34, 34, '/var/backups'),
  entry('list', 38, 38, '/var/list', nologin, 'Mailing List Manager'),
  entry('irc', 39, 39, '/run/ircd', nologin, 'ircd'),
  entry('_apt', 42, 65534, '/nonexistent', nologin, ''),
  entry('nobody', 65534, 65534, '/nonexistent'),
  entry('systemd-network', 998, 998, '/', nologin, 'systemd Network Management'),
  entry('systemd-timesync', 997, 997, '/', nologin, 'systemd Time Synchronization'),
  entry('messagebus', 100, 102, '/nonexistent', nologin, ''),
  entry('sshd', 102, 65534, '/run/sshd', nologin, ''),
  entry('dnsmasq', 999, 65534, '/var/lib/misc'),
  entry('debian', 1000, 1000, '/home/debian', '/bin/bash', 'Debian'),
];

/** Names and GIDs, in the order of /etc/group. */
export const systemGroups: readonly (readonly [string, number])[] = [
  ['root', 0],
  ['daemon', 1],
  ['bin', 2],
  ['sys', 3],
  ['adm', 4],
  ['tty', 5],
  ['disk', 6],
  ['lp', 7],
  ['mail', 8],
  ['news', 9],
  ['uucp', 10],
  ['man', 12],
  ['proxy', 13],
  ['kmem', 15],
  ['cdrom', 24],
  ['sudo', 27],
  ['audio', 29],
  ['www-data', 33],
  ['backup', 34],
  ['operator', 37],
  ['list', 38],
  ['irc', 39],
  ['shadow', 42],
  ['utmp', 43],
  ['video', 44],
  ['plugdev', 46],
  ['staff', 50],
  ['games', 60],
  ['users', 100],
  ['nogroup', 65534],
  ['_ssh', 101],
  ['messagebus', 102],
  ['systemd-journal', 999],
  ['systemd-network', 998],
  ['systemd-timesync', 997],
  ['incus', 996],
  ['incus-admin', 995],
  ['debian', 1000],
];
