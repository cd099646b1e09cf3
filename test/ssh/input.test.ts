/**
 * Invalid input of every kind: the answer has a code and the next step, nothing is changed, and no control character
 * reaches a screen or a file.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from 'vitest';
import { filesBelow } from '../support/files.ts';
import { printable } from '../../src/domain/text.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { startServer, temporaryFolder, type Finished, type TestServer } from '../support/server.ts';

let server: TestServer;
let folder: string;
let key: TestKey;

beforeAll(async () => {
  folder = await temporaryFolder();
  [server, key] = await Promise.all([startServer(), makeKey(folder, 'key')]);
  expect((await ssh(['create', 'alice'], key.line)).code).toBe(0);
});

function ssh(words: readonly string[], stdin?: string | Uint8Array): Promise<Finished> {
  return server.ssh(words, { shared: true, ...(stdin === undefined ? {} : { stdin }) });
}

/** Quotes any text as one word for the server. */
function word(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}

/** Returns what a refusal must not change: the changing commands on the host so far, and the admins. */
async function traces(): Promise<unknown> {
  const commands = (await readFile(join(server.home, 'state', 'simulated-commands.jsonl'), 'utf8'))
    .split('\n')
    .filter((line) => line.includes('"changes":true'));
  return { commands, admins: await readFile(join(server.home, 'state', 'admins.json'), 'utf8') };
}

async function isRefused(
  words: readonly string[],
  code: string | RegExp,
  stdin?: string | Uint8Array,
): Promise<Finished> {
  const answer = await ssh(words, stdin);
  const what = `${words.join(' ')}\n${answer.stderr}`;
  expect(answer.stdout, what).toBe('');
  expect(answer.code, what).toBe(code === 'not-found' ? 3 : 2);
  expect(answer.stderr, what).toMatch(/^Error: [^\n]+ \([a-z-]+\)\nNext: [^\n]+\n$/);
  const [, found] = /\(([a-z-]+)\)\nNext/.exec(answer.stderr) ?? [];
  expect(found, what).toMatch(typeof code === 'string' ? new RegExp(`^${code}$`) : code);
  return answer;
}

