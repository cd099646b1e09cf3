/** The journal's form of a connection through the host's own sshd: a record of its beginning, and one of its end. */
import * as z from 'zod';
import type { JsonObject } from '../domain/json.ts';
import type { JumpConnection } from '../domain/results/connections.ts';

type Entry = { type: string } & JsonObject;

export function connectionStart(connection: JumpConnection): Entry {
  return { type: 'connection', ...common(connection), at: connection.startedAt };
}

/** Returns the record of the end, which has everything that the record of the beginning has. */
export function connectionEnd(connection: JumpConnection): Entry {
  const { startedAt, endedAt, durationMs, state } = connection;
  return {
    type: 'connection-end',
    ...common(connection),
    startedAt,
    at: endedAt,
    durationMs,
    ...(state === 'cut' ? { cut: true } : {}),
  };
}

function common({ id, user, container, address, port, method, keyType, fingerprint }: JumpConnection): JsonObject {
  return {
    connection: id,
    target: user,
    actor: { name: user, address, ...(fingerprint === null ? {} : { fingerprint }) },
    container,
    port,
    by: { method, ...(keyType === null ? {} : { algorithm: keyType }) },
  };
}

const form = z.object({
  type: z.enum(['connection', 'connection-end']),
  connection: z.string(),
  target: z.string(),
  actor: z.object({ address: z.string(), fingerprint: z.string().optional() }),
  container: z.string(),
  port: z.number(),
  by: z.object({ method: z.string(), algorithm: z.string().optional() }),
  at: z.string(),
  startedAt: z.string().optional(),
  durationMs: z.number().nullish(),
  cut: z.boolean().optional(),
});

/**
 * Returns the connection of a record, of which the end is not known if the record is of its beginning. Returns
 * undefined for every other record.
 */
export function readConnection(record: JsonObject): JumpConnection | undefined {
  const { data } = form.safeParse(record);
  if (data === undefined) return undefined;
  const { type, connection, target, actor, container, port, by, at, startedAt, durationMs, cut } = data;
  const isEnd = type === 'connection-end';
  return {
    id: connection,
    user: target,
    container,
    address: actor.address,
    port,
    method: by.method,
    keyType: by.algorithm ?? null,
    fingerprint: actor.fingerprint ?? null,
    startedAt: isEnd ? (startedAt ?? at) : at,
    endedAt: isEnd ? at : null,
    durationMs: isEnd ? (durationMs ?? null) : null,
    state: isEnd ? (cut === true ? 'cut' : 'ended') : 'unknown',
  };
}
