/**
 * The pictures of docs/: screens of the real program. `npm run docs:pictures` takes them again. These tests compare
 * their words with the current program, without what differs between runs.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { svg, wordsOf } from '../support/pictures.ts';
import { repository, startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { openShell, type TestShell } from '../support/shell.ts';

const taking = process.env['CONTAINARIUM_TAKE_PICTURES'] === 'yes';
const columns = 92;

let server: TestServer;
let alice: TestKey;

beforeAll(async () => {
  const folder = await temporaryFolder();
  alice = await makeKey(folder, 'alice');
  server = await startServer({
    config: { jump: { hostname: 'jump.example.org', hostKeys: [] } },
    env: { CONTAINARIUM_SIMULATED_PACE_MS: '0' },
  });
  const users: readonly (readonly [string, ...string[]])[] = [
    ['bob', '--memory', '8GiB', '--label', 'team=blue'],
    ['carol', '--cpu', '2', '--memory', '2GiB'],
    ['ci-runner', '--no-autostart', '--label', 'team=build'],
  ];
  for (const [user, ...options] of users) {
    const { line } = await makeKey(folder, user);
    expect(await server.ssh(['create', user, ...options], { stdin: line })).toMatchObject({ code: 0 });
  }
  expect((await server.ssh(['stop', 'ci-runner'])).code).toBe(0);
});

interface Scene {
  readonly title: string;
  readonly says: string;
  readonly of?: 'screen' | 'all';
  /** Leads the terminal to what the picture shows. */
  play(): Promise<TestShell>;
}

const manage = 'ssh -p 2222 manage@jump.example.org';

const scenes: Readonly<Record<string, Scene>> = {
  form: {
    title: manage,
    says: 'The form of create, with a user name and a public key filled in',
    async play() {
      const shell = await openShell(server, { columns, rows: 22 });
      shell.type('create').press('enter');
      await shell.shows(/user:/);
      shell.type('alice').press('tab').paste(alice.line.trim());
      await shell.shows(/alice@laptop/);
      return shell;
    },
  },
  transcript: {
    title: manage,
    says: 'A shell: a container is created, then all containers are listed',
    of: 'all',
    async play() {
      const shell = await openShell(server, { columns, rows: 40 });
      shell.type(`create alice --ssh-key "${alice.line.trim()}"`).press('enter');
      await shell.said(/Container alice-container created/);
      shell.type('list').press('enter');
      await shell.said(/ci-runner/);
      await shell.shows(/›\s*$/m);
      return shell;
    },
  },
  list: {
    title: `${manage} list --watch`,
    says: 'The live list of all containers',
    async play() {
      const shell = await openShell(server, { columns: 120, rows: 16 });
      shell.type('list --watch').press('enter');
      await shell.shows(/measured[^]*ci-runner/);
      return shell;
    },
  },
  confirmation: {
    title: manage,
    says: 'The question that delete asks: what will be lost, and the name to type',
    async play() {
      const shell = await openShell(server, { columns, rows: 22 });
      shell.type('delete bob').press('enter');
      await shell.shows(/Type "bob"/);
      return shell;
    },
  },
  card: {
    title: 'ssh -p 2222 self@jump.example.org',
    says: 'What a user sees at self@: their container, their keys, and the configuration for ssh',
    of: 'all',
    async play() {
      const shell = await openShell(server, { columns, rows: 40, user: 'self', key: alice.path });
      await shell.said(/keys remove/);
      return shell;
    },
  },
};

test.each(Object.entries(scenes))('the picture "%s" shows the current program', async (name, scene) => {
  const shell = await scene.play();
  const rows = shell.styled(scene.of);
  while (rows.at(-1)?.length === 0) rows.pop();
  const width = Math.max(
    columns,
    ...rows.map((runs) => runs.reduce((end, { column, text }) => Math.max(end, column + text.length), 0)),
  );
  const picture = svg(rows, width, scene.title, scene.says);
  const path = join(repository, 'docs', 'pictures', `${name}.svg`);
  if (taking) await writeFile(path, picture);
  expect(wordsOf(await readFile(path, 'utf8')), 'run "npm run docs:pictures" and look at the pictures').toBe(
    wordsOf(picture),
  );
});
