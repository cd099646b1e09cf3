/** The prompts of screen-reader mode, answered by input typed ahead. */
import { describe, expect, test } from 'vitest';
import { verbNamed } from '../../../../src/catalogue/catalogue.ts';
import { History } from '../../../../src/shell/composer/history.ts';
import { ask, choose, confirm } from '../../../../src/shell/plain/prompts.ts';
import { CommandLine, type Command } from '../../../../src/shell/plain/commandLine.ts';
import { Questionnaire } from '../../../../src/shell/plain/questionnaire.ts';
import { FakeTerminal } from './fakeTerminal.ts';
import type { Candidate } from '../../../../src/domain/events/candidate.ts';

const users: readonly Candidate[] = [{ value: 'alice', says: 'Running' }, { value: 'albert' }, { value: 'bob' }];
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1Yb2xk5i2sLFFs2FzzC7fZ4bQ2Sv6o8Q8Yh3F0kB1u user@laptop';

describe('ask', () => {
  test.each([
    ['yes\r', 'yes'],
    ['\r', ''],
    ['y\x03', undefined],
    ['\x04', undefined],
    ['y\x04es\r', 'yes'],
    ['\x1b[A\x1b[Byes\r', 'yes'],
  ])('answers the input %j', async (typed, answer) => {
    expect(await ask(new FakeTerminal(typed).terminal, 'Sure? ')).toBe(answer);
  });

  test('lists the candidates on Tab', async () => {
    const fake = new FakeTerminal('al\t', '2\r', '\r');
    expect(await ask(fake.terminal, 'user: ', { candidates: () => Promise.resolve(users) })).toBe('albert');
    expect(fake.written).toBe(
      'user: al\n1. alice: Running\n2. albert\n3. bob\nNumber, or Enter for none: 2\nuser: albert\n',
    );
  });

  test('takes the only candidate on Tab', async () => {
    const fake = new FakeTerminal('b\t', '\r');
    expect(await ask(fake.terminal, 'user: ', { candidates: () => Promise.resolve([{ value: 'bob' }]) })).toBe('bob');
  });
});

