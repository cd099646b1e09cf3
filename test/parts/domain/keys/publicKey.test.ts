import { afterAll, describe, expect, it } from 'vitest';
import { matchKeys, maxKeys, parsePublicKey, parsePublicKeys } from '../../../../src/domain/keys/publicKey.ts';
import { printable } from '../../../../src/domain/text.ts';
import { failing } from '../../../unit/domain/failing.ts';
import {
  ed25519Blob,
  fields,
  KeyFolder,
  lineOf,
  skEcdsaBlob,
  skEd25519Blob,
} from '../../../unit/domain/keys/sshKeygen.ts';

const folder = new KeyFolder();
afterAll(() => folder.remove());

const ed25519 = folder.make('ed', 'ed25519').trim();
const ecdsa256 = folder.make('ec256', 'ecdsa', 256).trim();
const rsa2048 = folder.make('rsa2048', 'rsa', 2048).trim();

const accepted: [string, string][] = [
  ['ssh-ed25519', ed25519],
  ['ecdsa-sha2-nistp256', ecdsa256],
  ['ecdsa-sha2-nistp384', folder.make('ec384', 'ecdsa', 384).trim()],
  ['ecdsa-sha2-nistp521', folder.make('ec521', 'ecdsa', 521).trim()],
  ['ssh-rsa', folder.make('rsa3072', 'rsa', 3072).trim()],
  ['sk-ssh-ed25519@openssh.com', lineOf('sk-ssh-ed25519@openssh.com', skEd25519Blob(), 'token')],
  ['sk-ecdsa-sha2-nistp256@openssh.com', lineOf('sk-ecdsa-sha2-nistp256@openssh.com', skEcdsaBlob(), 'token')],
];

describe('an accepted key', () => {
  it.each(accepted)(
    'of type %s has the fingerprint and size that ssh-keygen shows, and keeps its line',
    (type, line) => {
      const key = parsePublicKey(line);
      expect({ bits: key.bits, fingerprint: key.fingerprint }).toEqual(folder.describe(line));
      expect(key.type).toBe(type);
      expect(key.line).toBe(line);
      expect(key.blob.toString('base64')).toBe(key.base64);
      expect(parsePublicKey(key.line)).toEqual(key);
    },
  );

  it('of type ssh-rsa has at least 3072 bits, as counted by ssh-keygen', () => {
    // OpenSSL rounds odd sizes down, so the key is a little shorter than requested.
    const line = folder.make('rsa3071', 'rsa', 3071).trim();
    const { bits } = folder.describe(line);
    expect(bits).toBeLessThan(3072);
    expect(failing(() => parsePublicKey(line)).why).toContain(`${bits} bits`);
  });

  it('may have no comment or a comment with spaces', () => {
    const bare = ed25519.split(' ').slice(0, 2).join(' ');
    expect(parsePublicKey(bare)).toMatchObject({ comment: '', line: bare });
    const spaced = parsePublicKey(`  ${bare}\talice's  laptop\u00a02 `);
    expect(spaced).toMatchObject({ comment: "alice's laptop 2", line: `${bare} alice's laptop 2` });
  });

  it.each(['example', 'your', 'key', 'here', 'placeholder', 'changeme'])(
    'may contain the word "%s" in its base64',
    (word) => {
      // The 32 bytes of an ed25519 key begin inside a base64 group, two bytes before the next group.
      const body = Buffer.from(word.padEnd(16, 'A'), 'base64');
      const blob = ed25519Blob(Buffer.concat([Buffer.alloc(2, 7), body, Buffer.alloc(30 - body.length, 9)]));
      const line = lineOf('ssh-ed25519', blob, `${word}@example`);
      expect(blob.toString('base64')).toContain(word);
      expect(parsePublicKey(line).line).toBe(line);
    },
  );
});

