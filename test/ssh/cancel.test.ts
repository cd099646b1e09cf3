/** Ctrl-C on a change that takes long: it is cancelled and undone, or left running, over every way in. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeKey } from '../support/keys.ts';
import { eventually, temporaryFolder, type Finished, type TestServer } from '../support/server.ts';
import { connectShell, openShell } from '../support/shell.ts';
import { startSlowServer } from '../support/slowServer.ts';

const key = (await makeKey(await temporaryFolder(), 'user')).line.trim();

/** A host whose long programs take this many milliseconds. */
const paceMs = 1500;

async function slow(): Promise<TestServer> {
  return startSlowServer(paceMs, { user: 'alice', line: key });
}

async function usersOf(server: TestServer): Promise<string[]> {
  const { result } = JSON.parse((await server.ssh(['list', '--json'])).stdout) as {
    result: { containers: { user: string }[] };
  };
  return result.containers.map(({ user }) => user);
}

interface Recorded {
  readonly type: string;
  readonly verb?: string;
  readonly outcome?: string;
  readonly failure?: { readonly code: string };
}

async function recordsOf(server: TestServer, verb: string): Promise<Recorded[]> {
  const { stdout } = await server.ssh(['audit', '--steps', '--verb', `"${verb}"`, '--json']);
  return (JSON.parse(stdout) as { result: { records: Recorded[] } }).result.records;
}

describe('Ctrl-C on a terminal', () => {
  test('cancels a create, shows its undo, and ends with 9', async () => {
    const server = await slow();
    const shell = await connectShell(server, { command: `create bob --ssh-key "${key}"` });
    onTestFinished(() => shell.close());
    await shell.said(/\[2\/5\] Starting container/);
    shell.press('ctrl-c');
    expect(await shell.ended()).toBe(9);
    expect(shell.scrollback()).toMatch(/Cancelling create bob\. Ctrl-C again does not wait for that\./);
    expect(shell.scrollback()).toMatch(/Undoing: deleting the container/);
    expect(shell.scrollback()).toMatch(/"create bob": it was cancelled, and what it had done was undone \(cancelled\)/);
    expect(await usersOf(server)).toEqual(['alice']);
    expect(await recordsOf(server, 'create')).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'operation-end', outcome: 'undone' }),
        expect.objectContaining({ type: 'outcome', failure: expect.objectContaining({ code: 'cancelled' }) }),
      ]),
    );
    // Nothing of it is left that would be in the way.
    expect(await server.ssh(['create', 'bob'], { stdin: key })).toMatchObject({ code: 0 });
  });

  test('a second time leaves the create running, says how to find it, and ends with 6', async () => {
    const server = await slow();
    const shell = await connectShell(server, { command: `create bob --ssh-key "${key}"` });
    onTestFinished(() => shell.close());
    await shell.said(/\[2\/5\] Starting container/);
    shell.press('ctrl-c');
    await shell.said(/Cancelling/);
    shell.press('ctrl-c');
    expect(await shell.ended()).toBe(6);
    expect(shell.scrollback()).toMatch(/"create bob": its undo continues in the background/);
    await eventually(
      async () => ((await server.ssh(['who'])).stdout.includes('create bob') ? undefined : true),
      'the create is over',
    );
    const next = await openShell(server);
    await next.shows(/create bob/);
    expect(await usersOf(server)).toEqual(['alice']);
  });

  test.each([
    ['image build', 'image build', 'apt-get', /\[3\/5\]/],
    ['snapshot restore', 'snapshot restore alice kept --yes', 'kept', /\[3\/4\]/],
    ['backup create', 'backup create alice', '/backups', /\[1\/2\]/],
    ['backup verify', 'backup verify alice latest', 'start', /\[2\/\d\]/],
    ['backup restore', 'backup restore alice latest --yes', 'start', /\[1\/5\]/],
  ])('cancels %s, and leaves everything as it was', async (verb, line, hanging, when) => {
    const server = await startSlowServer(
      0,
      { user: 'alice', line: key },
      {
        config: { backups: { directory: await temporaryFolder() } },
        before: ['snapshot create alice kept', 'backup create alice'],
      },
    );
    const facts = async (): Promise<string[]> =>
      Promise.all(
        ['list --json', 'snapshot list alice --json', 'backup list alice --json', 'image list --json'].map(
          async (words) =>
            (await server.ssh(words.split(' '))).stdout.replaceAll(
              /"\w*(?:Used|usage|ageMs)\w*": *\d+|"(?:started|measured)At": *"[^"]*"/gi,
              '',
            ),
        ),
      );
    const before = await facts();
    // It would hang until its time limit.
    const faults = [{ match: { program: 'incus', argIncludes: hanging, changes: true }, mode: 'hang' }];
    await writeFile(join(server.home, 'state', 'simulated-faults.json'), JSON.stringify(faults));
    const shell = await connectShell(server, { command: line });
    onTestFinished(() => shell.close());
    await shell.said(when);
    shell.press('ctrl-c');
    expect(await shell.ended(), shell.scrollback()).toBe(9);
    expect(shell.scrollback()).toMatch(/it was cancelled, and what it had done was undone \(cancelled\)/);
    expect(await facts()).toEqual(before);
    expect((await recordsOf(server, verb)).filter(({ type }) => type === 'operation-end').at(-1)).toMatchObject({
      outcome: 'undone',
    });
  });

  test('leaves a change running that cannot be cancelled, at the second time', async () => {
    const server = await slow();
    const shell = await connectShell(server, { command: 'stop alice --force' });
    onTestFinished(() => shell.close());
    await eventually(
      async () => ((await server.ssh(['who'])).stdout.includes('stop alice') ? true : undefined),
      'the stop runs',
    );
    shell.press('ctrl-c');
    await shell.said(/stop alice cannot be cancelled: it continues to its end\. Ctrl-C again does not wait for that/);
    shell.press('ctrl-c');
    expect(await shell.ended()).toBe(6);
    await eventually(
      async () => (/stopped/i.test((await server.ssh(['info', 'alice'])).stdout) ? true : undefined),
      'alice is stopped',
    );
  });
});

