import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleKey, source } from './workspace.ts';

const script = join(source, 'modules/jump-host/files/boot.sh');

/** Stands for a program of the machine: writes its name and arguments to "calls", a line each. */
const recorder = (name: string, more = ''): string =>
  `#!/bin/bash\nprintf '%s\\n' "${name} $*" >> "$TEST_FOLDER/calls"\n${more}`;

describe("the script that tells Google's guest agent to leave accounts alone", () => {
  it.each([
    ['a guest agent of plugins', ['ggactl_plugin', 'systemctl'], 'ggactl_plugin coreplugin restart'],
    ['an earlier one', ['systemctl'], 'systemctl try-restart google-guest-agent.service'],
  ])('restarts %s', async (_kind, programs, expected) => {
    const folder = await mkdtemp(join(tmpdir(), 'containarium-agent-'));
    try {
      for (const name of programs) {
        await writeFile(join(folder, name), recorder(name));
        await chmod(join(folder, name), 0o755);
      }
      const env = { TEST_FOLDER: folder, PATH: `${folder}:/usr/bin:/bin` };
      await execa('sh', [join(source, 'gce/files/restart-guest-agent.sh')], { env });
      expect(await readFile(join(folder, 'calls'), 'utf8')).toBe(`${expected}\n`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** The script that cloud-init starts, with an installer that only says how it was called. */
describe('the boot script of a machine', () => {
  let folder: string;
  let archive: Buffer;
  let server: Server;
  let requests: number;
  /** Number of answers that say that the server is not ready. */
  let refusals: number;
  let env: Record<string, string>;

  const file = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  const calls = async (): Promise<readonly string[]> => (await file('calls')).trimEnd().split('\n');
  const boot = (more: Readonly<Record<string, string>> = {}) =>
    execa('bash', [script], { env: { ...env, ...more }, reject: false });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'containarium-boot-'));
    for (const name of ['boot/admins', 'bin', 'home', 'containarium-1.0.0-linux-x64'])
      await mkdir(join(folder, name), { recursive: true });
    const programs = {
      'containarium-1.0.0-linux-x64/install.sh': recorder('install.sh'),
      'bin/containarium': recorder('containarium', '! grep -q nonsense "${@: -1}"\n'),
      'bin/systemctl': recorder('systemctl'),
    };
    for (const [name, text] of Object.entries(programs)) {
      await writeFile(join(folder, name), text);
      await chmod(join(folder, name), 0o755);
    }
    await execa('tar', ['-czf', join(folder, 'release.tar.gz'), '-C', folder, 'containarium-1.0.0-linux-x64']);
    archive = await readFile(join(folder, 'release.tar.gz'));
    await writeFile(join(folder, 'boot/admins/carol.pub'), `${sampleKey}\n`);
    await writeFile(join(folder, 'boot/settings.yaml'), 'jump:\n  hostname: jump.example.org\n');
    await writeFile(join(folder, 'disk'), '');
    requests = 0;
    refusals = 0;
    server = createServer((_request, response) => {
      requests += 1;
      if (requests <= refusals) response.writeHead(503).end();
      else response.end(archive);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    env = {
      TEST_FOLDER: folder,
      PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
      BOOT_FOLDER: join(folder, 'boot'),
      BOOT_RELEASES: join(folder, 'releases'),
      BOOT_HOME: join(folder, 'home'),
      BOOT_DATA_DISK: join(folder, 'disk'),
      BOOT_DISK_WAIT: '0',
      BOOT_HOSTNAME: 'jump.example.org',
      BOOT_RELEASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/release.tar.gz`,
      BOOT_RELEASE_SHA256: createHash('sha256').update(archive).digest('hex'),
      no_proxy: '127.0.0.1',
    };
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });

  it('downloads the release, again after an error, and runs its installer with all admins', async () => {
    refusals = 1;
    await writeFile(join(folder, 'boot/admins/dave.pub'), `${sampleKey} too\n`);
    expect(await boot()).toMatchObject({ exitCode: 0 });

    expect(requests).toBe(2);
    const admins = ['carol', 'dave'].map((name) => `--admin ${name} --admin-keys ${folder}/boot/admins/${name}.pub`);
    expect((await calls())[0]).toBe(
      `install.sh --data-disk ${folder}/disk --hostname jump.example.org ${admins.join(' ')}`,
    );
    expect(await file('boot/done')).toBe('');
  });

  it('runs nothing of an archive with another checksum', async () => {
    const { exitCode, stderr } = await boot({ BOOT_RELEASE_SHA256: '1'.repeat(64) });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/does not have the SHA-256 1{64}\. Nothing of it was run\. Correct release_url/);
    await expect(calls()).rejects.toThrow(/ENOENT/);
    await expect(file('boot/done')).rejects.toThrow(/ENOENT/);
  });

  it('uses the release that the image has, and asks no server', async () => {
    await mkdir(join(folder, 'releases'));
    await writeFile(join(folder, 'releases', `${env['BOOT_RELEASE_SHA256'] ?? ''}.tar.gz`), archive);
    expect(await boot()).toMatchObject({ exitCode: 0 });
    expect(requests).toBe(0);
    expect((await calls())[0]).toMatch(/^install\.sh /);
  });

  it('takes the release from a file too', async () => {
    expect(await boot({ BOOT_RELEASE_URL: `file://${folder}/release.tar.gz` })).toMatchObject({ exitCode: 0 });
    expect((await calls())[0]).toMatch(/^install\.sh /);
  });

  it('gives up when the data disk does not appear, and installs nothing', async () => {
    const { exitCode, stderr } = await boot({ BOOT_DATA_DISK: join(folder, 'no-disk') });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/no-disk did not appear within 0 s\. Is it attached/);
    await expect(calls()).rejects.toThrow(/ENOENT/);
  });

  it('attaches the data disk first, where the machine has to', async () => {
    await writeFile(join(folder, 'boot/attach-disk'), recorder('attach-disk', ': > "$TEST_FOLDER/no-disk"\n'));
    await chmod(join(folder, 'boot/attach-disk'), 0o755);
    expect(await boot({ BOOT_DATA_DISK: join(folder, 'no-disk') })).toMatchObject({ exitCode: 0 });
    expect((await calls())[0]).toBe('attach-disk ');
    // It is there now, so a second attempt attaches nothing.
    expect(await boot({ BOOT_DATA_DISK: join(folder, 'no-disk') })).toMatchObject({ exitCode: 0 });
    expect((await calls()).filter((call) => call.startsWith('attach-disk'))).toHaveLength(1);
  });

  it('applies the settings once, and leaves what an admin changed until they change', async () => {
    const current = join(folder, 'home/containarium.yaml');
    await writeFile(current, 'old: true\n');
    await boot();
    expect(await readFile(current, 'utf8')).toBe('jump:\n  hostname: jump.example.org\n');
    expect(await file('home/containarium.yaml.before-terraform')).toBe('old: true\n');
    expect((await calls()).slice(1)).toEqual([
      `containarium serve --check-settings --config ${folder}/boot/settings.yaml`,
      'systemctl try-restart containarium.service',
    ]);

    await writeFile(current, 'edited: true\n');
    await boot();
    expect(await readFile(current, 'utf8')).toBe('edited: true\n');

    await writeFile(join(folder, 'boot/settings.yaml'), 'jump:\n  hostname: other.example.org\n');
    await boot();
    expect(await readFile(current, 'utf8')).toBe('jump:\n  hostname: other.example.org\n');
  });

  it('keeps the settings of the machine when the new ones are wrong', async () => {
    await writeFile(join(folder, 'home/containarium.yaml'), 'old: true\n');
    await writeFile(join(folder, 'boot/settings.yaml'), 'nonsense: true\n');
    expect((await boot()).exitCode).not.toBe(0);
    expect(await file('home/containarium.yaml')).toBe('old: true\n');
    await expect(file('boot/done')).rejects.toThrow(/ENOENT/);
  });
});