describe('a comment', () => {
  const bare = lineOf('ssh-ed25519', ed25519Blob());

  it.each(['\u001b[31m', '\u202e', '\u200b', '\u009b', '\u{e0041}', '\ufeff', '\u007f'])(
    'loses the unsafe character %j',
    (unsafe) => {
      const key = parsePublicKey(`${bare} al${unsafe}ice`);
      expect(printable(key.line)).toBe(key.line);
      expect(key.comment.replace(/ |\[31m/g, '')).toBe('alice');
    },
  );

  it('is cut to 128 characters, never inside a character', () => {
    expect(parsePublicKey(`${bare} ${'😀'.repeat(200)}`).comment).toBe('😀'.repeat(128));
  });

  it('keeps letters of all scripts', () => {
    expect(parsePublicKey(`${bare} Zoë 東京`).comment).toBe('Zoë 東京');
  });

  it('cannot add a second line to an authorized_keys file', () => {
    for (const separator of ['\u2028', '\u2029', '\u0085', '\u000b', '\u000c']) {
      const key = parsePublicKey(`${bare} a${separator}b`);
      expect(key.line).not.toMatch(/[\u2028\u2029\u0085\u000b\u000c]/);
    }
  });
});

describe('text with several lines', () => {
  const lines = accepted.map(([, line]) => line);

  it('yields each key once, in order, without blank lines and comment lines, for any kind of line ending', () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const text = ['# keys of alice', '', ...lines, '   ', '  # the first once more', ed25519, ''].join(end);
      expect(parsePublicKeys(text).map((key) => key.line)).toEqual(lines);
    }
  });

  it('may begin with a byte order mark', () => {
    expect(parsePublicKeys(`\ufeff${ed25519}\n`)).toHaveLength(1);
  });

  it('yields a repeated key once, with its first comment', () => {
    const again = `${ed25519.split(' ').slice(0, 2).join(' ')} other`;
    expect(parsePublicKeys(`${ed25519}\n${again}`).map((key) => key.comment)).toEqual(['ed@example']);
  });

  it('is refused as a whole for one bad line, with the number of the line', () => {
    const failure = failing(() => parsePublicKeys(`# two\n${ed25519}\n${rsa2048}\n`));
    expect(failure.what).toBe('public key on line 3');
    expect(failure.why).toContain('2048 bits');
  });

  it('may contain 64 keys, but not 65', () => {
    const many = Array.from({ length: maxKeys }, () => lineOf('ssh-ed25519', ed25519Blob()));
    expect(parsePublicKeys(many.join('\n'))).toHaveLength(64);
    expect(failing(() => parsePublicKeys([...many, ed25519].join('\n'))).code).toBe('input-too-large');
  });

  it('may have 64 KiB, but not one byte more', () => {
    const remark = '#'.repeat(65_536 - ed25519.length - 1);
    expect(parsePublicKeys(`${remark}\n${ed25519}`)).toHaveLength(1);
    expect(failing(() => parsePublicKeys(`#${remark}\n${ed25519}`)).code).toBe('input-too-large');
  });

  it('is refused by parsePublicKey', () => {
    expect(failing(() => parsePublicKey(`${ed25519}\n${ecdsa256}`)).why).toContain('2 keys');
  });

  it.each(['', ' \n\r\n', '# only a remark\n', '\ufeff'])('is refused as a missing key if it is %j', (text) => {
    const failure = failing(() => parsePublicKeys(text));
    expect(failure.code).toBe('missing-key');
    expect(failure.next).toContain('the text of its .pub file');
  });
});