test('a signal of the client does the same (RFC 4254, section 6.9)', async () => {
  const server = await slow();
  const shell = await connectShell(server, { command: `create bob --ssh-key "${key}"` });
  onTestFinished(() => shell.close());
  await shell.said(/\[2\/5\] Starting container/);
  shell.signal('INT');
  expect(await shell.ended()).toBe(9);
  expect(await usersOf(server)).toEqual(['alice']);
});

test('a connection that is lost cancels nothing', async () => {
  const server = await slow();
  const shell = await connectShell(server, { command: `create bob --ssh-key "${key}"` });
  await shell.said(/\[2\/5\] Starting container/);
  shell.close();
  await eventually(async () => ((await usersOf(server)).includes('bob') ? true : undefined), 'bob is there');
});

describe('in the shell', () => {
  test('Ctrl-C cancels a create, and the line says so', async () => {
    const server = await slow();
    const shell = await openShell(server, { columns: 120 });
    shell.type(`create bob --ssh-key "${key}"`).press('enter');
    await shell.shows(/Ctrl-C cancels it/);
    await shell.shows(/\[2\/5\] Starting container/);
    shell.press('ctrl-c');
    await shell.shows(/Ctrl-C does not wait for it/);
    await shell.shows(/Undoing: deleting the container/);
    await shell.shows(/it was cancelled, and what it had done was undone/);
    expect(await usersOf(server)).toEqual(['alice']);
  });

  test('a second Ctrl-C leaves it running, gives the prompt back, and its end is told', async () => {
    const server = await slow();
    const shell = await openShell(server, { columns: 120 });
    shell.type(`create bob --ssh-key "${key}"`).press('enter');
    await shell.shows(/\[2\/5\] Starting container/);
    shell.press('ctrl-c');
    await shell.shows(/Ctrl-C does not wait for it/);
    shell.press('ctrl-c');
    await shell.shows(/"create bob": its undo continues in the background\./);
    shell.type('whoami').press('enter');
    await shell.shows(/Name: tester/);
    await shell.shows(/it was cancelled, and what it had done was undone/);
  });

  test('also where it is read aloud', async () => {
    const server = await slow();
    const shell = await connectShell(server, { command: 'plain' });
    onTestFinished(() => shell.close());
    await shell.said(/^>/m);
    shell.type(`create bob --ssh-key "${key}"\r`);
    await shell.said(/Step 1 of 5/);
    shell.press('ctrl-c');
    await shell.said(/Cancelling create bob; Ctrl-C again does not wait for that\./);
    await shell.said(/Undoing: deleting the container\./);
    await shell.said(/it was cancelled, and what it had done was undone/);
  });
});

test('on the host, SIGINT cancels, and a second one leaves', async () => {
  const server = await slow();
  const create = (...pressAfter: readonly RegExp[]): Promise<Finished> => {
    const left = [...pressAfter];
    return server.local(['create', 'bob', '--ssh-key', key], {
      said(text, child) {
        if (left[0]?.test(text) !== true) return;
        left.shift();
        child.kill('SIGINT');
      },
    });
  };
  expect(await create(/\[1\/5\] Creating container/)).toMatchObject({
    code: 9,
    stderr: expect.stringMatching(/Undoing: deleting the container/),
  });
  expect(await usersOf(server)).toEqual(['alice']);
  expect(await create(/\[1\/5\] Creating container/, /Cancelling/)).toMatchObject({
    code: 6,
    stderr: expect.stringMatching(/continues in the background/),
  });
});
