import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reservedNames } from '../../../../src/domain/values/reservedNames.ts';
import {
  containerName,
  findUsername,
  maxUsernameLength,
  ownerOf,
  parseName,
  parseNewUsername,
} from '../../../../src/domain/values/username.ts';
import { codeOf, failing } from '../failing.ts';
import { anyCharacter } from '../../../support/anyCharacter.ts';

const letters = 'abcdefghijklmnopqrstuvwxyz';
const first = fc.constantFrom(...letters);
const inner = fc.array(fc.constantFrom(...letters, ...'0123456789-'), { maxLength: 30 }).map((list) => list.join(''));
const last = fc.constantFrom(...letters, ...'0123456789');
/** Valid names. The filter removes the rare reserved ones. */
const goodName = fc
  .tuple(first, inner, last)
  .map((parts) => parts.join(''))
  .filter((name) => !reservedNames.includes(name) && !name.startsWith('systemd-'));

describe('parseNewUsername', () => {
  it.each(['a', 'alice', 'alice-2', 'a1', 'x--y', 'b'.repeat(32)])('accepts %s', (name) => {
    expect(parseNewUsername(name)).toBe(name);
  });

  it('returns every valid name unchanged', () => {
    fc.assert(
      fc.property(goodName, (name) => {
        expect(parseNewUsername(name)).toBe(name);
      }),
    );
  });

  it('throws invalid-user for any other text, with the rule as the next step', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 40 }), (text) => {
        fc.pre(!/^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/.test(text));
        const failure = failing(() => parseNewUsername(text));
        expect(failure.code).toBe('invalid-user');
        expect(failure.next).toMatch(/starting with a letter|another name/);
      }),
    );
  });

  it.each([
    ['', 'empty'],
    ['Bob', 'upper-case'],
    ['9lives', 'begin with a letter'],
    ['-rf', 'begin with a letter'],
    ['alice-', 'ends with a hyphen'],
    ['alice_1', 'only a-z'],
    ['alice\n', 'only a-z'],
    ['аlice', 'only a-z'],
    ['../etc', 'only a-z'],
    ['alice bob', 'only a-z'],
    ['a'.repeat(33), '33 characters'],
  ])('refuses %j with the reason "%s"', (text, why) => {
    const failure = failing(() => parseNewUsername(text));
    expect(failure.code).toBe('invalid-user');
    expect(failure.why).toContain(why);
  });

  it.each([
    ['Bob', 'bob'],
    ['alice_1', 'alice-1'],
    ['Alice Smith', 'alice-smith'],
    ['alice@example.com', 'alice'],
    ['Zoë', 'zoe'],
    ['9lives', 'lives'],
    ['alice-', 'alice'],
    ['a'.repeat(40), 'a'.repeat(32)],
  ])('suggests for %j the name %s', (text, near) => {
    const failure = failing(() => parseNewUsername(text));
    expect(failure.details?.['suggestion']).toBe(near);
    expect(failure.next).toContain(`for example: ${near}`);
  });

  it.each(['Root', 'SSH', '; rm -rf /', '東京', '', '$(id)', '123'])('suggests nothing for %j', (text) => {
    expect(failing(() => parseNewUsername(text)).details).toBeUndefined();
  });

  it('suggests only names that it accepts', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 70 }), (text) => {
        try {
          parseNewUsername(text);
        } catch (error) {
          const near = (error as { details?: { suggestion?: string } }).details?.suggestion;
          if (near !== undefined) expect(parseNewUsername(near)).toBe(near);
        }
      }),
    );
  });

  it.each(reservedNames)('refuses the reserved name %s and says why it is reserved', (name) => {
    const failure = failing(() => parseNewUsername(name));
    expect(failure.code).toBe('invalid-user');
    expect(failure.why).toMatch(/^reserved: (a |the |used )/);
  });

  it.each([
    'root',
    'daemon',
    'www-data',
    'nobody',
    'sudo',
    'shadow',
    'nogroup',
    'kvm',
    'sgx',
    'messagebus',
    'sshd',
    '_ssh',
    'lxd',
    'docker',
    'incus',
    'incus-admin',
    'ubuntu',
    'debian',
    'admin',
    'manage',
    'self',
    'containarium',
    'localhost',
    'nginx',
    'postgres',
    'mysql',
    'redis',
  ])('reserves %s', (name) => {
    expect(reservedNames).toContain(name);
  });

  it('refuses every name that begins with systemd-, but accepts systemd1', () => {
    expect(failing(() => parseNewUsername('systemd-anything')).why).toContain('systemd');
    expect(parseNewUsername('systemd1')).toBe('systemd1');
  });

  it('escapes control characters in its message', () => {
    expect(failing(() => parseNewUsername('al\u001b[2Jice\u202e')).message).toBe(
      'user name "al\\u{1b}[2Jice\\u{202e}": upper-case letters are not allowed',
    );
  });
});