describe('a refused line', () => {
  const [type = '', base64 = ''] = ed25519.split(' ');
  folder.make('ca', 'ed25519');
  folder.run('-q', '-s', 'ca', '-I', 'alice', '-n', 'alice', 'ed.pub');

  it.each([
    ['a certificate', folder.read('ed-cert.pub'), 'certificate', 'without "-cert"'],
    [
      'DSA',
      lineOf('ssh-dss', fields('ssh-dss', ...[129, 21, 129, 129].map((size) => Buffer.alloc(size, 1)))),
      'DSA',
      'ed25519',
    ],
    ['short RSA', rsa2048, '2048 bits', 'ssh-keygen -t ed25519'],
    [
      'an unknown type',
      lineOf('ssh-ed448', fields('ssh-ed448', Buffer.alloc(57, 1))),
      '"ssh-ed448" are not accepted',
      'ssh-ed25519',
    ],
    ['options', `restrict,command="echo ssh" ${ed25519}`, 'text before the key type', 'from the key type on'],
    ['one option', `no-pty ${ed25519}`, 'text before the key type', 'from the key type on'],
    ['a line of known_hosts', `jump.example ${ed25519}`, 'text before the key type', 'from the key type on'],
    ['two keys', `${ed25519} ${ecdsa256}`, 'two keys', 'its own line'],
    ['two keys without a space between them', `${type} ${base64}${ecdsa256}`, 'two keys', 'its own line'],
    ['two keys, joined by a comment', `${ed25519}${ecdsa256}`, 'two keys', 'its own line'],
    ['two keys, one hidden', `${ed25519} ssh-r\u200bsa AAAAB3NzaC1yc2E`, 'two keys', 'its own line'],
    ['a key without its type', base64, 'missing key type', '.pub file'],
    ['a type without a key', 'ssh-ed25519', 'no key after the type', '.pub file'],
    ['part of a split line', base64.slice(30), 'split over several lines', '.pub file'],
    ['a truncated key', `${type} ${base64.slice(0, -8)}`, 'truncated', '.pub file'],
    ['a key that lacks a character', `${type} ${base64.slice(0, -1)}`, 'damaged or truncated', '.pub file'],
    ['base64 for URLs', `${type} ${base64.slice(0, -2)}-_`, 'damaged or truncated', '.pub file'],
    ['nonsense', 'hello world', 'not an OpenSSH public key', '.pub file'],
    ['SSH1', '2048 35 123456789', 'not an OpenSSH public key', '.pub file'],
    ['a web page', '<html><body>404</body></html>', 'not an OpenSSH public key', '.pub file'],
    ['UTF-16', Buffer.from(ed25519, 'utf16le').toString('utf8'), 'UTF-16', 'plain text'],
    ['the SSH2 format', folder.run('-e', '-f', 'ed.pub'), 'SSH2', 'ssh-keygen -i -f'],
    ['PKCS #8', folder.run('-e', '-m', 'PKCS8', '-f', 'ec256.pub'), 'PKCS #8', 'ssh-keygen -i -m PKCS8 -f'],
    ['PKCS #1', folder.run('-e', '-m', 'PEM', '-f', 'rsa2048.pub'), 'PKCS #1', 'ssh-keygen -i -m PEM -f'],
  ])('is explained in the failure if it is %s', (_, text, why, next) => {
    const failure = failing(() => parsePublicKeys(text));
    expect(failure.code).toBe('invalid-key');
    expect(failure.why).toContain(why);
    expect(failure.next).toContain(next);
  });

  it('is not repeated in the failure, because it may be a secret', () => {
    for (const text of [
      'correct horse battery staple',
      'hunter2-secret',
      'c2VjcmV0'.repeat(10),
      `/${'c2VjcmV0'.repeat(5)}`,
    ]) {
      const data = JSON.stringify(failing(() => parsePublicKeys(text)).toData());
      for (const word of text.split(/[ -]/)) expect(data).not.toContain(word);
    }
  });
});

describe('a private key', () => {
  folder.make('pem', 'rsa', 2048);
  folder.run('-q', '-p', '-N', '', '-m', 'PEM', '-f', 'pem');
  folder.make('pkcs8', 'ecdsa', 256);
  folder.run('-q', '-p', '-N', 'long passphrase', '-m', 'PKCS8', '-f', 'pkcs8');
  const openssh = folder.read('ed');
  const secretLines = openssh.split('\n').slice(1, -2);
  const putty = [
    'PuTTY-User-Key-File-3: ssh-ed25519',
    'Encryption: none',
    'Private-Lines: 1',
    'c2VjcmV0'.repeat(4),
  ].join('\r\n');

  it.each([
    ["in OpenSSH's format", openssh],
    ['in PEM', folder.read('pem')],
    ['in PKCS #8, encrypted', folder.read('pkcs8')],
    ['of PuTTY', putty],
    ['after a good public key', `${ed25519}\n${openssh}`],
    ['behind a remark sign', openssh.replace(/^/gm, '# ')],
    ['on one line', openssh.replaceAll('\n', ' ')],
    ['without its first and last line', secretLines.join('\n')],
    ['with CRLF and indented', openssh.replace(/^/gm, '   ').replaceAll('\n', '\r\n')],
    ['with invisible characters in between', openssh.replace('BEGIN', 'BE\u200bGIN')],
    ['in UTF-16', Buffer.from(openssh, 'utf16le').toString('utf8')],
    ['in a comment', `${ed25519} ${openssh.replaceAll('\n', ' ')}`],
  ])('%s is refused as exposed and not repeated', (_, text) => {
    const failure = failing(() => parsePublicKeys(text));
    expect(failure.code).toBe('private-key');
    expect(failure.why).toContain('exposed');
    expect(failure.next).toContain('new pair');
    const said = JSON.stringify([failure.toData(), failure.message, failure.stack, failure.cause]);
    for (const line of text.split(/\s+/).filter((word) => word.length > 20)) expect(said).not.toContain(line);
  });

  it('may be mentioned in the comment of a public key', () => {
    expect(parsePublicKey(`${ed25519} not my private key`).comment).toBe('ed@example not my private key');
  });
});