describe('the server refuses', () => {
  let before: unknown;
  beforeEach(async () => (before = await traces()));
  afterEach(async () => expect(await traces()).toEqual(before));

  const names = [
    '""',
    'Alice',
    word('al ice'),
    '1alice',
    'alice-',
    'a'.repeat(33),
    'root',
    'nobody',
    'www-data',
    '../alice',
    'alice/x',
    word('alice;id'),
    'älice',
    word('a\u202eb'),
    word('😀'),
    '*',
    'alice.',
    'a_b',
    'alice@host',
    '$USER',
  ];
  test.each(names)('the user name %s', async (name) => {
    await isRefused(['create', name], 'invalid-user', key.line);
    for (const verb of [
      ['info'],
      ['delete', '--yes'],
      ['resize', '--cpu', '2'],
      ['start'],
      ['export'],
      ['key', 'list'],
      ['key', 'add'],
    ]) {
      await isRefused([...verb, name], 'not-found', key.line);
    }
  });

  test.each([
    '4',
    '4G',
    '-1GiB',
    '0',
    '0GiB',
    '1e9',
    'NaN',
    '99999999999GiB',
    '50%',
    '1,5GiB',
    '4Gb',
    '""',
    'GiB',
    '1.0000000001GiB',
  ])('the size %s', async (size) => {
    await isRefused(['create', 'sized', `--memory=${size}`], 'invalid-size', key.line);
    await isRefused(['resize', 'alice', `--disk-quota=${size}`], 'invalid-size');
  });

  test.each([
    ['--memory', '1KB'],
    ['--memory', '63MiB'],
    ['--disk-quota', '1MiB'],
    ['--disk-quota', '1000MiB'],
  ])('a container with %s %s, and names the minimum', async (option, size) => {
    const { stderr } = await isRefused(['create', 'sized', option, size], 'invalid-size', key.line);
    expect(stderr).toContain('or more');
  });

  test('too little memory for a stopped container', async () => {
    await server.ssh(['stop', 'alice']);
    before = await traces();
    await isRefused(['resize', 'alice', '--memory', '1MiB'], 'invalid-size');
    await server.ssh(['start', 'alice']);
    before = await traces();
  });

  test.each(['no-such-alias', 'elsewhere:debian/12', 'images:plan9/1'])(
    'the base image %s, which Incus does not have',
    async (image) => {
      const refused = await server.ssh(['create', 'imaged', '--image', image], { stdin: key.line });
      expect(refused.stderr).toMatch(
        /Error: base image "[^"]+": [^\n]+ \(invalid-image\)\nNext: on the host, "incus image list"[^\n]+\n$/,
      );
      expect(refused.code).toBe(2);
      before = await traces();
    },
  );

  test('an ambiguous unit, and names both readings', async () => {
    const { stderr } = await isRefused(['resize', 'alice', '--memory', '4G'], 'invalid-size');
    expect(stderr).toMatch(/4GB is 4,000,000,000 bytes, 4GiB is 4,294,967,296 bytes/);
    expect(stderr).toMatch(/Next: write 4GB or 4GiB/);
  });

  test.each(['0', '-1', '1.5', 'two', '100000', '""', '0x2'])('the CPU count %s', async (count) => {
    await isRefused(['create', 'counted', `--cpu=${count}`], 'invalid-count', key.line);
  });

  test.each([
    ['without a value', 'novalue'],
    ['without a key', '=value'],
    ['with a control character', word('a=\u001b[31m')],
    ['with a blank in its key', word('a b=c')],
    ['that is too long', `${'k'.repeat(500)}=v`],
    ['with a bidirectional override', word('a=\u202e')],
  ])('a label %s', async (_, label) => {
    await isRefused(['create', 'labelled', `--label=${label}`], /^(invalid-label|input-too-large)$/, key.line);
  });

  test.each([
    'list ; list',
    'list | cat',
    'list & ',
    'list && list',
    'list || list',
    'list > /tmp/x',
    'list < /etc/passwd',
    'list `id`',
    'list $(id)',
    'list ${HOME}',
    'list\nlist',
    'list\rlist',
    'list # all',
    '(list)',
    'list 2>&1',
    "list '",
    'list "',
    'list <<EOF',
    'info a;id',
  ])('the shell syntax in %j', async (line) => {
    const { stderr } = await isRefused([line], 'shell-syntax');
    expect(stderr).toMatch(/shell syntax, but there is no shell here|is not closed/);
  });

  test('quoted characters as an unknown user, not as shell syntax', async () => {
    for (const name of ["'a;b'", '"a|b"', 'a\\;b', "'$(id)'", '"`id`"', "'a\nb'", "'#a'"])
      await isRefused(['info', name], 'not-found');
  });

  test('a command line that is too long, with a short answer', async () => {
    await isRefused(['list', 'x'.repeat(33_000)], 'input-too-large');
    const { stderr } = await isRefused(['list', 'x'.repeat(20_000)], 'usage');
    expect(stderr.length).toBeLessThan(1000);
    expect((await isRefused(['x'.repeat(20_000)], 'unknown-command')).stderr.length).toBeLessThan(1000);
    expect((await isRefused(['list', `--${'x'.repeat(20_000)}`], 'unknown-option')).stderr.length).toBeLessThan(1000);
  });

  test('contradictory, missing and unknown values', async () => {
    await isRefused(['resize', 'alice'], 'usage');
    await isRefused(['reconcile', '--apply', '--dry-run'], 'usage');
    await isRefused(['info', 'alice', 'bob'], 'usage');
    await isRefused(['list', '--format', 'xml'], 'usage');
    await isRefused(['list', '--state', 'dead'], 'usage');
    await isRefused(['list', '--sort', 'nothing'], 'usage');
    await isRefused(['audit', '--since', 'yesterdayish'], 'invalid-time');
    await isRefused(['audit', '--limit', '-5'], 'usage');
    await isRefused(['export', 'alice', '--jump-port', '70000'], 'usage');
    await isRefused(['export', 'alice', '--jump-host', word('x\n ProxyCommand id')], 'usage');
    await isRefused(['export', 'alice', '--key', word('~/.ssh/a\n ProxyCommand id')], 'usage');
    await isRefused(['export', 'alice', '--output', '/tmp/never'], 'usage');
    await isRefused(['key'], 'usage');
  });
});

