/** The record of connections on a simulated host, over restarts and failures. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HostConnections, type HostConnectionsOptions } from '../../../../src/core/connections/hostConnections.ts';
import { openConnectionStore } from '../../../../src/core/connections/connectionStore.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import type { JsonObject } from '../../../../src/domain/json.ts';
import { SshdLog } from '../../../../src/host/sshd/log.ts';
import { Journal } from '../../../../src/journal/journal.ts';
import { queryJournal } from '../../../../src/journal/query.ts';
import type { FaultPlan } from '../../../../src/simulated/faults/faults.ts';
import { SimulatedHost } from '../../../../src/simulated/host.ts';
import { eventually } from '../../../support/eventually.ts';
import { accepted, closed, failed, logSshd, sshdLogPath } from '../../../support/sshdLog.ts';

let folder: string;
let journal: Journal;
let running: HostConnections | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-connections-'));
  journal = await Journal.open({ folder: join(folder, 'journal') });
});
afterEach(async () => {
  await running?.stop();
  await journal.close();
  await rm(folder, { recursive: true, force: true });
});

/** A moment from now on: what was logged before the first start does not count. */
const at = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();

function start(options: Partial<HostConnectionsOptions> & { readonly faults?: FaultPlan } = {}): HostConnections {
  const { faults = [], ...others } = options;
  const host = SimulatedHost.open(join(folder, 'host.json'), {
    sshdLogPath: sshdLogPath(folder),
    faults,
    timeScale: 1e-7,
  });
  running = new HostConnections({
    log: pino({ level: 'silent' }),
    sshdLog: new SshdLog(host.runner, host.programStreams),
    processes: { isServing: () => Promise.resolve(true) },
    isJumpAccount: () => Promise.resolve(true),
    store: () => openConnectionStore(join(folder, 'connections.json')),
    append: (entry) => journal.append(entry),
    journalFolder: journal.folder,
    now: () => new Date(),
    reopen: { firstMs: 1, maxMs: 5 },
    ...others,
  });
  running.start();
  return running;
}

async function recorded(...types: string[]): Promise<JsonObject[]> {
  return Array.fromAsync(queryJournal(journal.folder, { types }));
}

/** Resolves when the last connection of a user is known. */
function seen(connections: HostConnections, user: string): Promise<unknown> {
  return eventually(() => connections.lastSeen(user), `${user} was seen`);
}

describe('connections through the host', () => {
  it('are recorded as they are logged', async () => {
    const connections = start();
    await eventually(() => (connections.coverage().trouble === null ? true : undefined), 'the log is followed');
    logSshd(folder, accepted({ at: at(1), pid: 7 }, 'alice'));
    await seen(connections, 'alice');
    expect(connections.open()).toMatchObject([{ user: 'alice', state: 'open' }]);
    logSshd(folder, closed({ at: at(2), pid: 7 }, 'alice'));
    await eventually(() => (connections.open().length === 0 ? true : undefined), 'it has ended');
    expect(await recorded('connection', 'connection-end')).toMatchObject([
      { type: 'connection', target: 'alice', container: 'alice-container' },
      { type: 'connection-end', target: 'alice' },
    ]);
  });

  it('count once over a restart, and those count that were logged meanwhile', async () => {
    const first = start();
    logSshd(
      folder,
      accepted({ at: at(1), pid: 7 }, 'alice'),
      failed({ at: at(1), pid: 9 }, 'x', '192.0.2.9', 'invalid'),
    );
    await seen(first, 'alice');
    await first.stop();
    const { recordedSince } = first.coverage();
    logSshd(folder, accepted({ at: at(2), pid: 8 }, 'bob'), closed({ at: at(3), pid: 7 }, 'alice'));
    const second = start();
    await eventually(
      () =>
        second
          .open()
          .map(({ user }) => user)
          .join() === 'bob'
          ? true
          : undefined,
      'only bob',
    );
    await second.stop();
    expect(second.coverage().recordedSince).toBe(recordedSince);
    expect((await recorded('connection')).map(({ target }) => target)).toEqual(['alice', 'bob']);
    expect((await recorded('connection-end')).map(({ target }) => target)).toEqual(['alice']);
    expect((await recorded('ssh-failures')).map(({ count }) => count)).toEqual([1]);
  });

  it('count once if the server was killed before it wrote down how far it had read', async () => {
    const first = start();
    await eventually(() => (first.coverage().trouble === null ? true : undefined), 'the log is followed');
    await cp(join(folder, 'connections.json'), join(folder, 'kept.json'));
    logSshd(folder, accepted({ at: at(1), pid: 7 }, 'alice'), closed({ at: at(2), pid: 7 }, 'alice'));
    logSshd(folder, failed({ at: at(2), pid: 9 }, 'x', '192.0.2.9', 'invalid'));
    logSshd(folder, accepted({ at: at(3), pid: 8 }, 'bob'));
    await seen(first, 'bob');
    await first.stop();
    await cp(join(folder, 'kept.json'), join(folder, 'connections.json'));
    const second = start();
    await seen(second, 'bob');
    await second.stop();
    expect(second.open()).toMatchObject([{ user: 'bob' }]);
    expect((await recorded('connection')).map(({ target }) => target)).toEqual(['alice', 'bob']);
    expect(await recorded('connection-end')).toHaveLength(1);
    expect(await recorded('ssh-failures')).toHaveLength(1);
  });

  it('are recorded once the journal can be written again', async () => {
    let failures = 3;
    const connections = start({
      append: (entry) =>
        failures-- > 0
          ? Promise.reject(new Failure('journal-unwritable', { what: 'the journal', why: 'the disk is full' }))
          : journal.append(entry),
    });
    logSshd(folder, accepted({ at: at(1), pid: 7 }, 'alice'));
    await eventually(async () => ((await recorded('connection')).length > 0 ? true : undefined), 'it is recorded');
    expect(await recorded('connection')).toHaveLength(1);
    expect(connections.open()).toHaveLength(1);
  });

  it('are recorded once the accounts can be listed again', async () => {
    let failures = 2;
    const connections = start({
      isJumpAccount: () =>
        failures-- > 0
          ? Promise.reject(new Failure('timeout', { what: 'getent', why: 'no answer' }))
          : Promise.resolve(true),
    });
    logSshd(folder, accepted({ at: at(1), pid: 7 }, 'alice'));
    await seen(connections, 'alice');
    expect(await recorded('connection')).toHaveLength(1);
  });

  it('do not count if another user than root logged them, or before the first start', async () => {
    logSshd(folder, accepted({ at: at(-3600), pid: 6 }, 'early'));
    const connections = start();
    logSshd(folder, { ...accepted({ at: at(1), pid: 7 }, 'forged'), uid: 1001 });
    logSshd(folder, { ...accepted({ at: at(1), pid: 8 }, 'forged'), comm: 'logger' });
    logSshd(folder, accepted({ at: at(2), pid: 9 }, 'alice'));
    await seen(connections, 'alice');
    expect((await recorded('connection')).map(({ target }) => target)).toEqual(['alice']);
  });
});