describe('choose', () => {
  test('accepts only a number from the list', async () => {
    const fake = new FakeTerminal('0\r4\rx\r 3 \r');
    expect(await choose(fake.terminal, users)).toEqual({ value: 'bob' });
    expect(fake.written.match(/" is not a number from 1 to 3\./g)).toHaveLength(3);
  });

  test('returns nothing for an empty answer or Ctrl-C', async () => {
    expect(await choose(new FakeTerminal('\r').terminal, users)).toBeUndefined();
    expect(await choose(new FakeTerminal('1\x03').terminal, users)).toBeUndefined();
  });

  test('lists at most 30 of many candidates', async () => {
    const fake = new FakeTerminal('31\r30\r');
    const many = Array.from({ length: 45 }, (_, i) => ({ value: `user${i + 1}`, says: '\u001b[31m' }));
    expect(await choose(fake.terminal, many)).toBe(many[29]);
    expect(fake.written).toContain('15 more are not listed');
    expect(fake.written).not.toContain('\u001b');
  });
});

describe('confirm', () => {
  const confirmation = {
    title: 'Delete a container: "bob". This cannot be undone.',
    facts: [['Disk used', '1 GiB / 2 GiB (50%)']],
    word: 'bob',
  } as const;

  test.each([
    ['bob\r', true],
    [' bob \r', true],
    ['bab\rbob\r', true],
    ['\r', false],
    ['bob\x03', false],
    ['yes\r\r', false],
  ])('decides on the input %j', async (typed, confirmed) => {
    const fake = new FakeTerminal(typed);
    expect(await confirm(fake.terminal, confirmation)).toBe(confirmed);
    expect(fake.written).toMatch(
      /^Delete a container: "bob"\. This cannot be undone\.\nDisk used: 1 GiB of 2 GiB, 50 percent\.\nType "bob" to continue/,
    );
  });
});

describe('Questionnaire', () => {
  const fill = (
    verb: 'create' | 'resize',
    given: Readonly<Record<string, unknown>>,
    typed: string,
  ): { fake: FakeTerminal; input: Promise<unknown> } => {
    const fake = new FakeTerminal(typed);
    const form = new Questionnaire(
      { verb: verbNamed(verb), given },
      { terminal: fake.terminal, entryPoint: 'manage', complete: (line) => Promise.resolve([{ value: `<${line}>` }]) },
    );
    return { fake, input: form.run() };
  };

  test('asks only for missing values, and "done" skips the optional ones', async () => {
    const { fake, input } = fill('create', { user: 'dora' }, `${key}\rdone\r\r`);
    expect(await input).toEqual({ user: 'dora', keys: key });
    expect(fake.written).toMatch(/user: dora, as you typed it\./);
    expect(fake.written).toMatch(
      /Your answers: user dora, public key ssh-ed25519 SHA256:\S+ user@laptop\.\nPress Enter to create/,
    );
  });

  test('says why it does not accept a value', async () => {
    const { fake, input } = fill('create', { user: 'root' }, `\rdora\r${key}\rdone\r\r`);
    expect(await input).toMatchObject({ user: 'dora' });
    expect(fake.written).toMatch(/root is not accepted: user: .+\.\n[^]*user: \nNot accepted: user is required\./);
  });

  test('goes back, even from the last question', async () => {
    const { input } = fill('create', { user: 'dora' }, `back\rdave\r${key}\rdone\rback\rback\rteam=blue\r\r\r`);
    expect(await input).toEqual({ user: 'dave', keys: key, labels: ['team=blue'] });
  });

  test('requires at least one of several optional values', async () => {
    const { fake, input } = fill('resize', { user: 'bob' }, '\r\r\r\rmany\r4\r\r\r\r\r');
    expect(await input).toEqual({ user: 'bob', cpu: '4' });
    expect(fake.written).toContain('At least one of these is required: cpu, memory, disk-quota, processes.');
    expect(fake.written).toMatch(/Not accepted: /);
  });

  test('completes answers as on a command line', async () => {
    const { input } = fill('resize', {}, 'b\t\x15bob\r4\r\t\x158GiB\r\r\r\r');
    expect(await input).toEqual({ user: 'bob', cpu: '4', memory: '8GiB' });
  });

  test.each(['\x03', `${key}\r\x03`, `${key}\rdone\r\x03`])('is cancelled by the input %j', async (typed) => {
    expect(await fill('create', { user: 'dora' }, typed).input).toBeUndefined();
  });
});

describe('CommandLine', () => {
  const read = async (...typed: readonly string[]): Promise<{ command: Command; written: string }> => {
    const fake = new FakeTerminal(...typed);
    const complete = (text: string): Promise<{ from: number; candidates: readonly Candidate[]; after: string }> => {
      const from = text.lastIndexOf(' ') + 1;
      return Promise.resolve({
        from,
        candidates: users.filter(({ value }) => value.startsWith(text.slice(from))),
        after: ' ',
      });
    };
    const line = new CommandLine({
      terminal: fake.terminal,
      history: new History(['list', 'info bob']),
      stop: () => false,
      complete,
      hasInputEnded: () => false,
    });
    return { command: await line.read(), written: fake.written };
  };

  test.each<[string, Command]>([
    [' list \r', { kind: 'run', line: 'list' }],
    ['\r\rlist\r', { kind: 'run', line: 'list' }],
    ['\x04', { kind: 'leave' }],
    ['x\x04\x03\x04', { kind: 'leave' }],
    ['\x03\x03', { kind: 'leave-at-once' }],
    ['\x03list\r', { kind: 'run', line: 'list' }],
    ['\x03x\x7f\x03\x03', { kind: 'leave-at-once' }],
    ['\x0f', { kind: 'view' }],
    ['\x1b[A\r', { kind: 'run', line: 'info bob' }],
    ['\x1b[A\x1b[A\x1b[A\r', { kind: 'run', line: 'list' }],
    ['dr\x1b[A\x1b[B\r', { kind: 'run', line: 'dr' }],
    ['l\x1b[A\r', { kind: 'run', line: 'list' }],
    ['info b\t\r', { kind: 'run', line: 'info bob' }],
    ['info x\t\r', { kind: 'run', line: 'info x' }],
    ['info a\t2\r\r', { kind: 'run', line: 'info albert' }],
    ['info a\t\r\r', { kind: 'run', line: 'info al' }],
    ['\x12fo\r\r', { kind: 'run', line: 'info bob' }],
    ['x\x12zzz\r\r', { kind: 'run', line: 'x' }],
  ])('reads a command from the input %j', async (typed, command) => {
    expect((await read(typed)).command).toEqual(command);
  });

  test('appends the only completion to the typed text', async () => {
    expect((await read('info b\t', 'now\r')).written).toBe('> info bob now\n');
  });

  test('does not run keys, and does not keep private ones', async () => {
    const { command, written } = await read(`${key}\r`, '-----BEGIN OPENSSH PRIVATE KEY-----\r', '\x1b[A\r');
    expect(command).toEqual({ kind: 'run', line: 'info bob' });
    expect(written).toMatch(/That is a public key[^]*That is a private key/);
  });

  test('shows pasted lines, and runs them in order after Enter', async () => {
    const fake = new FakeTerminal();
    const line = new CommandLine({
      terminal: fake.terminal,
      history: new History([]),
      stop: () => false,
      complete: () => Promise.resolve({ from: 0, candidates: [], after: '' }),
      hasInputEnded: () => false,
    });
    const first = line.read();
    fake.terminal.feed('\x1b[200~whoami\nlist -c user\n\x1b[201~');
    await new Promise((resolve) => setImmediate(resolve));
    expect(fake.written).toBe(
      '> \nwhoami\nlist -c user\n2 pasted lines. Press Enter to run all in order, or Ctrl-C to drop them.\n> ',
    );
    fake.terminal.feed('\r');
    expect(await first).toEqual({ kind: 'run', line: 'whoami' });
    expect(await line.read()).toEqual({ kind: 'run', line: 'list -c user' });
    expect(fake.written).toMatch(/> whoami\n> list -c user\n$/);
    expect(line.drop()).toBe(0);
  });
});
