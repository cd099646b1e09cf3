/** How `audit --connections` and `security` show the connections of users through the host. */
import type {
  ConnectionCounts,
  ConnectionCoverage,
  ConnectionList,
  JumpConnection,
} from '../../domain/results/connections.ts';
import { plural, printable } from '../../domain/text.ts';
import { shortDuration } from '../../domain/values/duration.ts';
import { showTime } from '../declaration/show.ts';
import type { Block, Rows, ViewContext } from '../declaration/view.ts';

export function connectionTable(connections: readonly JumpConnection[], context: ViewContext, empty: string): Block {
  return {
    kind: 'table',
    noun: 'Connection of',
    columns: [
      { title: 'USER', priority: 1 },
      { title: 'CONTAINER', priority: 3 },
      { title: 'FROM', priority: 1 },
      { title: 'KEY', priority: 3 },
      { title: 'BEGAN', priority: 2 },
      { title: 'ENDED', priority: 2 },
    ],
    rows: connections.map((connection) => [
      connection.user,
      connection.container,
      connection.address,
      connection.fingerprint ?? connection.method,
      showTime(connection.startedAt, context),
      endText(connection),
    ]),
    empty,
  };
}

function endText({ state, durationMs }: JumpConnection): string {
  if (state === 'open') return 'open';
  if (durationMs === null) return 'not recorded';
  return `${state === 'cut' ? 'cut after' : 'after'} ${shortDuration(durationMs)}`;
}

/** Returns what is missing in a list of connections. */
function coverageBlocks({ recordedSince, trouble }: ConnectionCoverage, context: ViewContext): Block[] {
  return [
    { kind: 'text', tone: 'quiet', text: `Connections are recorded since: ${showTime(recordedSince, context)}` },
    ...(trouble === null
      ? []
      : [
          {
            kind: 'text',
            tone: 'warn',
            text: `Connections are not recorded at present: ${printable(trouble)}`,
          } as const,
        ]),
  ];
}

function unlistedBlocks(unlisted: number, why: string): Block[] {
  return unlisted === 0
    ? []
    : [{ kind: 'text', tone: 'warn', text: `${plural(unlisted, 'further connection')} came too fast to be ${why}` }];
}

export function connectionsView(result: ConnectionList, context: ViewContext): Block[] {
  return [
    connectionTable(result.connections, context, 'No connections'),
    ...(result.more
      ? [{ kind: 'text', tone: 'quiet', text: 'There are older connections; raise --limit to see them' } as const]
      : []),
    ...unlistedBlocks(result.unlisted, 'listed'),
    ...coverageBlocks(result, context),
  ];
}

export function connectionRows({ connections }: ConnectionList): Rows {
  return {
    columns: [
      'id',
      'user',
      'container',
      'address',
      'port',
      'method',
      'key_type',
      'fingerprint',
      'started_at',
      'ended_at',
      'duration_ms',
      'state',
    ],
    rows: connections.map((c) => [
      c.id,
      c.user,
      c.container,
      c.address,
      c.port,
      c.method,
      c.keyType,
      c.fingerprint,
      c.startedAt,
      c.endedAt,
      c.durationMs,
      c.state,
    ]),
  };
}

export function countsView(result: ConnectionCounts, context: ViewContext): Block[] {
  return [
    {
      kind: 'table',
      columns: [{ title: 'DAY' }, { title: 'USER' }, { title: 'CONNECTIONS', align: 'right' }],
      rows: result.counts.map(({ day, user, connections }) => [day, user, String(connections)]),
      empty: 'No connections',
    },
    ...unlistedBlocks(result.unlisted, 'counted by user'),
    ...coverageBlocks(result, context),
  ];
}

export function countRows({ counts }: ConnectionCounts): Rows {
  return {
    columns: ['day', 'user', 'connections'],
    rows: counts.map(({ day, user, connections }) => [day, user, connections]),
  };
}
