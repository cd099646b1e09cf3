import { describe, expect, it } from 'vitest';
import { readInstallArguments, readRecoverArguments, readUpgradeArguments } from '../../../src/install/arguments.ts';

describe('the arguments of the installer', () => {
  it('are all optional', () => {
    expect(readInstallArguments([])).toEqual({
      admins: [],
      check: false,
      programOnly: false,
      root: '/',
      uninstall: false,
    });
  });

  it('name the disk, the first admin and the host', () => {
    const words = ['--data-disk', '/dev/disk/by-id/scsi-0Google_data', '--admin', 'carol', '--admin-keys=/root/a.pub'];
    expect(readInstallArguments([...words, '--hostname', 'jump.example.org', '--check'])).toEqual({
      dataDisk: '/dev/disk/by-id/scsi-0Google_data',
      admins: [{ name: 'carol', keysFile: '/root/a.pub' }],
      hostname: 'jump.example.org',
      check: true,
      programOnly: false,
      root: '/',
      uninstall: false,
    });
  });

  it('name several admins, each with a file, and a single one without a name', () => {
    const words = ['--admin', 'carol', '--admin-keys', 'c.pub', '--admin', 'dave', '--admin-keys', 'd.pub'];
    expect(readInstallArguments(words).admins).toEqual([
      { name: 'carol', keysFile: 'c.pub' },
      { name: 'dave', keysFile: 'd.pub' },
    ]);
    expect(readInstallArguments(['--admin-keys', 'a.pub']).admins).toEqual([{ name: 'admin', keysFile: 'a.pub' }]);
  });

  it.each([
    [['disk'], 'it takes no argument "disk"'],
    [['--data-disk', 'vdb'], '--data-disk "vdb" is not a path below /dev'],
    [['--data-disk', '/dev/../etc/passwd;x'], 'is not a path below /dev'],
    [['--admin', 'carol'], 'each --admin needs its --admin-keys'],
    [['--admin', 'Carol!', '--admin-keys', 'x'], '"Carol!" cannot be the name of an admin'],
    [['--admin-keys='], '--admin-keys is empty'],
    [['--admin-keys', 'a', '--admin-keys', 'b'], 'each --admin needs its --admin-keys'],
    [['--admin', 'a', '--admin-keys', 'x', '--admin', 'a', '--admin-keys', 'y'], '--admin a is given twice'],
    [['--hostname', 'a b'], '--hostname "a b" is not the name or the address of a host'],
    [['--root', '/tmp/x'], '--root needs --program-only'],
    [['--uninstall', '--hostname', 'x'], '--uninstall takes no other option but --check'],
    [['--yes'], 'option "--yes" is not valid here'],
    [['--data-disk'], 'option "--data-disk'],
  ])('are refused: %j', (words, why) => {
    expect(() => readInstallArguments(words)).toThrow(
      expect.objectContaining({ code: 'usage', why: expect.stringContaining(why) as string }),
    );
  });
});

describe('the arguments of a recovery', () => {
  it('name the disk; without --apply it is only looked at', () => {
    expect(readRecoverArguments(['--data-disk', '/dev/sdb'])).toMatchObject({ dataDisk: '/dev/sdb', check: true });
    expect(readRecoverArguments(['--data-disk', '/dev/sdb', '--apply'])).toMatchObject({ check: false });
  });

  it.each([[[]], [['/dev/sdb']], [['--data-disk', 'sdb']], [['--data-disk', '/dev/sdb', '--admin', 'carol']]])(
    'are refused: %j',
    (words) => {
      expect(() => readRecoverArguments(words)).toThrow(expect.objectContaining({ code: 'usage' }));
    },
  );
});

describe('the arguments of an upgrade', () => {
  it('name an archive, which never looks like an option to another program', () => {
    expect(readUpgradeArguments(['--', '-x.tar.gz'])).toEqual({ archive: './-x.tar.gz', allowDowngrade: false });
    expect(readUpgradeArguments(['/tmp/a.tar.gz', '--sha256', 'A'.repeat(64), '--allow-downgrade'])).toEqual({
      archive: '/tmp/a.tar.gz',
      sha256: 'a'.repeat(64),
      allowDowngrade: true,
    });
  });

  it.each([
    [[], 'it needs the archive of a release'],
    [['a', 'b'], 'it takes no argument "b"'],
    [['a', '--sha256', 'abc'], '--sha256 must be 64 hexadecimal digits'],
  ])('are refused: %j', (words, why) => {
    expect(() => readUpgradeArguments(words)).toThrow(expect.objectContaining({ code: 'usage', why }));
  });
});
