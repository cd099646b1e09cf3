import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Program } from '../../../../src/host/runner.ts';
import type { FaultPlan } from '../../../../src/simulated/faults/faults.ts';
import { failureOf, fixture, spec, temporaryFolder } from '../support.ts';
import type { Fixture } from '../support.ts';

const createArgs = (name: string) => ['create', 'images:debian/12', name, '--no-profiles', '--quiet'];
const create = (made: Fixture, name: string, timeoutMs = 30_000, signal?: AbortSignal) =>
  made.host.runner.run({ program: 'incus', args: createArgs(name), input: spec(), timeoutMs, signal });
const names = async ({ incus }: Fixture) => (await incus.instances()).map(({ name }) => name);

describe('the fault mode', () => {
  test('fail-before fails one command without doing its work', async () => {
    const made = fixture({ faults: [{ match: { argIncludes: 'create' }, mode: 'fail-before' }] });
    const failure = await failureOf(create(made, 'a'));
    expect(failure).toMatchObject({
      code: 'program-failed',
      why: 'simulated fault',
      details: { exitCode: 1, stderr: 'Error: simulated fault' },
    });
    expect(await names(made)).toEqual([]);
    await create(made, 'a');
    expect(await names(made)).toEqual(['a']);
  });

  test('fail-after does and saves the work before it fails', async () => {
    const folder = temporaryFolder();
    const made = fixture({ faults: [{ match: { argIncludes: 'create' }, mode: 'fail-after' }] }, folder);
    expect(await failureOf(create(made, 'a'))).toMatchObject({ code: 'program-failed', why: 'simulated fault' });
    expect(await names(made)).toEqual(['a']);
    expect(await names(fixture({}, folder))).toEqual(['a']);
  });

  test.each([
    ['hang', []],
    ['hang-after', ['a']],
  ] as const)('%s ends at the time limit with the message of the real runner', async (mode, left) => {
    const made = fixture({ faults: [{ match: { argIncludes: 'create' }, mode }], timeScale: 0.0001 });
    const startedMs = performance.now();
    expect(await failureOf(create(made, 'a', 60_000))).toMatchObject({
      code: 'timeout',
      why: 'it did not end within 1 minute and was stopped',
      details: { timeoutMs: 60_000 },
    });
    expect(performance.now() - startedMs).toBeLessThan(5000);
    expect(await names(made)).toEqual(left);
  });

  test('hang ends when the command is cancelled', async () => {
    const made = fixture({ faults: [{ match: { argIncludes: 'create' }, mode: 'hang' }] });
    const abort = new AbortController();
    const failing = failureOf(create(made, 'a', 60_000, abort.signal));
    abort.abort();
    expect((await failing).code).toBe('cancelled');
    expect(await names(made)).toEqual([]);
  });

  test('hang does not block other commands', async () => {
    const made = fixture({ faults: [{ match: { argIncludes: 'create' }, mode: 'hang' }] });
    const abort = new AbortController();
    const failing = failureOf(create(made, 'a', 60_000, abort.signal));
    await create(made, 'b');
    expect(await names(made)).toEqual(['b']);
    abort.abort();
    await failing;
  });

  test('lock makes the accounts module retry', async () => {
    const once = { match: { program: 'useradd' }, mode: 'lock' } as const;
    const always = { match: { program: 'userdel' }, mode: 'lock', repeat: true } as const;
    const made = fixture({ faults: [once, always] });
    await made.accounts.ensureGroup('jump');
    await made.accounts.create({ name: 'alice', comment: 'mark', group: 'jump' });
    expect(await made.accounts.account('alice')).toBeDefined();
    expect(await failureOf(made.accounts.remove('alice'))).toMatchObject({
      why: 'userdel: cannot lock /etc/passwd; try again later.',
    });
    expect(await made.accounts.account('alice')).toBeDefined();
  });
});

describe('a fault plan', () => {
  /** Returns the numbers, counted from 1, of the commands that fail. */
  async function failing(faults: FaultPlan, commands: readonly (readonly [Program, ...string[]])[]): Promise<number[]> {
    const { run } = fixture({ faults });
    const found: number[] = [];
    for (const [index, [program, ...args]] of commands.entries()) {
      if ((await run(program, args)).stderr.includes('simulated fault')) found.push(index + 1);
    }
    return found;
  }

  const commands = [
    ['getent', 'passwd', 'root'],
    ['groupadd', '--system', 'one'],
    ['getent', 'group', 'one'],
    ['groupadd', '--system', 'two'],
    ['incus', 'query', '/1.0'],
    ['groupadd', '--system', 'three'],
  ] as const;

  test.each([
    ['the next command', { mode: 'fail-before' }, [1]],
    ['the fourth command', { call: 4, mode: 'fail-before' }, [4]],
    ['the second change', { match: { changes: true }, call: 2, mode: 'fail-before' }, [4]],
    ['the third read', { match: { changes: false }, call: 3, mode: 'fail-before' }, [5]],
    ['every command from the third on', { call: 3, mode: 'fail-before', repeat: true }, [3, 4, 5, 6]],
    ['the third command of a program', { match: { program: 'groupadd' }, call: 3, mode: 'fail-before' }, [6]],
    ['every command of a program', { match: { program: 'groupadd' }, mode: 'fail-before', repeat: true }, [2, 4, 6]],
    ['a command with an argument', { match: { argIncludes: 'tw' }, mode: 'fail-before' }, [4]],
    ['no command if none matches', { match: { program: 'userdel' }, mode: 'fail-before' }, []],
  ] as const)('fails %s', async (_, fault, expected) => {
    expect(await failing([fault], commands)).toEqual(expected);
  });

  test('with two faults fails two commands', async () => {
    expect(
      await failing(
        [
          { call: 2, mode: 'fail-before' },
          { call: 3, mode: 'fail-after' },
        ],
        commands,
      ),
    ).toEqual([2, 3]);
  });
});