describe('a host', () => {
  it('whose journalctl fails says so, and goes on when it works again', async () => {
    const message = 'Failed to open journal: Input/output error';
    const match = { program: 'journalctl', argIncludes: '--follow' };
    const connections = start({
      faults: [1, 2].map((call) => ({ match, call, mode: 'fail-before' as const, message })),
      reopen: { firstMs: 200, maxMs: 200 },
    });
    await eventually(() => (connections.coverage().trouble?.includes(message) === true ? true : undefined), 'trouble');
    logSshd(folder, accepted({ at: at(1), pid: 7 }, 'alice'));
    await seen(connections, 'alice');
    expect(connections.coverage().trouble).toBeNull();
  });

  it('whose journal no longer knows the place goes on from its time, and records nothing twice', async () => {
    const first = start();
    logSshd(folder, accepted({ at: at(1), pid: 7 }, 'alice'));
    await seen(first, 'alice');
    await first.stop();
    const match = { program: 'journalctl', argIncludes: '--after-cursor' };
    const message = 'Failed to seek to cursor: Invalid argument';
    const second = start({ faults: [{ match, mode: 'fail-before', message, repeat: true }] });
    logSshd(folder, accepted({ at: at(2), pid: 8 }, 'bob'));
    await seen(second, 'bob');
    expect((await recorded('connection')).map(({ target }) => target)).toEqual(['alice', 'bob']);
  });

  it('without a journal of systemd cannot tell, and says where to look', async () => {
    const never = {
      isKept: () => Promise.resolve(false),
      follow: () => Promise.reject(new Error('not asked')) as never,
    };
    const connections = start({ sshdLog: never });
    const failure = await eventually(() => {
      try {
        connections.coverage();
        return undefined;
      } catch (error) {
        return Failure.from(error);
      }
    }, 'it cannot tell');
    expect(failure).toMatchObject({
      code: 'program-missing',
      next: expect.stringContaining('/var/log/auth.log') as unknown,
    });
  });

  it('with a damaged state file records nothing, says so and leaves the file alone', async () => {
    await writeFile(join(folder, 'connections.json'), '{"since": 5}');
    const connections = start();
    const { trouble } = await eventually(() => {
      const coverage = connections.coverage();
      return coverage.trouble?.includes('connections.json') === true ? coverage : undefined;
    }, 'the trouble is known');
    expect(trouble).toMatch(/connections\.json: /);
    await connections.stop();
    expect(await recorded('connection')).toEqual([]);
  });
});
