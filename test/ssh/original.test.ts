/**
 * The command lines of the original's README, as they stand there, in local mode: each works, or its answer names the
 * command that does it here. Only places are replaced: folders, and what stands in angle brackets.
 */
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey } from '../support/keys.ts';
import { repository, startServer, temporaryFolder, type TestServer } from '../support/server.ts';

let server: TestServer;
/** The home of the caller. */
let home: string;
let programs: string;

beforeAll(async () => {
  [home, programs] = [await temporaryFolder(), await temporaryFolder()];
  await mkdir(join(home, '.ssh'), { mode: 0o700 });
  server = await startServer();
  for (const name of ['alice', 'bob', 'charlie', 'alice_id_ed25519']) {
    await makeKey(join(home, '.ssh'), name);
    await copyFile(join(home, '.ssh', `${name}.pub`), join(home, `${name}.pub`));
  }
  const scripts = {
    sudo: 'exec "$@"',
    containarium: `exec '${process.execPath}' '${join(repository, 'dist', 'main.js')}' "$@"`,
  };
  for (const [name, line] of Object.entries(scripts)) {
    await writeFile(join(programs, name), `#!/bin/sh\n${line}\n`);
    await chmod(join(programs, name), 0o755);
  }
});

async function run(line: string): Promise<{ code: number | undefined; text: string }> {
  const { exitCode, all } = await execa('bash', ['-c', line], {
    all: true,
    reject: false,
    stdin: 'ignore',
    cwd: home,
    extendEnv: false,
    env: {
      PATH: `${programs}:${process.env['PATH'] ?? ''}`,
      HOME: home,
      CONTAINARIUM_HOME: server.home,
      user: 'alice',
    },
  });
  return { code: exitCode, text: all };
}

