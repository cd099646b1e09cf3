import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import type { Incus } from '../../../../src/host/incus/incus.ts';
import { incusBy } from '../../../support/incus.ts';
import type { Command, Output } from '../../../../src/host/runner.ts';

const answers = (byPath: Readonly<Record<string, unknown>>): Incus =>
  incusBy({
    run: ({ args }) => {
      const found = byPath[args.at(-1) ?? ''];
      return found instanceof Failure
        ? Promise.reject(found)
        : Promise.resolve({ stdout: JSON.stringify(found), stderr: '', exitCode: 0 });
    },
  });
const failed = (why: string): Failure => new Failure('program-failed', { what: '"incus query"', why });

describe('a list of instances with one whose state Incus cannot read', () => {
  const list = '/1.0/instances?recursion=2';
  const bob = { name: 'bob-container', status: 'Running', config: { 'limits.cpu': '2' }, devices: {} };
  const broken = { name: 'alice-container', status: 'Error', config: null, devices: null, state: null };

  it('has all instances, that one without state', async () => {
    const stored = { name: 'alice-container', status: 'Error', config: { 'limits.cpu': '4' }, devices: {} };
    const incus = answers({ [list]: [broken, bob], '/1.0/instances/alice-container': stored });
    expect((await incus.instancesWithState()).map(({ name, config }) => [name, config['limits.cpu']])).toEqual([
      ['alice-container', '4'],
      ['bob-container', '2'],
    ]);
  });

  it('leaves it out if it was deleted meanwhile', async () => {
    const incus = answers({ [list]: [broken, bob], '/1.0/instances/alice-container': failed('Instance not found') });
    expect((await incus.instancesWithState()).map(({ name }) => name)).toEqual(['bob-container']);
  });

  it('fails if that instance cannot be queried for another reason', async () => {
    const failure = failed('database is locked');
    const incus = answers({ [list]: [broken, bob], '/1.0/instances/alice-container': failure });
    await expect(incus.instancesWithState()).rejects.toBe(failure);
  });
});

describe('a list of instances that is too long, because of one state', () => {
  const tooMuch = new Failure('unexpected-output', {
    what: '"incus query"',
    why: 'it printed more than 16777216 bytes',
    details: { maxOutputBytes: 16_777_216 },
  });
  const stored = (name: string) => ({ name, status: 'Running', config: {}, devices: {} });
  const bob = { ...stored('bob-container'), state: { status: 'Running', processes: 7 } };

  it('has all instances, that one without state', async () => {
    const incus = answers({
      '/1.0/instances?recursion=2': tooMuch,
      '/1.0/instances?recursion=1': [stored('alice-container'), stored('bob-container')],
      '/1.0/instances/alice-container?recursion=1': tooMuch,
      '/1.0/instances/alice-container': stored('alice-container'),
      '/1.0/instances/bob-container?recursion=1': bob,
    });
    expect((await incus.instancesWithState()).map(({ name, state: found }) => [name, found?.processes])).toEqual([
      ['alice-container', undefined],
      ['bob-container', 7],
    ]);
  });

  it('leaves out one that is deleted meanwhile', async () => {
    const incus = answers({
      '/1.0/instances?recursion=2': tooMuch,
      '/1.0/instances?recursion=1': [stored('alice-container'), stored('bob-container')],
      '/1.0/instances/alice-container?recursion=1': failed('Instance not found'),
      '/1.0/instances/bob-container?recursion=1': bob,
    });
    expect((await incus.instancesWithState()).map(({ name }) => name)).toEqual(['bob-container']);
  });

  it('lets a verb have that one instance', async () => {
    const incus = answers({
      '/1.0/instances/alice-container?recursion=1': tooMuch,
      '/1.0/instances/alice-container': stored('alice-container'),
    });
    expect(await incus.instance('alice-container')).toMatchObject({ name: 'alice-container', status: 'Running' });
  });
});

describe('one instance', () => {
  const path = '/1.0/instances/alice-container';
  const stored = { name: 'alice-container', status: 'Error', config: {}, devices: {} };

  it('has no state if Incus cannot read that', async () => {
    const incus = answers({ [`${path}?recursion=1`]: failed('Failed to get disk usage'), [path]: stored });
    expect(await incus.instance('alice-container')).toMatchObject({ status: 'Error' });
  });

  it('is undefined only if Incus says that there is none', async () => {
    const none = failed('Failed to fetch instance "alice-container" in project "default": Instance not found');
    expect(await answers({ [`${path}?recursion=1`]: none }).instance('alice-container')).toBeUndefined();
    const broken = failed('Storage pool not found');
    const incus = answers({ [`${path}?recursion=1`]: broken, [path]: broken });
    await expect(incus.instance('alice-container')).rejects.toBe(broken);
  });
});

describe('changes by which Incus chooses user ids', () => {
  const isolated = { config: { 'security.idmap.isolated': 'true' }, devices: {} };

  /** An Incus whose commands end when they are told to. */
  const held = () => {
    const running: { name: string; end: (failure?: Failure) => void }[] = [];
    const incus = incusBy({
      run: ({ args }: Command) =>
        new Promise<Output>((resolve, reject) =>
          running.push({
            name: args.join(' '),
            end: (failure) =>
              failure === undefined ? resolve({ stdout: '', stderr: '', exitCode: 0 }) : reject(failure),
          }),
        ),
    });
    return { incus, running };
  };
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('run one at a time, also after one that failed', async () => {
    const { incus, running } = held();
    const first = incus.create('a', 'image', isolated);
    const second = incus.patch('b', isolated);
    await settle();
    expect(running).toHaveLength(1);
    running[0]?.end(failed('no space'));
    await expect(first).rejects.toMatchObject({ why: 'no space' });
    await settle();
    expect(running).toHaveLength(2);
    running[1]?.end();
    await second;
  });

  it('do not wait for changes by which it chooses none', async () => {
    const { incus, running } = held();
    const changes = [incus.create('a', 'image', isolated), incus.patch('b', { config: { 'limits.cpu': '2' } })];
    await settle();
    expect(running).toHaveLength(2);
    for (const { end } of running) end();
    await Promise.all(changes);
  });
});

describe('metrics that are too long, because of the network interfaces of one container', () => {
  it('say nothing of the memory in use, and fail no list', async () => {
    const details = { maxOutputBytes: 16_777_216 };
    const incus = answers({
      '/1.0/metrics?project=default': new Failure('unexpected-output', {
        what: 'the metrics',
        why: 'too long',
        details,
      }),
    });
    expect(await incus.memoryInUse()).toEqual(new Map());
  });

  it('are not mistaken for metrics that cannot be read', async () => {
    const incus = answers({ '/1.0/metrics?project=default': failed('database is locked') });
    await expect(incus.memoryInUse()).rejects.toThrow('database is locked');
  });
});

describe('a clean shutdown', () => {
  it('has the time of the settings, and Incus has that of a change beside it', async () => {
    const commands: Command[] = [];
    const incus = incusBy(
      {
        run: (command) => {
          commands.push(command);
          return Promise.resolve({ stdout: '', stderr: '', exitCode: 0 });
        },
      },
      { readMs: 1000, changeMs: 2000, copyMs: 3000, shutdownMs: 90_500 },
    );
    await incus.stop('a');
    await incus.restart('a');
    await incus.stop('a', { force: true });
    expect(commands.map(({ args, timeoutMs }) => [args.join(' '), timeoutMs])).toEqual([
      ['stop a --timeout 91 --quiet', 92_500],
      ['restart a --timeout 91 --quiet', 92_500],
      ['stop a --force --quiet', 2000],
    ]);
  });
});
