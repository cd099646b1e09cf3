/** The scripts of the first boot that make a container's files and its user, run by a real shell. */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeHostKey } from '../../../../src/host/hostKey.ts';
import { recipe } from '../../../../src/service/images/recipe.ts';
import { bundle, bundleFiles, seedOf } from '../../../../src/service/images/seed.ts';
import { temporaryFolder } from '../../../support/server.ts';

let root: string;
beforeEach(async () => {
  root = await temporaryFolder();
});

async function put(path: string, content: string, mode = 0o644): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content, { mode });
}
const read = (path: string): Promise<string | undefined> => readFile(join(root, path), 'utf8').catch(() => undefined);

/** Runs a script with every path below the test's folder, and with stand-ins for what would change this machine. */
async function run(script: string): Promise<string[]> {
  const log = join(root, 'log');
  await writeFile(log, '');
  for (const name of ['hostname', 'usermod', 'userdel', 'useradd', 'systemctl'])
    await put(`/stand-ins/${name}`, `#!/bin/sh\necho "${name} $*" >> ${log}\n`, 0o755);
  await execa('sh', ['-c', script.replaceAll(/(?<=[\s="])\/(etc|home|lib)\//g, `${root}/$1/`)], {
    env: { PATH: `${join(root, 'stand-ins')}:${process.env['PATH'] ?? ''}` },
  });
  return (await readFile(log, 'utf8')).split('\n').slice(0, -1);
}

const hostKey = makeHostKey('alice-container');
const facts = {
  user: 'alice',
  name: 'alice-container',
  docker: true,
  network: {
    address: '10.0.3.101',
    gateway: '10.0.3.1/24',
    router: '10.0.3.1',
    nameservers: ['10.0.3.1'],
    ipv6: false,
  },
  keys: [
    {
      line: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHvBdn0vN2nJ0ypCYiYIxKkTzUBVFP4Rk8ZZ5TcDMV1h $(reboot) `\\n`',
      addedAt: '',
      addedBy: '',
    },
  ],
  hostKey,
};

describe('the script that makes the files of a bundle', () => {
  const script = bundleFiles.find(({ path }) => path === '/etc/containarium/unbundle')?.content ?? '';
  /** Writes a bundle of files below the test's folder, as Incus does. */
  const seed = (text: string): Promise<void> =>
    put('/etc/containarium/seed/bundle', text.replaceAll(/^(=\d+ )/gm, `$1${root}`));

  it('makes each file with its mode and its content, and removes the bundle with the private key', async () => {
    const files = Object.values(seedOf(facts)).flat();
    await seed(bundle(files));
    await run(script);
    for (const { path, mode, content } of files) {
      expect(await read(path), path).toBe(content);
      expect(((await stat(join(root, path))).mode & 0o777).toString(8), path).toBe(mode.slice(1));
    }
    expect(await readdir(join(root, '/etc/containarium/seed'))).not.toContain('bundle');
    expect((await stat(join(root, '/etc/ssh/authorized_keys.d'))).mode & 0o777).toBe(0o755);
  });

  it('takes nothing of a line for a command, a path or an escape', async () => {
    const content = '=0644 /etc/x\n $(touch /etc/y)\n\\n%s\\\n\n-n\n';
    await seed(bundle([{ path: '/etc/odd', mode: '0600', content }]));
    await run(script);
    expect(await read('/etc/odd')).toBe(content);
    expect(await readdir(join(root, '/etc'))).toEqual(['containarium', 'odd']);
  });

  it('writes the private key last, without which sshd does not start', () => {
    expect(Object.values(seedOf(facts)).flat().at(-1)?.path).toBe('/etc/ssh/ssh_host_ed25519_key');
  });
});

describe('the script of the first boot', () => {
  const script = recipe([]).files.find(({ path }) => path === '/etc/containarium/first-boot')?.content ?? '';
  const accounts = {
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\ncontainarium:x:1000:1000::/home/containarium:/bin/bash\n',
    '/etc/shadow': 'root:*:1:0:99999:7:::\ncontainarium:*:1:0:99999:7:::\n',
    '/etc/group': 'sudo:x:27:containarium\nadm:x:4:syslog,containarium,x\ndocker:x:104:\ncontainarium:x:1000:\n',
    '/etc/gshadow': 'sudo:*::containarium\nadm:*::syslog,containarium,x\ndocker:!::\ncontainarium:!::\n',
    '/etc/subuid': 'containarium:100000:65536\n',
    '/etc/subgid': 'containarium:100000:65536\n',
  };
  beforeEach(async () => {
    for (const [path, text] of Object.entries(accounts)) await put(path, text);
    await put('/home/containarium/.profile', 'profile\n');
    await put('/etc/hosts', '127.0.0.1 localhost\n');
    await put('/etc/sudoers.d/README', '');
    for (const { path, content } of seedOf(facts).user) await put(path, content);
  });

  it("gives the image's account the user's name, everywhere, and starts no program for it that waits for the disk", async () => {
    expect(await run(script)).toEqual(['hostname alice-container']);
    for (const path of Object.keys(accounts)) expect(await read(path), path).not.toContain('containarium');
    expect(await read('/etc/passwd')).toContain('\nalice:x:1000:1000::/home/alice:/bin/bash\n');
    expect(await read('/etc/group')).toBe(
      'sudo:x:27:alice\nadm:x:4:syslog,alice,x\ndocker:x:104:alice\nalice:x:1000:\n',
    );
    expect(await read('/etc/gshadow')).toBe('sudo:*::alice\nadm:*::syslog,alice,x\ndocker:!::alice\nalice:!::\n');
    expect(await read('/etc/subuid')).toBe('alice:100000:65536\n');
    expect(await read('/home/alice/.profile')).toBe('profile\n');
    expect(await read('/etc/sudoers.d/90-containarium')).toBe('alice ALL=(ALL) NOPASSWD:ALL\n');
    expect(await read('/etc/hosts')).toContain('127.0.1.1 alice-container\n');
    expect(await readdir(join(root, '/etc/containarium/seed'))).not.toContain('user');
  });

  it('adds the user to a group of Docker that has members', async () => {
    await put('/etc/group', accounts['/etc/group'].replace('docker:x:104:', 'docker:x:104:ci'));
    await run(script);
    expect(await read('/etc/group')).toContain('docker:x:104:ci,alice\n');
  });

  it('masks Docker, and adds nobody to its group, where the container is not to have it', async () => {
    await put('/etc/containarium/seed/docker', 'no\n');
    await put('/lib/systemd/system/docker.service', '');
    expect(await run(script)).toContain('systemctl mask --now docker.service docker.socket containerd.service');
    expect(await read('/etc/group')).toContain('docker:x:104:\n');
  });

  it('takes an account of the base image that has the name, and removes its own', async () => {
    await put('/etc/passwd', `${accounts['/etc/passwd']}alice:x:1001:1001::/home/alice:/bin/bash\n`);
    expect(await run(script)).toEqual([
      'hostname alice-container',
      'usermod --append --groups sudo alice',
      'userdel --remove containarium',
    ]);
  });

  it('renames the account after a boot that was cut in the middle of it, also without subordinate ids', async () => {
    await rename(join(root, '/home/containarium'), join(root, '/home/alice'));
    await rm(join(root, '/etc/subuid'));
    await run(script);
    expect(await read('/etc/passwd')).toContain('\nalice:x:1000:1000::/home/alice:/bin/bash\n');
    expect(await read('/etc/subuid')).toBeUndefined();
  });

  it('can run again after a boot that was cut at its end', async () => {
    await run(script);
    await put('/etc/containarium/seed/user', 'alice\n');
    await run(script);
    expect(await read('/etc/group')).toContain('docker:x:104:alice\n');
  });
});