describe('a key', () => {
  let before: unknown;
  beforeEach(async () => (before = await traces()));
  afterEach(async () => expect(await traces()).toEqual(before));

  async function everywhere(text: string | Uint8Array, code: string | RegExp): Promise<string> {
    for (const verb of [
      ['create', 'keyed'],
      ['key', 'add', 'alice'],
      ['key', 'replace', 'alice'],
      ['admin', 'add', 'keyed'],
    ])
      await isRefused(verb, code, text);
    return (await isRefused(['create', 'keyed'], code, text)).stderr;
  }

  test('is refused if it is weak', async () => {
    const weak = await makeKey(folder, 'rsa2048', { type: 'rsa', bits: 2048 });
    expect(await everywhere(weak.line, 'invalid-key')).toMatch(/2048/);
  });

  test('is refused if it is a certificate', async () => {
    const certified = await makeKey(folder, 'certified');
    await execa('ssh-keygen', ['-q', '-s', key.path, '-I', 'id', '-n', 'alice', `${certified.path}.pub`]);
    expect(await everywhere(await readFile(`${certified.path}-cert.pub`, 'utf8'), 'invalid-key')).toMatch(
      /certificate/,
    );
  });

  test.each<[what: string, text: () => string | Uint8Array, says: RegExp]>([
    ['has options', () => `command="id",no-pty ${key.line}`, /text before the key type/],
    ['is DSA', () => 'ssh-dss AAAAB3NzaC1kc3MAAACBAP old@laptop\n', /DSA/],
    ['is of an unknown type', () => 'ssh-xmss@openssh.com AAAAFHNzaC14bXNz x\n', /not accepted/],
    ['is cut off', () => `${key.line.slice(0, 40)}\n`, /./],
    ['has another type in front than inside', () => key.line.replace('ssh-ed25519', 'ssh-rsa'), /./],
    ['shares its line with another', () => `${key.line.trim()} ${key.line}`, /./],
    ['is one of several, and bad', () => `${key.line}ssh-ed25519 AAAA bad\n`, /./],
    ['is no key at all', () => 'please let me in\n', /not an OpenSSH public key/],
    ['is binary', () => new Uint8Array(Array.from({ length: 2000 }, (_, i) => (i * 7) % 256)), /./],
    ['is in UTF-16', () => Buffer.from(key.line, 'utf16le'), /UTF-16/],
    ['is a path', () => '~/.ssh/id_ed25519.pub\n', /path of a file/],
  ])('is refused if it %s', async (_, text, says) => {
    expect(await everywhere(text(), /^(invalid-key|missing-key)$/)).toMatch(says);
  });

  test('is refused if the input has only blanks and comments', async () => {
    for (const text of ['', '\n\n', '   \n\t\n', '# a comment\n'])
      await isRefused(['create', 'keyed'], /^(missing-key|invalid-key)$/, text);
  });
});

describe('a private key', () => {
  /** Pieces of private keys, which must occur nowhere. */
  const secrets: string[] = [];
  const formats = [
    ['OpenSSH', []],
    ['PEM', ['-m', 'PEM']],
    ['PKCS8', ['-m', 'PKCS8']],
  ] as const;

  test.each(formats)('in the format %s is answered with a warning by every verb', async (format, options) => {
    const path = join(folder, `private-${format}`);
    await execa('ssh-keygen', [
      '-q',
      '-t',
      format === 'OpenSSH' ? 'ed25519' : 'rsa',
      '-N',
      '',
      '-C',
      'x',
      ...options,
      '-f',
      path,
    ]);
    const text = await readFile(path, 'utf8');
    // The first line of the OpenSSH format is the same for all keys.
    secrets.push(
      ...text
        .split('\n')
        .slice(2, -2)
        .filter((line) => line.length > 30),
    );
    expect(secrets).not.toHaveLength(0);
    const before = await traces();
    const body = text.split('\n').slice(1, -2).join('');
    for (const verb of [
      ['create', 'exposed'],
      ['key', 'add', 'alice'],
      ['key', 'replace', 'alice'],
      ['admin', 'add', 'exposed'],
    ]) {
      for (const sent of [
        text,
        text.replaceAll('\n', '\r\n'),
        text.replaceAll('\n', ' '),
        `${key.line}${text}`,
        Buffer.from(text, 'utf16le').toString('utf8'),
      ]) {
        const { stderr, stdout, code } = await ssh(verb, sent);
        expect(code).toBe(2);
        expect(stdout).toBe('');
        if (!sent.includes('\0'))
          expect(stderr).toMatch(/it is a PRIVATE key: .*exposed \(private-key\)\nNext: stop using that key/);
        for (const secret of secrets) expect(stderr).not.toContain(secret.slice(0, 30));
      }
    }
    // On the command line only the beginning of a key shows that it is private.
    for (const words of [
      ['create', 'exposed', '--ssh-key', text],
      ['create', 'exposed', `--ssh-key=${word(text)}`],
      [text],
      ['info', word(text)],
    ]) {
      if (words.join(' ').length > 30_000) continue;
      const { stderr, code } = await ssh(words);
      expect(code).toBe(2);
      expect(stderr).toContain('(private-key)');
      expect(stderr).not.toContain(body.slice(-30));
    }
    expect(await traces()).toEqual(before);
  });

  test('is stored neither in the home of the server nor in its log', async () => {
    for (const { name, content } of await filesBelow(server.home)) {
      for (const secret of secrets) expect(content.includes(secret), `${name} holds private material`).toBe(false);
    }
    for (const secret of secrets) expect(server.log()).not.toContain(secret);
  });
});

