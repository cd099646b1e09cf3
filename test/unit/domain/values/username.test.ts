import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reservedNames } from '../../../../src/domain/values/reservedNames.ts';
import { containerName, maxUsernameLength, ownerOf, parseUsername } from '../../../../src/domain/values/username.ts';
import { codeOf, failing } from '../failing.ts';

const letters = 'abcdefghijklmnopqrstuvwxyz';
const first = fc.constantFrom(...letters);
const inner = fc.array(fc.constantFrom(...letters, ...'0123456789-'), { maxLength: 30 }).map((list) => list.join(''));
const last = fc.constantFrom(...letters, ...'0123456789');
/** Names that follow the rule; a reserved one is not likely, and filtered out. */
const goodName = fc
  .tuple(first, inner, last)
  .map((parts) => parts.join(''))
  .filter((name) => !reservedNames.includes(name) && !name.startsWith('systemd-'));

describe('parseUsername', () => {
  it.each(['a', 'alice', 'alice-2', 'a1', 'x--y', 'b'.repeat(32)])('takes %s', (name) => {
    expect(parseUsername(name)).toBe(name);
  });

  it('takes every name that follows the rule, unchanged', () => {
    fc.assert(
      fc.property(goodName, (name) => {
        expect(parseUsername(name)).toBe(name);
      }),
    );
  });

  it('gives every other text invalid-user, with the rule as the next step', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        fc.pre(!/^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/.test(text));
        const failure = failing(() => parseUsername(text));
        expect(failure.code).toBe('invalid-user');
        expect(failure.next).toMatch(/letter first|another name/);
      }),
    );
  });

  it.each([
    ['', 'empty'],
    ['Bob', 'upper-case'],
    ['9lives', 'begin with a letter'],
    ['-rf', 'begin with a letter'],
    ['alice-', 'ends with a hyphen'],
    ['alice_1', 'characters other'],
    ['alice\n', 'characters other'],
    ['аlice', 'characters other'],
    ['../etc', 'characters other'],
    ['alice bob', 'characters other'],
    ['a'.repeat(33), '33 characters'],
  ])('says what is wrong with %j', (text, why) => {
    const failure = failing(() => parseUsername(text));
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
  ])('suggests a name near %j', (text, near) => {
    const failure = failing(() => parseUsername(text));
    expect(failure.details?.['suggestion']).toBe(near);
    expect(failure.next).toContain(`for example: ${near}`);
  });

  it.each(['Root', 'SSH', '; rm -rf /', '東京', '', '$(id)', '123'])('suggests nothing for %j', (text) => {
    expect(failing(() => parseUsername(text)).details).toBeUndefined();
  });

  it('never suggests a name that it would refuse', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 70 }), (text) => {
        try {
          parseUsername(text);
        } catch (error) {
          const near = (error as { details?: { suggestion?: string } }).details?.suggestion;
          if (near !== undefined) expect(parseUsername(near)).toBe(near);
        }
      }),
    );
  });

  it.each(reservedNames)('refuses the reserved name %s with the reason', (name) => {
    const failure = failing(() => parseUsername(name));
    expect(failure.code).toBe('invalid-user');
    expect(failure.why).toMatch(/^it is reserved: it (is|has) /);
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
  ])('counts %s among the reserved names', (name) => {
    expect(reservedNames).toContain(name);
  });

  it('refuses every name that begins with systemd-, and no other beginning with systemd', () => {
    expect(failing(() => parseUsername('systemd-anything')).why).toContain('systemd');
    expect(parseUsername('systemd1')).toBe('systemd1');
  });

  it('does not send control characters back', () => {
    expect(failing(() => parseUsername('al\u001b[2Jice\u202e')).message).toBe(
      'user name "al\\u{1b}[2Jice\\u{202e}": it has upper-case letters',
    );
  });
});

describe('containerName and ownerOf', () => {
  it('name the instance of a user', () => {
    expect(containerName('alice')).toBe('alice-container');
    expect(ownerOf('alice-container')).toBe('alice');
  });

  it("are each other's inverse, within the 63 characters of an Incus instance name", () => {
    fc.assert(
      fc.property(goodName, (name) => {
        const instance = containerName(parseUsername(name));
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
  ])('know no owner of %s', (instance) => {
    expect(ownerOf(instance)).toBeUndefined();
  });

  it('keep users apart whose names contain the suffix', () => {
    expect(ownerOf('alice-container-container')).toBe('alice-container');
  });
});

describe('the length limit', () => {
  it('holds at 32 and breaks at 33', () => {
    expect(parseUsername('a'.repeat(32))).toHaveLength(32);
    expect(codeOf(() => parseUsername('a'.repeat(33)))).toBe('invalid-user');
  });
});
