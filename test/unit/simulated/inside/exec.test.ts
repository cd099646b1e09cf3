import { describe, expect, test } from 'vitest';
import { base, devices, fixture } from '../support.ts';
import type { Fixture } from '../support.ts';

async function running(): Promise<Fixture> {
  const made = fixture();
  await made.incus.create('a', base, { config: {}, devices: devices('10.0.3.50') });
  await made.incus.start('a');
  return made;
}

const exec = (...argv: string[]) => ['exec', 'a', '--force-noninteractive', '--env', 'A=b', '--', ...argv];

describe('incus exec', () => {
  test.each([
    ['apt-get', 'install', '--yes', 'docker.io'],
    ['systemctl', 'enable', '--quiet', 'ssh.service'],
    ['test', '-x', '/usr/bin/docker'],
    ['useradd', '--create-home', 'alice'],
    ['rm', '-rf', '/var/cache/nothing'],
    ['truncate', '--size', '0', '/etc/machine-id'],
    ['cloud-init', 'status', '--wait'],
    ['update-rc.d', 'ssh', 'enable'],
    ['find', '/var/lib/apt/lists', '-type', 'f', '-delete'],
    ['/bin/true'],
  ])('of %s succeeds without output', async (...argv) => {
    const { run } = await running();
    expect(await run('incus', exec(...argv))).toEqual({ stdout: '', stderr: '', exitCode: 0 });
  });

  test('of systemctl is-system-running --wait prints running', async () => {
    const { incus } = await running();
    expect((await incus.exec('a', ['systemctl', 'is-system-running', '--wait'])).stdout).toBe('running\n');
  });

  test('of a program that has nothing to work on fails as the real one does', async () => {
    const { say } = await running();
    expect(await say('incus', exec('getent', 'passwd', 'alice'))).toBe('2 ');
    expect(await say('incus', exec('useradd', '--create-home', 'alice'))).toBe('0 ');
    expect(await say('incus', exec('useradd', '--create-home', 'alice'))).toBe(
      "9 useradd: user 'alice' already exists",
    );
    expect(await say('incus', exec('getent', 'passwd', 'alice'))).toBe('0 ');
    expect(await say('incus', exec('test', '-e', '/srv/nosuch'))).toBe('1 ');
    expect(await say('incus', exec('systemctl', 'is-active', 'nosuch'))).toBe('3 ');
    expect(await say('incus', exec('systemctl', 'disable', 'nosuch.socket'))).toBe(
      '1 Failed to disable unit: Unit file nosuch.socket does not exist.',
    );
  });

  test('of apt-get finds no package without an address', async () => {
    const { incus, run, say } = fixture();
    await incus.create('a', base, { config: {}, devices: { root: { type: 'disk', path: '/', pool: 'default' } } });
    await run('incus', ['start', 'a']);
    expect(await say('incus', exec('apt-get', 'install', '--yes', 'docker.io'))).toBe(
      '100 E: Unable to locate package docker.io',
    );
  });

  test('returns the exit code of the inner program', async () => {
    const { say } = await running();
    expect(await say('incus', exec('false'))).toBe('1 ');
    expect(await say('incus', exec('nosuchprogram'))).toBe('127 Error: Command not found');
    expect(await say('incus', exec('/opt/true'))).toBe('127 Error: Command not found');
    expect(await say('incus', exec('toString'))).toBe('127 Error: Command not found');
    expect(await say('incus', exec('cat', '/no/file'))).toBe('1 cat: /no/file: No such file or directory');
  });

  test('of cat prints pushed files, and of rm, truncate and find changes them', async () => {
    const { incus } = await running();
    for (const path of ['/etc/ssh/ssh_host_rsa_key', '/etc/ssh/sshd_config', '/srv/one/two', '/srv/log']) {
      await incus.pushFile({ instance: 'a', path, content: `${path}\n`, mode: '0600' });
    }
    expect((await incus.exec('a', ['cat', '/srv/log', '/srv/one/two'])).stdout).toBe('/srv/log\n/srv/one/two\n');
    await incus.exec('a', ['find', '/etc/ssh', '-name', 'ssh_host_*', '-delete']);
    expect(await incus.pullFile('a', '/etc/ssh/ssh_host_rsa_key')).toBeUndefined();
    expect(await incus.pullFile('a', '/etc/ssh/sshd_config')).toBe('/etc/ssh/sshd_config\n');
    await incus.exec('a', ['rm', '-r', '/srv/one']);
    expect(await incus.pullFile('a', '/srv/one/two')).toBeUndefined();
    await incus.exec('a', ['truncate', '--size', '0', '/srv/log']);
    expect(await incus.pullFile('a', '/srv/log')).toBe('');
  });

  test('is refused in a stopped instance', async () => {
    const { incus, say } = await running();
    await incus.stop('a');
    expect(await say('incus', exec('true'))).toBe('1 Error: Instance is not running');
  });
});
