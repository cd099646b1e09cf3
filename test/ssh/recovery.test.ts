/** Causes each accident of docs/recovery.md and runs its commands as they stand there; some need test/host. */
import { appendFile, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'shell-quote';
import { beforeEach, describe, expect, test } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { accidents } from '../support/recovery.ts';
import { startServer, temporaryFolder, type Finished, type TestServer } from '../support/server.ts';
import { realAccidents } from '../host/accidents.ts';
import type { HostState } from '../../src/simulated/state/state.ts';

let server: TestServer;
let keys: Readonly<Record<'alice' | 'carol' | 'mallory', TestKey>>;

beforeEach(async () => {
  const folder = await temporaryFolder();
  server = await startServer();
  keys = {
    alice: await makeKey(folder, 'alice'),
    carol: await makeKey(folder, 'carol'),
    mallory: await makeKey(folder, 'mallory'),
  };
  await must(['create', 'alice', '--memory', '4GiB'], keys.alice.line);
}, 60_000);

const manage = (words: readonly string[], stdin?: string): Promise<Finished> =>
  server.ssh(words, stdin === undefined ? {} : { stdin });
async function must(words: readonly string[], stdin?: string): Promise<Record<string, any>> {
  const { stdout, stderr, code } = await manage([...words, '--json'], stdin);
  expect(code, `${words.join(' ')}: ${stderr}`).toBe(0);
  return (JSON.parse(stdout) as { result: Record<string, any> }).result;
}
const self = (words: readonly string[], key: TestKey): Promise<Finished> =>
  server.ssh(words, { user: 'self', key: key.path });

/** Replaces a path of an installed server by that of this one. */
const local = (path: string): string => path.replace('/var/lib/containarium', server.home);

/** Runs a command of the page, and returns its exit code and output. */
async function run(line: string): Promise<Finished> {
  const tokens = parse(line);
  const at = tokens.findIndex((token) => typeof token === 'object');
  const words = (at === -1 ? tokens : tokens.slice(0, at)).map(String);
  const redirected = tokens[at + 1];
  const file = at === -1 || typeof redirected !== 'string' ? undefined : redirected.replace(/\.pub$/, '');
  const stdin = file === undefined ? undefined : keys[file as keyof typeof keys].line;
  if (words[0] === 'ssh') {
    expect(words.slice(1, 4)).toEqual(['-p', '2222', 'manage@jump']);
    return manage(words.slice(4), stdin);
  }
  const [program = '', ...rest] = words[0] === 'sudo' ? words.slice(1) : words;
  const done = { stdout: '', stderr: '', code: 0 };
  if (program === 'containarium') return server.local(rest, stdin === undefined ? {} : { stdin });
  if (line === 'sudo systemctl stop containarium') return server.stop().then(() => done);
  if (line === 'sudo systemctl start containarium') return server.restart().then(() => done);
  if (program === 'mv') return rename(local(rest[0] ?? ''), local(rest[1] ?? '')).then(() => done);
  throw new Error(`this test does not know the command: ${line}`);
}

interface Accident {
  readonly cause: () => Promise<void>;
  /** The exit codes of the commands that do not end with 0, by the command. */
  readonly codes?: Readonly<Record<string, number>>;
  readonly check: () => Promise<void>;
}

const editHost = async (edit: (state: HostState) => void): Promise<void> => {
  const path = join(server.home, 'state', 'simulated-host.json');
  await server.stop();
  const state = JSON.parse(await readFile(path, 'utf8')) as HostState;
  edit(state);
  await writeFile(path, JSON.stringify(state));
  await server.restart();
};

const simulated: Readonly<Record<string, Accident>> = {
  'The wrong user was deleted': {
    cause: async () => {
      await must(['delete', 'alice', '--yes']);
      expect((await self(['info'], keys.alice)).code).toBe(255);
    },
    check: async () => {
      expect((await must(['info', 'alice'])).container.status).toBe('running');
      expect((await self(['info'], keys.alice)).code).toBe(0);
    },
  },
  'A container was made too small': {
    cause: async () => {
      await must(['resize', 'alice', '--memory', '512MiB', '--cpu', '1']);
    },
    check: async () =>
      expect((await must(['info', 'alice'])).container).toMatchObject({ memoryLimitBytes: 4 * 2 ** 30, cpus: 4 }),
  },
  'The disk is full': {
    cause: async () => {
      await must(['create', 'zoe'], keys.carol.line);
      await must(['delete', 'zoe', '--yes']);
    },
    check: async () => {
      expect((await must(['info', 'alice'])).container.diskQuotaBytes).toBe(100 * 2 ** 30);
      expect((await must(['trash', 'list'])).trashed).toEqual([]);
    },
  },
  'A user has lost their key': {
    cause: async () => {
      await must(['key', 'replace', 'alice'], keys.mallory.line);
      expect((await self(['info'], keys.alice)).code).toBe(255);
    },
    check: async () => {
      expect((await self(['info'], keys.alice)).code).toBe(0);
      expect((await self(['info'], keys.mallory)).code).toBe(255);
      expect((await server.ssh(['whoami'], { key: keys.carol.path })).stdout).toContain('carol');
    },
  },
  'The image is broken': {
    cause: () =>
      editHost(({ images }) => {
        for (const image of images) for (const path of Object.keys(image.files)) delete image.files[path];
      }),
    check: async () => {
      expect((await must(['info', 'zoe'])).container.status).toBe('running');
      expect((await must(['image', 'list'])).images).toMatchObject([{ current: true }]);
    },
  },
  'The journal is torn': {
    cause: async () => {
      await server.stop();
      const folder = join(server.home, 'state', 'journal');
      const last =
        (await readdir(folder))
          .filter((name) => name.endsWith('.jsonl'))
          .sort()
          .at(-1) ?? '';
      // Half a record is cut off by the server itself.
      await appendFile(join(folder, last), '{"seq":999,"time":"20');
      await server.restart();
      expect((await must(['audit', 'verify'])).ok).toBe(true);
      const text = await readFile(join(folder, last), 'utf8');
      await server.stop();
      await writeFile(join(folder, last), text.replace('"verb":"create"', '"verb":"crate!"'));
      await expect(server.restart()).rejects.toThrow();
    },
    codes: { 'sudo containarium audit verify': 1 },
    check: async () => {
      expect((await must(['audit', 'verify'])).ok).toBe(true);
      expect((await must(['info', 'alice'])).container.status).toBe('running');
      expect(await readdir(join(server.home, 'state'))).toContain('journal.damaged');
    },
  },
  'The wrong person has access': {
    cause: async () => {
      await must(['admin', 'add', 'mallory'], keys.mallory.line);
      await must(['key', 'add', 'alice'], keys.mallory.line);
      expect((await self(['info'], keys.mallory)).code).toBe(0);
      expect((await server.ssh(['list'], { key: keys.mallory.path })).code).toBe(0);
    },
    check: async () => {
      expect((await self(['info'], keys.mallory)).code).toBe(255);
      expect((await server.ssh(['list'], { key: keys.mallory.path })).code).toBe(255);
      expect((await must(['audit', '--actor', 'mallory'])).records).not.toEqual([]);
    },
  },
  'The clock of the host was wrong': {
    cause: async () => {
      await must(['ttl', 'set', 'alice', '1d']);
      await server.stop();
      const path = join(server.home, 'state', 'schedule.json');
      const state = JSON.parse(await readFile(path, 'utf8')) as { seenAt: string };
      await writeFile(path, JSON.stringify({ ...state, seenAt: '2020-01-01T00:00:00.000Z' }));
      await server.restart();
      expect((await must(['schedule', 'list'])).heldUntil).not.toBeNull();
    },
    check: async () => expect((await must(['info', 'alice'])).container.expiresAt).toBeNull(),
  },
  'An upgrade has failed': {
    cause: async () => {
      await server.stop();
      await writeFile(join(server.home, 'containarium.yaml'), 'host: simulated\n');
    },
    check: async () => expect((await must(['info', 'alice'])).container.status).toBe('running'),
  },
};

describe('docs/recovery.md', () => {
  test('has twelve accidents, and each is run by a test', () => {
    expect([...accidents().keys()].sort()).toEqual([...Object.keys(simulated), ...realAccidents].sort());
    expect(accidents().size).toBe(12);
  });
});

describe.each(Object.entries(simulated))('%s', (title, { cause, codes = {}, check }) => {
  test('is mended by the commands of docs/recovery.md', async () => {
    await cause();
    const lines = accidents().get(title) ?? [];
    expect(lines).not.toEqual([]);
    for (const line of lines) {
      const { code, stdout, stderr } = await run(line);
      expect(code, `${line}\n${stdout}${stderr}`).toBe(codes[line] ?? 0);
    }
    await check();
  });
});