describe('control characters', () => {
  const nasty = '\u001b]0;title\u0007\u001b[2J\u009b31m\u202egpj.exe\u2066\u200b\u0000\u007f\ufeff';
  /**
   * Returns the characters that must not reach a terminal or a log, such as ESC, BEL and bidirectional marks. Line
   * feeds are allowed.
   */
  function raw(text: string): string[] {
    return [...text].filter((character) => character !== '\n' && printable(character) !== character);
  }

  async function isClean(words: readonly string[], stdin?: string): Promise<void> {
    for (const format of ['table', 'json', 'yaml', 'csv']) {
      const answer = await ssh([...words, '--format', format], stdin);
      expect(raw(answer.stdout), words.join(' ')).toEqual([]);
      expect(raw(answer.stderr), words.join(' ')).toEqual([]);
    }
  }

  const typed = nasty.replaceAll('\0', '');

  test('in arguments are escaped in every answer', async () => {
    await isClean(['info', word(typed)]);
    await isClean([word(typed)]);
    await isClean(['list', word(`--${typed}`)]);
    await isClean(['list', '--columns', word(typed)]);
    await isClean(['key', 'remove', 'alice', word(typed)]);
    await isClean(['admin', 'remove', word(typed)]);
    await isClean(['help', word(typed)]);
    await isClean(['audit', '--actor', word(typed)]);
    await isClean(['audit', '--target', word(typed)]);
    await isClean(['create', 'labels', '--label', word(`a=${typed}`)], key.line);
    await isClean(['create', 'image', '--image', word(typed)], key.line);
    await isClean(['export', 'alice', '--key', word(typed)]);
    const { stderr } = await ssh(['info', word(typed)]);
    expect(stderr).toContain('\\u{1b}');
  });

  test('in text that is not a key are escaped or left out', async () => {
    await isClean(['create', 'nokey'], typed);
    await isClean(['create', 'nokey'], `ssh-${typed} AAAA`);
  });

  test("in a key's comment are removed, and the key is accepted", async () => {
    const other = await makeKey(folder, 'commented');
    const { code, stderr } = await ssh(['create', 'commented'], `${other.line.trim()}${nasty.replace('\0', '')}end\n`);
    expect(stderr).not.toContain('Error');
    expect(code).toBe(0);
    for (const words of [
      ['key', 'list', 'commented'],
      ['info', 'commented'],
      ['audit', '--target', 'commented'],
      ['export', 'commented'],
    ])
      await isClean(words);
    expect((await ssh(['key', 'list', 'commented'])).stdout).toContain('commented@laptop');
  });

  test('in the login name do not reach the log', async () => {
    await server.ssh(['list'], { user: `a${typed}` });
    expect(raw(server.log())).toEqual([]);
  });

  test('are in no exported journal record, and in no file of the state', async () => {
    const { stdout } = await ssh(['audit', 'export']);
    expect(raw(stdout)).toEqual([]);
    for (const { name, content } of await filesBelow(join(server.home, 'state')))
      expect(raw(content.toString()), name).toEqual([]);
  });
});

afterAll(async () => {
  // The journal is valid, and the host has exactly the changes that succeeded.
  expect((await ssh(['audit', 'verify'])).code).toBe(0);
  expect((await ssh(['reconcile'])).code).toBe(0);
  expect((await ssh(['list', '--format', 'csv', '--columns', 'user'])).stdout).toBe('user\nalice\ncommented\n');
});
