/** Questions, numbered choices and the line of commands, answered by what is typed ahead. */
import { describe, expect, test } from 'vitest';
import { verbNamed } from '../../../../src/catalogue/catalogue.ts';
import { History } from '../../../../src/shell/composer/history.ts';
import { ask, choose, confirm } from '../../../../src/shell/plain/asking.ts';
import { CommandLine, type Command } from '../../../../src/shell/plain/commandLine.ts';
import { Questionnaire } from '../../../../src/shell/plain/questionnaire.ts';
import { Paper } from './paper.ts';
import type { Candidate } from '../../../../src/domain/events/candidate.ts';

const users: readonly Candidate[] = [{ value: 'alice', says: 'Running' }, { value: 'albert' }, { value: 'bob' }];
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1Yb2xk5i2sLFFs2FzzC7fZ4bQ2Sv6o8Q8Yh3F0kB1u user@laptop';

describe('a question', () => {
  test.each([
    ['yes\r', 'yes'],
    ['\r', ''],
    ['y\x03', undefined],
    ['\x04', undefined],
    ['y\x04es\r', 'yes'],
    ['\x1b[A\x1b[Byes\r', 'yes'],
  ])('%j', async (typed, answer) => {
    expect(await ask(new Paper(typed).desk, 'Sure? ')).toBe(answer);
  });

  test('says what could be answered', async () => {
    const paper = new Paper('al\t', '2\r', '\r');
    expect(await ask(paper.desk, 'user: ', { candidates: () => Promise.resolve(users) })).toBe('albert');
    expect(paper.written).toBe(
      'user: al\n1. alice: Running\n2. albert\n3. bob\nNumber, or Enter for none: 2\nuser: albert\n',
    );
  });

  test('takes the only one there is', async () => {
    const paper = new Paper('b\t', '\r');
    expect(await ask(paper.desk, 'user: ', { candidates: () => Promise.resolve([{ value: 'bob' }]) })).toBe('bob');
  });
});

describe('a choice', () => {
  test('is a number of the list', async () => {
    const paper = new Paper('0\r4\rx\r 3 \r');
    expect(await choose(paper.desk, users)).toEqual({ value: 'bob' });
    expect(paper.written.match(/There is no number/g)).toHaveLength(3);
  });

  test('may be none', async () => {
    expect(await choose(new Paper('\r').desk, users)).toBeUndefined();
    expect(await choose(new Paper('1\x03').desk, users)).toBeUndefined();
  });

  test('of very many is asked of some', async () => {
    const paper = new Paper('31\r30\r');
    const many = Array.from({ length: 45 }, (_, i) => ({ value: `user${i + 1}`, says: '\u001b[31m' }));
    expect(await choose(paper.desk, many)).toBe(many[29]);
    expect(paper.written).toContain('15 more are not listed');
    expect(paper.written).not.toContain('\u001b');
  });
});

describe('a confirmation', () => {
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
  ])('%j', async (typed, confirmed) => {
    const paper = new Paper(typed);
    expect(await confirm(paper.desk, confirmation)).toBe(confirmed);
    expect(paper.written).toMatch(
      /^Delete a container: "bob"\. This cannot be undone\.\nDisk used: 1 GiB of 2 GiB, 50 percent\.\nType "bob" to go on/,
    );
  });
});

describe('a form', () => {
  const fill = (
    verb: 'create' | 'resize',
    given: Readonly<Record<string, unknown>>,
    typed: string,
  ): { paper: Paper; input: Promise<unknown> } => {
    const paper = new Paper(typed);
    const form = new Questionnaire(
      { verb: verbNamed(verb), given },
      { desk: paper.desk, entryPoint: 'manage', complete: (line) => Promise.resolve([{ value: `<${line}>` }]) },
    );
    return { paper, input: form.run() };
  };

  test('asks only for what is missing, and "done" skips what may be left out', async () => {
    const { paper, input } = fill('create', { user: 'dora' }, `${key}\rdone\r\r`);
    expect(await input).toEqual({ user: 'dora', keys: key });
    expect(paper.written).toMatch(/user: dora, as you typed it\./);
    expect(paper.written).toMatch(
      /You gave: user dora, public key ssh-ed25519 SHA256:\S+ user@laptop\.\nEnter to create/,
    );
  });

  test('says why what was given will not do', async () => {
    const { paper, input } = fill('create', { user: 'root' }, `\rdora\r${key}\rdone\r\r`);
    expect(await input).toMatchObject({ user: 'dora' });
    expect(paper.written).toMatch(/user: root is not accepted: .+\.\n[^]*user: \nNot accepted: it is needed\./);
  });

  test('goes back, also from the end', async () => {
    const { input } = fill('create', { user: 'dora' }, `back\rdave\r${key}\rdone\rback\rteam=blue\r\r`);
    expect(await input).toEqual({ user: 'dave', keys: key, labels: ['team=blue'] });
  });

  test('wants one of several', async () => {
    const { paper, input } = fill('resize', { user: 'bob' }, '\r\r\rmany\r4\r\r\r\r');
    expect(await input).toEqual({ user: 'bob', cpu: '4' });
    expect(paper.written).toContain('At least one of these is needed: cpu, memory, disk.');
    expect(paper.written).toMatch(/Not accepted: /);
  });

  test('completes as a command line would be', async () => {
    const { input } = fill('resize', {}, 'b\t\x15bob\r4\r\t\x158GiB\r\r\r');
    expect(await input).toEqual({ user: 'bob', cpu: '4', memory: '8GiB' });
  });

  test.each(['\x03', `${key}\r\x03`, `${key}\rdone\r\x03`])('is given up: %j', async (typed) => {
    expect(await fill('create', { user: 'dora' }, typed).input).toBeUndefined();
  });
});

describe('the line of commands', () => {
  const read = async (...typed: readonly string[]): Promise<{ command: Command; written: string }> => {
    const paper = new Paper(...typed);
    const complete = (text: string): Promise<{ from: number; candidates: readonly Candidate[]; after: string }> => {
      const from = text.lastIndexOf(' ') + 1;
      return Promise.resolve({
        from,
        candidates: users.filter(({ value }) => value.startsWith(text.slice(from))),
        after: ' ',
      });
    };
    const line = new CommandLine({
      desk: paper.desk,
      history: new History(['list', 'info bob']),
      stop: () => false,
      complete,
    });
    return { command: await line.read(), written: paper.written };
  };

  test.each<[string, Command]>([
    [' list \r', { kind: 'run', line: 'list' }],
    ['\r\rlist\r', { kind: 'run', line: 'list' }],
    ['\x04', { kind: 'leave' }],
    ['x\x04\x03\x04', { kind: 'leave' }],
    ['\x03\x03', { kind: 'leave' }],
    ['\x03list\r', { kind: 'run', line: 'list' }],
    ['\x03x\x7f\x03\x03', { kind: 'leave' }],
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
  ])('%j', async (typed, command) => {
    expect((await read(typed)).command).toEqual(command);
  });

  test('what only completes is written behind what was typed', async () => {
    expect((await read('info b\t', 'now\r')).written).toBe('> info bob now\n');
  });

  test('keys are not run, and private ones not kept', async () => {
    const { command, written } = await read(`${key}\r`, '-----BEGIN OPENSSH PRIVATE KEY-----\r', '\x1b[A\r');
    expect(command).toEqual({ kind: 'run', line: 'info bob' });
    expect(written).toMatch(/That is a public key[^]*That is a private key/);
  });
});
