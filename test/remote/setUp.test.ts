/** docs/remote.md as an admin follows it: its commands, in its order, on a server without certificates. */
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { makeKey } from '../support/keys.ts';
import {
  finished,
  repository,
  startServer,
  temporaryFolder,
  type Finished,
  type TestServer,
} from '../support/server.ts';

let server: TestServer;
let port: number;
let laptop: string;

/** The commands of a section, line for line. */
async function commandsOf(section: string): Promise<string[]> {
  const page = await readFile(join(repository, 'docs', 'remote.md'), 'utf8');
  const text = page.split('\n## ').find((part) => part.startsWith(`${section}\n`));
  if (text === undefined) throw new Error(`docs/remote.md has no section "${section}"`);
  return [...text.matchAll(/^\$ (.*)$/gm)].map(([, command]) => command ?? '');
}

/** Runs a command of the page with this server in place of the page's. */
async function run(command: string): Promise<Finished> {
  const ssh = server.sshArguments();
  const login = ssh.findIndex((word) => word.startsWith('manage@'));
  const here = command
    .replace(/^sudo /, '')
    .replaceAll('jump.example.org:50051', `localhost:${port}`)
    .replaceAll('jump.example.org', 'localhost')
    .replaceAll('203.0.113.5', '127.0.0.1')
    .replace('ssh -p 2222 manage@jump', ['ssh', ...ssh.slice(0, login + 1)].join(' '));
  const ran = await execa('bash', ['-c', here], {
    cwd: laptop,
    reject: false,
    stripFinalNewline: false,
    stdin: 'ignore',
    extendEnv: false,
    env: { PATH: `${join(laptop, 'bin')}:${process.env['PATH'] ?? ''}`, HOME: laptop, CONTAINARIUM_HOME: server.home },
  });
  return finished(ran);
}

beforeAll(async () => {
  const free = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => free.once('listening', resolve));
  ({ port } = free.address() as AddressInfo);
  await new Promise((resolve) => free.close(resolve));
  server = await startServer({ config: { remote: { listen: `127.0.0.1:${port}` } } });
  laptop = await temporaryFolder();
  await mkdir(join(laptop, 'bin'));
  await writeFile(
    join(laptop, 'bin', 'containarium'),
    `#!/bin/sh\nexec ${process.execPath} ${join(repository, 'dist', 'main.js')} "$@"\n`,
    {
      mode: 0o755,
    },
  );
  await symlink('/usr/bin/ssh', join(laptop, 'bin', 'ssh'));
  await writeFile(join(laptop, 'alice.pub'), (await makeKey(laptop, 'alice')).line);
});

test('the commands of "Set up" make a server that a laptop manages', async () => {
  const [generate, ...fromLaptop] = await commandsOf('Set up');
  const made = await run(generate ?? '');
  expect(made, made.stderr).toMatchObject({ code: 0 });
  await cp(join(laptop, 'certs'), join(laptop, '.config', 'containarium', 'certs'), { recursive: true });
  await eventually(async () => ((await run(fromLaptop[0] ?? '')).code === 0 ? true : undefined), 'the server listens');
  const answers = [];
  for (const command of fromLaptop) answers.push(await run(command));
  expect(answers.map(({ code, stderr }) => ({ code, stderr: code === 0 ? '' : stderr }))).toEqual(
    fromLaptop.map(() => ({ code: 0, stderr: '' })),
  );
  expect(fromLaptop).toHaveLength(3);
  expect(JSON.parse(answers.at(-1)?.stdout ?? '')).toMatchObject({ result: { containers: [{ user: 'alice' }] } });
});

test('the commands of "Certificates for people" give and take a certificate', async () => {
  for (const command of await commandsOf('Certificates for people')) {
    const ran = await run(command);
    expect(ran, `${command}: ${ran.stderr}`).toMatchObject({ code: 0 });
    if (command.includes('bundle.pem')) {
      const folder = join(laptop, 'carol');
      await mkdir(folder);
      await cp(join(laptop, 'bundle.pem'), join(folder, 'bundle.pem'));
      expect((await run(`containarium --server jump.example.org:50051 --certs-dir ${folder} whoami`)).stdout).toContain(
        'carol',
      );
    }
  }
  const refused = await run(`containarium --server jump.example.org:50051 --certs-dir ${join(laptop, 'carol')} whoami`);
  expect(refused.code).not.toBe(0);
});