describe('a path', () => {
  it.each([
    '~/.ssh/id_ed25519.pub',
    '~alice/x.pub',
    '/home/alice/.ssh/id.pub',
    './alice.pub',
    '../alice.pub',
    'alice.pub',
    'C:\\Users\\Alice Smith\\.ssh\\id.pub',
    'c:/keys/id.pub',
    '\\\\server\\share\\id.pub',
    '%USERPROFILE%\\.ssh\\id.pub',
    '$HOME/.ssh/id.pub',
    'file:///home/alice/id.pub',
    '~/.ssh/id_ed25519',
    'id_rsa',
    'alice.ppk',
  ])('is recognised and quoted in the failure: %s', (path) => {
    const failure = failing(() => parsePublicKeys(`${path}\n`));
    expect(failure.code).toBe('missing-key');
    expect(failure.what).toBe(`"${path}"`);
    expect(failure.why).toContain('path');
    expect(failure.next).toContain('the text of its .pub file');
  });

  it('is quoted with escaped control characters', () => {
    expect(failing(() => parsePublicKeys('/home/\u001b[2Jx')).what).toBe('"/home/\\u{1b}[2Jx"');
  });
});

describe('matchKeys', () => {
  const keys = parsePublicKeys(accepted.map(([, line]) => line).join('\n'));
  const [first, second] = keys;
  if (first === undefined || second === undefined) throw new Error('the fixtures have no keys');

  it('finds a key by its full fingerprint', () => {
    for (const key of keys) expect(matchKeys(keys, key.fingerprint)).toEqual([key]);
  });

  it('finds a key by a prefix of its fingerprint with at least 8 characters', () => {
    expect(matchKeys(keys, first.fingerprint.slice(0, 15))).toEqual([first]);
    expect(failing(() => matchKeys(keys, first.fingerprint.slice(0, 14))).why).toContain('fewer than 8');
    expect(failing(() => matchKeys(keys, 'SHA256:')).code).toBe('usage');
  });

  it('refuses an ambiguous prefix and lists the matching fingerprints', () => {
    const twins = ['SHA256:abcdefghX', 'SHA256:abcdefghY'].map((fingerprint) => ({ fingerprint, comment: '' }));
    const failure = failing(() => matchKeys(twins, 'SHA256:abcdefgh'));
    expect(failure.code).toBe('usage');
    expect(failure.details).toEqual({ fingerprints: twins.map((key) => key.fingerprint) });
    expect(matchKeys(twins, 'SHA256:abcdefghX')).toEqual([twins[0]]);
  });

  it('finds all keys with an exact comment', () => {
    expect(matchKeys(keys, 'ed@example')).toEqual([first]);
    expect(matchKeys(keys, 'token')).toHaveLength(2);
    expect(matchKeys(keys, 'ed')).toEqual([]);
  });

  it.each([
    'Alice  Laptop',
    'Alice\tLaptop',
    ' Alice \u00a0\u3000 Laptop ',
    'Alice Laptop \u{1f469}\u200d\u{1f4bb}',
    '\u2764\ufe0f from\u200b Alice',
    'x'.repeat(300),
    `${'x'.repeat(127)} y`,
    'C:\\Users\\Alice/.ssh',
  ])('finds a key by its comment as it is in the .pub file: %j', (comment) => {
    const [key] = parsePublicKeys(`${first.type} ${first.base64} ${comment}`);
    if (key === undefined) throw new Error('no key');
    expect(matchKeys([key, second], comment)).toEqual([key]);
    expect(matchKeys([key, second], key.comment)).toEqual([key]);
  });

  it.each(['', ' ', '\u200b'])('finds nothing for the empty selector %j, even if a key has no comment', (selector) => {
    expect(matchKeys([{ ...first, comment: '' }], selector)).toEqual([]);
  });

  it("ignores another key's fingerprint in a comment", () => {
    const impostor = { ...second, comment: first.fingerprint };
    expect(matchKeys([impostor, first], first.fingerprint)).toEqual([first]);
    expect(matchKeys([impostor], first.fingerprint)).toEqual([]);
  });

  it('finds nothing if no key matches', () => {
    expect(matchKeys(keys, `SHA256:${'A'.repeat(43)}`)).toEqual([]);
    expect(matchKeys([], first.fingerprint)).toEqual([]);
  });
});
