/** What the record of connections remembers across restarts: how far the log was read, and what was open by then. */
import type { Low } from 'lowdb';
import * as z from 'zod';
import { openState } from '../../journal/jsonState.ts';

const connection = z.object({
  id: z.string(),
  user: z.string(),
  container: z.string(),
  address: z.string(),
  port: z.number(),
  method: z.string(),
  keyType: z.string().nullable(),
  fingerprint: z.string().nullable(),
  startedAt: z.iso.datetime(),
});

const schema = z.object({
  /** From when on connections are recorded; null before the log was found for the first time. */
  since: z.iso.datetime().nullable(),
  /** The last entry of the log that was read, and when it was logged; null before the first. */
  read: z.object({ cursor: z.string(), at: z.iso.datetime() }).nullable(),
  /** When this was written. What was read later may have records in the journal. */
  savedAt: z.iso.datetime(),
  /** The open connections. `recorded`: the journal has a record of the beginning. */
  open: z.array(z.object({ pid: z.number(), recorded: z.boolean(), connection })),
  lastSeen: z.record(
    z.string(),
    z.object({ at: z.iso.datetime(), address: z.string(), fingerprint: z.string().nullable() }),
  ),
});

export type ConnectionState = z.output<typeof schema>;

/** Returns the state before anything was read. */
export function freshConnections(): ConnectionState {
  return { since: null, read: null, savedAt: new Date(0).toISOString(), open: [], lastSeen: {} };
}

/** Rejects with `settings` for a damaged file, which is left as it is. */
export function openConnectionStore(path: string): Promise<Low<ConnectionState>> {
  return openState(path, schema, freshConnections());
}
