/** Terminals, events and console logs of a real Incus. */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Incus } from '../../src/host/incus/incus.ts';
import { SocketReads } from '../../src/host/incus/socketReads.ts';
import { incusSocketPath } from '../../src/host/incus/socket.ts';
import { SocketStreams } from '../../src/host/incus/streams.ts';
import type { TerminalRequest } from '../../src/host/incus/streams.ts';
import { ProgramRunner } from '../../src/host/runner.ts';
import { checkBackups } from '../contract/backups.ts';
import { expectedRefusals, refusalsOf } from '../contract/refusals.ts';
import { booted, checkStreams, failureOf, follow, session } from '../contract/streams.ts';
import { ensurePackages, startIncus, waitUntil } from './harness/index.ts';
import type { RunningIncus } from './harness/index.ts';
import { endProcesses, processes } from './harness/processes.ts';

const reason = await ensurePackages();
if (reason !== undefined) console.warn(`skipped: ${reason}`);

describe.skipIf(reason !== undefined)('streams of a real Incus', () => {
  let running: RunningIncus;
  let incus: Incus;
  let streams: SocketStreams;
  const spec = (): Parameters<Incus['create']>[2] => ({
    config: {},
    devices: { root: { type: 'disk', path: '/', pool: running.pool } },
  });
  const instance = 'cxt-terminal';
  const open = (script: string, more: Partial<TerminalRequest> = {}) =>
    streams.terminal({
      instance,
      argv: ['bash', '-c', script],
      environment: { TERM: 'dumb' },
      columns: 80,
      rows: 24,
      ...more,
    });
  /**
   * Reports whether a program with this text in its command line runs in the container. The host sees its processes.
   */
  const runsInside = async (mark: string): Promise<boolean> =>
    (await processes()).some(({ commandLine }) => commandLine.includes(mark) && !commandLine.includes('forkexec'));

  beforeAll(async () => {
    running = await startIncus({ name: 'streams' });
    incus = new Incus({
      runner: new ProgramRunner({ env: running.env }),
      reads: new SocketReads(incusSocketPath(running.env)),
    });
    streams = new SocketStreams(incusSocketPath(running.env));
    await incus.create(instance, running.image, spec());
    await incus.start(instance);
  });
  afterAll(async () => {
    await running?.stop();
    expect(await running?.remains()).toEqual([]);
  });

  it('behave like those of the simulated host', async () => {
    await checkStreams({ incus, streams, image: running.image, spec: spec() });
  });

  it('make backups, and instances of them, like those of the simulated host', async () => {
    await checkBackups({ incus, streams, image: running.image, spec: spec() });
    expect(await streams.freeForBackups()).toBeGreaterThan(0);
  });

  it('refuse what the simulated host refuses, with the same reasons', async () => {
    const runner = new ProgramRunner({ env: running.env });
    const answers = await refusalsOf({ runner, image: running.image, spec: spec() });
    expect(answers).toEqual(await expectedRefusals(answers, true));
  });

  it('report snapshots, renames, and actions in the container', async () => {
    const events = await follow(streams);
    const name = 'cxt-renamed';
    await incus.create('cxt-before', running.image, spec());
    await running.incus(['snapshot', 'create', 'cxt-before', 'one']);
    await running.incus(['snapshot', 'delete', 'cxt-before', 'one']);
    await running.incus(['rename', 'cxt-before', name]);
    await incus.start(name);
    const has = (what: string) => waitUntil(() => Promise.resolve(events.received.includes(what)), 30_000);
    await booted(incus, name);
    await incus.exec(name, ['systemctl', 'reboot']).catch(() => undefined);
    expect(await has(`instance-restarted ${name}`)).toBe(true);
    await booted(incus, name);
    await incus.exec(name, ['systemctl', 'poweroff']).catch(() => undefined);
    expect(await has(`instance-shutdown ${name}`)).toBe(true);
    await incus.delete(name);
    expect(await has(`instance-deleted ${name}`)).toBe(true);
    await events.stop();
    expect(events.received.filter((event) => !/^instance-(exec|console)/.test(event))).toEqual([
      'instance-created cxt-before',
      'instance-snapshot-created cxt-before',
      'instance-snapshot-deleted cxt-before',
      `instance-renamed ${name}`,
      `instance-started ${name}`,
      `instance-restarted ${name}`,
      `instance-shutdown ${name}`,
      `instance-deleted ${name}`,
    ]);
  });

  it('pass every byte, in both directions', async () => {
    const { terminal, text } = session(
      await open('stty raw -echo; echo ready; head -c 1000000 | sha256sum; stty sane; exit 3'),
    );
    await waitUntil(() => Promise.resolve(text().includes('ready')), 10_000);
    const all = Buffer.from(Uint8Array.from({ length: 256 }, (_, n) => n));
    const bytes = Buffer.concat(Array.from({ length: 3907 }, () => all)).subarray(0, 1_000_000);
    for (let from = 0; from < bytes.length; from += 10_000) {
      if (!terminal.write(bytes.subarray(from, from + 10_000)))
        await new Promise<void>((resolve) => terminal.onDrain(resolve));
    }
    expect(await terminal.exit).toBe(3);
    expect(text()).toContain(createHash('sha256').update(bytes).digest('hex'));
  });

  it.each([
    ['that hangs up when told to', 'echo up; sleep 98761', 'sleep 98761', 129],
    ['that will not hang up', 'trap "" HUP; echo up; while :; do read -t 1 _98762; done', '_98762', 137],
  ])('leave no program %s when they are closed', async (_which, script, mark, status) => {
    const { terminal, text } = session(await open(script));
    await waitUntil(() => Promise.resolve(text().includes('up')), 10_000);
    expect(await waitUntil(() => runsInside(mark), 5000)).toBe(true);
    terminal.close();
    expect(await terminal.exit).toBe(status);
    expect(await waitUntil(async () => !(await runsInside(mark)), 5000)).toBe(true);
  });

  it('leave no job of a shell, nor a shell behind another program, when they are closed', async () => {
    // The shell has to lead its session, as under sshd: plain su leaves its jobs.
    for (const argv of [
      ['bash'],
      ['su', '--pty', '-', '-s', '/bin/bash', 'nobody'],
      ['setpriv', '--reuid', 'nobody', '--clear-groups', 'bash'],
    ]) {
      const { terminal, type, text } = session(await open('', { argv }));
      await waitUntil(() => Promise.resolve(/[#$] $/.test(text())), 10_000);
      await type('sleep 98763 & sleep 98764\r', '[1] ');
      expect(
        await waitUntil(async () => (await runsInside('sleep 98763')) && (await runsInside('sleep 98764')), 5000),
      ).toBe(true);
      terminal.close();
      expect([129, 137]).toContain(await terminal.exit);
      expect(await waitUntil(async () => !(await runsInside('sleep 9876')), 5000), argv.join(' ')).toBe(true);
    }
  });

  it('end a program with Ctrl-C, and report one that was killed', async () => {
    const interrupted = session(await open('echo up; exec sleep 98765'));
    expect(await waitUntil(() => Promise.resolve(interrupted.text().includes('up')), 10_000)).toBe(true);
    interrupted.terminal.write(Buffer.from('\u0003'));
    expect(await interrupted.terminal.exit).toBe(130);
    expect(await (await open('kill -KILL $$')).exit).toBe(137);
    expect(await (await open('exit 3')).exit).toBe(3);
  });

  it('hold a flood back at its source', async () => {
    const { terminal, text } = session(await open('for n in $(seq 300000); do echo $n; done; echo end'));
    await waitUntil(() => Promise.resolve(text().length > 10_000), 10_000);
    terminal.pause();
    await delay(1000);
    const cpu = async (): Promise<number> => (await incus.state(instance)).cpu?.usage ?? 0;
    const before = await cpu();
    const { length } = text();
    // Longer than Incus waits for a pong.
    await delay(16_000);
    expect(text()).toHaveLength(length);
    // A program that is held back does not run: it used less than a tenth of the time, not all of it.
    expect(((await cpu()) - before) / 1e9).toBeLessThan(1.6);
    terminal.resume();
    expect(await terminal.exit).toBe(0);
    expect(text().split('\r\n')).toEqual([...Array.from({ length: 300_000 }, (_, n) => String(n + 1)), 'end', '']);
  });

  it('fail when Incus ends, which also ends the program in the container', async () => {
    const events = await follow(streams);
    const { terminal, text } = session(await open('echo up; sleep 98766'));
    await waitUntil(() => Promise.resolve(text().includes('up')), 10_000);
    const daemon = (await processes()).filter(
      ({ commandLine }) =>
        commandLine.includes('incusd') && commandLine.includes(running.logPath) && commandLine.includes('--group'),
    );
    expect(daemon).toHaveLength(1);
    await endProcesses(daemon);
    expect(await failureOf(terminal.exit)).toMatchObject({ code: 'incus-unavailable' });
    expect(await failureOf(events.ended)).toMatchObject({
      code: 'incus-unavailable',
      why: 'its event stream ended',
    });
    expect(await failureOf(follow(streams))).toMatchObject({
      code: 'incus-unavailable',
      why: 'its server does not answer',
    });
    expect(await failureOf(open('true'))).toMatchObject({ code: 'incus-unavailable' });
    expect(await waitUntil(async () => !(await runsInside('sleep 98766')), 10_000)).toBe(true);
  });
});