/** Puts places of this test in the place of those of the README. */
function here(line: string): string {
  return (
    line
      .replace('./bin/containarium', 'containarium')
      .replace(/\/(?:tmp|path\/to|etc\/containarium)\//, `${home}/`)
      .replace('<jump-server-ip>', '35.229.246.67')
      .replace('<username>', 'alice')
      .replace('<path-to-public-key>', '~/.ssh/alice.pub')
      // A port at which nothing listens.
      .replace('--server 35.229.246.67:50051', '--server 127.0.0.1:1')
  );
}

/** Makes the container that a line acts on, or removes the one that it creates. */
async function setUp(line: string): Promise<void> {
  const [, verb = '', user = ''] = /containarium (\w+) ?(\S*)/.exec(line.replace('$user', 'alice')) ?? [];
  if (!['create', 'info', 'delete', 'resize', 'export'].includes(verb)) return;
  await run(`containarium delete ${user} --purge --yes`);
  if (verb !== 'create') await run(`containarium create ${user} --ssh-key ~/.ssh/${user}.pub`);
}

const created = /^Container (\w+)-container created$/m;
const exported = /^Host alice-dev$/m;
const noServer = /"cert issue \w+" on the server/;

describe("the README's", () => {
  test.each([
    ['sudo containarium create alice --ssh-key ~/.ssh/alice.pub', created],
    ['sudo containarium create alice --ssh-key /path/to/alice_id_ed25519.pub', created],
    ['sudo containarium create alice --ssh-key /tmp/alice_id_ed25519.pub', created],
    ['sudo containarium create <username> --ssh-key <path-to-public-key>', created],
    ['sudo containarium create bob --ssh-key ~/.ssh/bob.pub --disk-quota 50GB', /, 50 GB disk$/m],
    ['sudo containarium create charlie --ssh-key ~/.ssh/charlie.pub --autostart', created],
    ['sudo containarium create alice --ssh-key /path/to/alice.pub', created],
    ['sudo containarium create alice --ssh-key /tmp/alice.pub', created],
    ['sudo containarium create bob --ssh-key /tmp/bob.pub', created],
    ['sudo containarium create charlie --ssh-key /tmp/charlie.pub', created],
    ['sudo containarium create $user --ssh-key ~/.ssh/${user}.pub', created],
    ['sudo containarium create alice --ssh-key /tmp/alice.pub --image images:ubuntu/24.04', created],
    ['sudo containarium create bob --ssh-key /tmp/bob.pub --image images:ubuntu/24.04', created],
    ['sudo containarium create charlie --ssh-key /tmp/charlie.pub --image images:ubuntu/24.04', created],
    ['sudo containarium list', /^USER .*STATUS /m],
    ['./bin/containarium list', /^USER .*STATUS /m],
    ['./bin/containarium info alice', /Container: +alice-container/],
    ['sudo containarium info alice', /Disk Quota: +50 GiB/],
    ['sudo containarium resize alice --disk-quota 100GB', /50GiB → 100GB/],
    ['sudo containarium resize alice --disk-quota 50GB', /50GiB → 50GB/],
    ['sudo containarium delete bob --force', /^Container bob-container .* deleted/m],
    ['sudo containarium export alice --jump-ip 35.229.246.67', exported],
    ['sudo containarium export alice --jump-ip 35.229.246.67 --key ~/.ssh/containarium_alice', exported],
    ['sudo containarium cert generate --server-ip 35.229.246.67 --output-dir /etc/containarium/certs', /^Written to /m],
  ])('%s works', async (line, shows) => {
    await setUp(here(line));
    expect(await run(here(line))).toMatchObject({ code: 0, text: expect.stringMatching(shows) as string });
  });

  test.each([
    ['sudo containarium export alice --jump-ip 35.229.246.67 >> ~/.ssh/config', '.ssh/config'],
    ['sudo containarium export alice --jump-ip <jump-server-ip> > alice-ssh-config.txt', 'alice-ssh-config.txt'],
    [
      'sudo containarium export alice --jump-ip 35.229.246.67 --key ~/.ssh/containarium_alice > alice-ssh-config.txt',
      'alice-ssh-config.txt',
    ],
    [
      'sudo containarium export alice --jump-ip 35.229.246.67 --output ~/.ssh/config.d/containarium-alice',
      '.ssh/config.d/containarium-alice',
    ],
  ])('%s fills its file', async (line, path) => {
    await setUp(here(line));
    expect(await run(here(line))).toMatchObject({ code: 0 });
    const text = await readFile(join(home, path), 'utf8');
    expect(text).toMatch(exported);
    expect(text).not.toContain('JUMP-HOST');
  });

  test.each([
    ['./bin/containarium create alice', 2, /containarium create alice < key\.pub/],
    ['sudo containarium delete alice', 2, /"delete alice --yes"/],
    ['sudo containarium delete bob', 2, /"delete bob --yes"/],
    ['sudo containarium delete charlie --backup', 2, /"delete charlie --backup --yes"/],
    ['containarium daemon --address 0.0.0.0 --port 50051 --mtls', 5, /a server is already running/],
    ['containarium list --server 35.229.246.67:50051 --certs-dir ~/.config/containarium/certs', 2, noServer],
    [
      'containarium create alice --ssh-key ~/.ssh/alice.pub --server 35.229.246.67:50051 --certs-dir ~/.config/containarium/certs',
      2,
      noServer,
    ],
    [
      'containarium create alice --ssh-key ~/.ssh/alice.pub --server 35.229.246.67:50051 --certs-dir ~/.config/containarium/certs --cpu 4 --memory 8GB -v',
      2,
      noServer,
    ],
  ])('%s names what to do', async (line, code, says) => {
    await setUp(here(line));
    expect(await run(here(line))).toMatchObject({ code, text: expect.stringMatching(says) as string });
  });

  test('-v is understood in local mode too', async () => {
    const line = 'containarium create alice --ssh-key ~/.ssh/alice.pub --cpu 4 --memory 8GB -v';
    await setUp(here(line));
    const { code, text } = await run(line);
    expect(code).toBe(0);
    expect(text).toMatch(/, 8 GB memory, /);
    expect(text).toMatch(/^Journal: record \d+, /m);
  });
});
