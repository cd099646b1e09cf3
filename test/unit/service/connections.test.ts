/** `audit --connections` on a small journal. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import type { ConnectionCounts, ConnectionList, JumpConnection } from '../../../src/domain/results/connections.ts';
import { connectionEnd, connectionStart } from '../../../src/journal/connectionRecord.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { auditConnections, type ConnectionsRequest } from '../../../src/service/connections.ts';
import type { OpenConnections } from '../../../src/service/context.ts';
import { callBy } from '../../support/world/hosts.ts';
import { temporaryFolder } from '../journal/support.ts';

const now = new Date('2026-11-23T12:00:00.000Z');
const coverage = { recordedSince: '2026-11-01T00:00:00.000Z', trouble: null };

let journalFolder: string;
let open: JumpConnection[];
beforeEach(async () => {
  journalFolder = await temporaryFolder();
  open = [];
});

function connection(id: string, user: string, startedAt: string, endedAt: string | null = null): JumpConnection {
  return {
    id,
    user,
    container: `${user}-container`,
    address: '192.0.2.7',
    port: 5,
    method: 'publickey',
    keyType: 'ED25519',
    fingerprint: 'SHA256:x',
    startedAt,
    endedAt,
    durationMs: endedAt === null ? null : Date.parse(endedAt) - Date.parse(startedAt),
    state: endedAt === null ? 'open' : 'ended',
  };
}

/** Writes records, each at the time that it tells. */
async function write(...entries: readonly Parameters<Journal['append']>[0][]): Promise<void> {
  let nowMs = 0;
  const journal = await Journal.open({ folder: journalFolder, now: () => nowMs });
  for (const entry of entries) {
    const time = entry['through'] ?? entry['at'];
    nowMs = Date.parse(typeof time === 'string' ? time : '');
    await journal.append(entry);
  }
  await journal.close();
}

async function asked(request: ConnectionsRequest, connections: Partial<OpenConnections> = {}) {
  const context = {
    journalFolder,
    now: () => now,
    connections: { coverage: () => coverage, open: () => open, lastSeen: () => undefined, ...connections },
  };
  return auditConnections(context, request, callBy());
}
const listed = (request: ConnectionsRequest = {}) => asked(request) as Promise<ConnectionList>;
const counted = (request: ConnectionsRequest = {}) => asked({ counts: true, ...request }) as Promise<ConnectionCounts>;

const a = connection('a', 'alice', '2026-11-20T10:00:00.000Z', '2026-11-20T11:00:00.000Z');
const b = connection('b', 'bob', '2026-11-21T10:00:00.000Z', '2026-11-22T10:00:00.000Z');
const c = connection('c', 'alice', '2026-11-22T12:00:00.000Z');
const records = [connectionStart(a), connectionEnd(a), connectionStart(b), connectionEnd(b), connectionStart(c)];

describe('the list of connections', () => {
  it('has each connection once, with its end, the oldest first', async () => {
    await write(...records);
    open = [c];
    expect(await listed()).toEqual({ connections: [a, b, c], more: false, unlisted: 0, ...coverage });
  });

  it('says that an end is not recorded if the connection is not open', async () => {
    await write(connectionStart(c));
    expect((await listed()).connections).toEqual([{ ...c, state: 'unknown' }]);
  });

  it('has the connections that were open at some time between two times', async () => {
    await write(...records);
    const ids = async (request: ConnectionsRequest): Promise<string> =>
      (await listed(request)).connections.map(({ id }) => id).join('');
    expect(await ids({ since: '2026-11-22' })).toBe('bc');
    expect(await ids({ since: '2026-11-22T11:00' })).toBe('c');
    expect(await ids({ since: '2026-11-20', until: '2026-11-21' })).toBe('a');
    expect(await ids({ until: '2026-11-20' })).toBe('');
  });

  it('has an open connection that began before', async () => {
    await write(...records);
    open = [c];
    expect((await listed({ since: '1h' })).connections).toEqual([c]);
  });

  it('has those of one user, and says how many came too fast to be listed', async () => {
    const through = '2026-11-22T10:00:00.000Z';
    await write(...records, { type: 'connections', through, count: 9, top: [{ user: 'alice', count: 4 }] });
    expect(await listed({ user: 'alice' })).toMatchObject({ connections: [a, { id: 'c' }], unlisted: 4 });
    expect(await listed()).toMatchObject({ unlisted: 9 });
    expect(await listed({ user: 'zoe' })).toMatchObject({ connections: [], unlisted: 0 });
  });

  it('has the newest ones if there are more than the limit', async () => {
    const many = Array.from({ length: 500 }, (_, i) =>
      connection(`n${i}`, 'alice', new Date(Date.parse('2026-11-20T00:00:00Z') + i * 1000).toISOString()),
    );
    await write(...many.map(connectionStart));
    const { connections, more } = await listed({ limit: 3 });
    expect(connections.map(({ id }) => id)).toEqual(['n497', 'n498', 'n499']);
    expect(more).toBe(true);
    expect(await listed({ limit: 500 })).toMatchObject({ more: false });
  });

  it('does not fail at a record of another form', async () => {
    await write({ type: 'connection', at: '2026-11-20T10:00:00.000Z', target: 5 }, ...records);
    expect((await listed()).connections).toHaveLength(3);
  });
});

describe('the counts of connections', () => {
  it('are by day and user, with those that came too fast to have records', async () => {
    const through = '2026-11-22T10:00:00.000Z';
    await write(...records, { type: 'connections', through, count: 9, top: [{ user: 'alice', count: 4 }] });
    expect(await counted()).toEqual({
      counts: [
        { day: '2026-11-20', user: 'alice', connections: 1 },
        { day: '2026-11-21', user: 'bob', connections: 1 },
        { day: '2026-11-22', user: 'alice', connections: 5 },
      ],
      unlisted: 5,
      ...coverage,
    });
    expect((await counted({ user: 'bob', since: '2026-11-21' })).counts).toEqual([
      { day: '2026-11-21', user: 'bob', connections: 1 },
    ]);
  });
});

it('a host that cannot tell fails, and gives no empty list', async () => {
  await write(...records);
  const failure = new Failure('program-missing', { what: 'the connections', why: 'no journal' });
  const none = {
    coverage: () => {
      throw failure;
    },
  };
  await expect(asked({}, none)).rejects.toBe(failure);
  await expect(asked({ counts: true }, none)).rejects.toBe(failure);
});

it('a present trouble is told with what is recorded', async () => {
  await write(...records);
  const trouble = '"journalctl": it was killed';
  expect(await asked({}, { coverage: () => ({ ...coverage, trouble }) })).toMatchObject({ trouble });
});