describe('the fault file', () => {
  test('adds faults to a running host, counts from its opening, and loses used faults', async () => {
    const faultsPath = join(temporaryFolder(), 'faults.json');
    const { say } = fixture({ faultsPath });
    const look = () => say('getent', ['passwd', 'root']);
    expect(await look()).toBe('0 ');
    const later = { match: { program: 'getent' }, call: 4, mode: 'fail-before' };
    writeFileSync(faultsPath, JSON.stringify([{ mode: 'fail-before' }, later]));
    expect(await look()).toBe('1 Error: simulated fault');
    expect(JSON.parse(readFileSync(faultsPath, 'utf8'))).toEqual([later]);
    expect(await look()).toBe('0 ');
    expect(await look()).toBe('1 Error: simulated fault');
    expect(await look()).toBe('0 ');
    expect(JSON.parse(readFileSync(faultsPath, 'utf8'))).toEqual([]);
  });

  test('keeps repeated faults until it is deleted', async () => {
    const faultsPath = join(temporaryFolder(), 'faults.json');
    const { say } = fixture({ faultsPath });
    const look = () => say('getent', ['passwd', 'root']);
    writeFileSync(faultsPath, JSON.stringify([{ mode: 'fail-before', repeat: true }]));
    expect([await look(), await look()]).toEqual(['1 Error: simulated fault', '1 Error: simulated fault']);
    rmSync(faultsPath);
    expect(await look()).toBe('0 ');
    expect(existsSync(faultsPath)).toBe(false);
  });

  test.each([
    ['{'],
    ['{"mode":"fail-before"}'],
    ['[{"mode":"explode"}]'],
    ['[{"mode":"fail-before","programme":"incus"}]'],
  ])('is refused if it contains %s', async (text) => {
    const faultsPath = join(temporaryFolder(), 'faults.json');
    const { run } = fixture({ faultsPath });
    writeFileSync(faultsPath, text);
    await expect(run('getent', ['passwd'])).rejects.toMatchObject({ code: 'settings' });
  });
});

test('the command log lists every command, including those that fail, without standard input', async () => {
  const folder = temporaryFolder();
  const logPath = join(folder, 'commands.jsonl');
  const made = fixture({ logPath, faults: [{ call: 2, mode: 'fail-before' }] }, folder);
  await made.accounts.account('root');
  await create(made, 'a').catch(() => undefined);
  await made.host.jumpKeys.write('alice', 'secret text');
  await made.incus.pushFile({ instance: 'a', path: '/x', content: 'secret text', mode: '0600' }).catch(() => undefined);
  const text = readFileSync(logPath, 'utf8');
  expect(
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([
    { n: 1, program: 'getent', args: ['passwd', 'root'], changes: false },
    { n: 2, program: 'incus', args: createArgs('a'), changes: true },
    { n: 3, program: 'jump-keys', args: ['write', 'alice'], changes: true },
    { n: 4, program: 'incus', args: expect.arrayContaining(['file', 'push', 'a/x']) as unknown, changes: true },
  ]);
  expect(text).not.toContain('secret');
});

describe('the pace', () => {
  test('delays long work but no reads', async () => {
    const made = fixture({ paceMs: 60 });
    const startedMs = performance.now();
    await made.incus.instances();
    await made.accounts.ensureGroup('jump');
    const looked = performance.now() - startedMs;
    await create(made, 'a');
    expect(performance.now() - startedMs - looked).toBeGreaterThan(50);
  });

  test('leaves work undone that is cancelled before or during the delay', async () => {
    const made = fixture({ paceMs: 60_000 });
    expect((await failureOf(create(made, 'a', 90_000, AbortSignal.abort()))).code).toBe('cancelled');
    const abort = new AbortController();
    const failing = failureOf(create(made, 'a', 90_000, abort.signal));
    abort.abort();
    expect((await failing).code).toBe('cancelled');
    expect(await names(made)).toEqual([]);
  });
});
