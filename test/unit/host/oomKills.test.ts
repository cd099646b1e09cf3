import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { OomLog, parseOomKills } from '../../../src/host/oomKills.ts';
import type { Command, Runner } from '../../../src/host/runner.ts';

/** A line as Linux 6.18 logs it. */
const line = (
  seconds: string,
  {
    memcg = 'alice-container',
    victim = 'alice-container',
    group = '',
    task = 'tail',
    cpuset = 'lxc.payload.alice-container',
  } = {},
): string =>
  `${seconds} host kernel: oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=${cpuset},mems_allowed=0,` +
  `oom_memcg=/lxc.payload.${memcg},task_memcg=/lxc.payload.${victim}${group},task=${task},pid=11295,uid=1000000`;

describe('parseOomKills', () => {
  it('finds the last kill of each container, and whether its init was killed', () => {
    const text = [
      line('1000.5'),
      line('2000.000000', { group: '/init.scope', task: 'systemd' }),
      // What follows in the same second does not make it less.
      line('2000.100000', { group: '/system.slice/systemd-journald.service', task: 'systemd-journal' }),
      line('3000.000000', { memcg: 'bob-container', victim: 'bob-container', group: '/user.slice' }),
      '',
    ].join('\n');
    expect(parseOomKills(text)).toEqual(
      new Map([
        ['alice-container', { at: new Date(2_000_000), init: true }],
        ['bob-container', { at: new Date(3_000_000), init: false }],
      ]),
    );
    expect(parseOomKills(`${text}${line('2100.0')}`).get('alice-container')).toEqual({
      at: new Date(2_100_000),
      init: false,
    });
  });

  it('finds the last kill if the newest line comes first, as journalctl prints them', () => {
    const lines = [line('1000.5'), line('2000.0', { group: '/init.scope' }), line('2000.1'), line('3000.0')];
    expect(parseOomKills(lines.slice(0, 3).reverse().join('\n')).get('alice-container')).toEqual({
      at: new Date(2_000_000),
      init: true,
    });
    expect(parseOomKills(lines.reverse().join('\n')).get('alice-container')).toEqual({
      at: new Date(3_000_000),
      init: false,
    });
  });

  it('counts a limit that the container has set within itself', () => {
    expect([...parseOomKills(line('1.0', { memcg: 'alice-container/own', victim: 'alice-container' })).keys()]).toEqual(
      ['alice-container'],
    );
  });

  it.each([
    line('1.0', {
      cpuset: 'x,mems_allowed=0,oom_memcg=/lxc.payload.bob-container,task_memcg=/lxc.payload.bob-container',
    }),
    line('1.0', { victim: 'bob-container' }),
    line('1.0').replace('kernel:', 'alice:'),
    line('1.0').replaceAll('lxc.payload', 'system.slice'),
    '1.0 host kernel: Memory cgroup out of memory: Killed process 11295 (tail)',
  ])('does not believe a line that a container could have made up: %j', (text) => {
    expect(parseOomKills(text).size).toBe(0);
  });
});

describe('OomLog', () => {
  function logWith(answer: () => Promise<string>) {
    const commands: Command[] = [];
    const runner: Runner = {
      run: async (command) => {
        commands.push(command);
        return { stdout: await answer(), stderr: '', exitCode: 0 };
      },
    };
    return { log: new OomLog(runner), commands };
  }

  it('reads the log once for many questions', async () => {
    const { log, commands } = logWith(() => Promise.resolve(line('1.0')));
    expect((await log.kills())?.size).toBe(1);
    expect((await log.kills())?.size).toBe(1);
    expect(commands.length).toBe(1);
  });

  it('answers a list with what it read within a minute, and reads meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const text = [line('1.0'), `${line('1.0')}\n${line('2.0').replaceAll('alice', 'bob')}`, line('3.0')];
    const { log, commands } = logWith(() => Promise.resolve(text[commands.length - 1] ?? ''));
    expect((await log.listedKills())?.size).toBe(1);
    vi.advanceTimersByTime(30_000);
    expect((await log.listedKills())?.size).toBe(1);
    expect((await log.kills())?.size).toBe(2);
    expect((await log.listedKills())?.size).toBe(2);
    expect(commands.length).toBe(2);
    vi.advanceTimersByTime(90_000);
    expect((await log.listedKills())?.size).toBe(1);
    expect(commands.length).toBe(3);
  });

  it('does not claim that there were no kills if it cannot read the log', async () => {
    const missing = new Failure('program-missing', { what: 'journalctl', why: 'it is not installed' });
    const { log, commands } = logWith(() => Promise.reject(missing));
    expect(await log.kills()).toBeUndefined();
    expect(await log.kills()).toBeUndefined();
    expect(commands.length).toBe(1);
  });
});