describe('parseNewUsername', () => {
  it.each(['erin-container', 'erin-container-container'])('refuses %s, and suggests its user', (text) => {
    expect(failing(() => parseNewUsername(text))).toMatchObject({
      code: 'invalid-user',
      why: 'only the names of containers end with "-container"',
      next: 'give the user name alone: erin',
      details: { suggestion: 'erin' },
    });
  });

  it.each(['root-container', 'erin--container', `${'a'.repeat(33)}-container`])(
    'refuses %s without a suggestion, because its user would be refused too',
    (text) => {
      const failure = failing(() => parseNewUsername(text));
      expect(failure).toMatchObject({ code: 'invalid-user', next: 'choose another name' });
      expect(failure.details).toBeUndefined();
    },
  );
});

describe('findUsername', () => {
  it.each(['alice', 'alice-container'])('finds alice by %s', (text) => {
    expect(findUsername(text)).toBe('alice');
  });

  it.each(['nobody', 'root', 'systemd-x', 'admin-container'])('takes %s, which no new user may have', (text) => {
    expect(findUsername(text)).toBe(text.replace('-container', ''));
  });

  it('finds a user whose name an earlier version allowed to end with the suffix', () => {
    expect(findUsername('erin-container-container')).toBe('erin-container');
  });

  it.each([
    ['Alice', 'alice'],
    ['Alice-Container', 'alice'],
    ['-container', '-container'],
    ['../etc', '../etc'],
    ['', ''],
  ])('answers not-found for %j, which is no name, and keeps the name that is closest to it', (text, wanted) => {
    expect(failing(() => findUsername(text))).toMatchObject({ code: 'not-found', why: 'no such container', wanted });
  });
});

describe('parseName', () => {
  it('takes a reserved name, because an admin has no account on the host', () => {
    expect(parseName('admin')).toBe('admin');
  });

  it('refuses a text that breaks the rule', () => {
    expect(codeOf(() => parseName('Carol!'))).toBe('invalid-user');
  });
});

describe('containerName and ownerOf', () => {
  it('convert between a user name and an instance name', () => {
    expect(containerName('alice')).toBe('alice-container');
    expect(ownerOf('alice-container')).toBe('alice');
  });

  it('are inverse to each other and keep to the 63 characters of an Incus instance name', () => {
    fc.assert(
      fc.property(goodName, (name) => {
        const instance = containerName(parseNewUsername(name));
        expect(ownerOf(instance)).toBe(name);
        expect(instance).toMatch(/^[a-z][a-z0-9-]{0,61}[a-z0-9]$/);
      }),
    );
    expect(containerName('a'.repeat(maxUsernameLength)).length).toBeLessThanOrEqual(63);
  });

  it.each([
    'alice',
    '-container',
    'container',
    'Alice-container',
    'root-container',
    'alice-containers',
    'a_b-container',
    '9-container',
  ])('find no owner of %s', (instance) => {
    expect(ownerOf(instance)).toBeUndefined();
  });

  it('distinguish users whose names contain the suffix', () => {
    expect(ownerOf('alice-container-container')).toBe('alice-container');
  });
});

describe('a user name', () => {
  it('may have 32 characters, but not 33', () => {
    expect(parseNewUsername('a'.repeat(32))).toHaveLength(32);
    expect(codeOf(() => parseNewUsername('a'.repeat(33)))).toBe('invalid-user');
  });
});
