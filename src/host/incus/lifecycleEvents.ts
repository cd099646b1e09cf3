/**
 * The lifecycle events of instances, from `/1.0/events` (REST API description of Incus 6.0, "Events").
 */
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import { opened, sendKeepalives, unavailable, webSocket } from './socket.ts';
import type { Keepalive } from './socket.ts';

export interface LifecycleEvent {
  /** For example `instance-started`. */
  readonly action: string;
  /** The instance that the event is about, also for its snapshots; null for everything else. */
  readonly instance: string | null;
  /** The time that Incus gave the event, RFC 3339. */
  readonly at: string;
}

export interface EventListener {
  /** Called when the stream is open: a list of the instances from now on misses no change. */
  opened(): void;
  event(event: LifecycleEvent): void;
}

/** Maximum size of a message, in bytes; a larger one ends the stream. No lifecycle event is near it. */
const maxEventBytes = 256 * 1024;

const lifecycle = z.object({
  type: z.literal('lifecycle'),
  timestamp: z
    .string()
    .max(64)
    .refine((text) => !Number.isNaN(Date.parse(text))),
  metadata: z.object({ action: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/), source: z.string().max(4096) }),
});

/** Returns the instance in a resource's path: `/1.0/instances/NAME`, with or without a subpath and a query. */
export function instanceOf(source: string): string | null {
  const encoded = /^\/1\.0\/instances\/([^/?#]+)(?:[/?#]|$)/.exec(source)?.[1] ?? '';
  try {
    const name = decodeURIComponent(encoded);
    // Incus allows only RFC 1123 names.
    return /^[A-Za-z0-9-]{1,63}$/.test(name) ? name : null;
  } catch {
    return null;
  }
}

/** Parses a message of the stream; `undefined` if it is not a valid lifecycle event. */
export function parseEvent(message: string): LifecycleEvent | undefined {
  let document: unknown;
  try {
    document = JSON.parse(message);
  } catch {
    return undefined;
  }
  const { data } = lifecycle.safeParse(document);
  return data === undefined
    ? undefined
    : { action: data.metadata.action, instance: instanceOf(data.metadata.source), at: data.timestamp };
}

export interface EventLimits {
  /** How long opening may take, in milliseconds. */
  readonly openMs: number;
  /** How long to wait for the first ping or event once the stream is open, in milliseconds. */
  readonly beginMs: number;
  readonly keepalive: Keepalive;
}

/** See `IncusStreams.events`. */
export async function followEvents(
  socketPath: string,
  limits: EventLimits,
  listener: EventListener,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return;
  const socket = webSocket(socketPath, '/1.0/events?type=lifecycle', maxEventBytes);
  const end = Promise.withResolvers<undefined>();
  end.promise.catch(() => undefined);
  let isOver = false;
  const notify = (callback: () => void): void => {
    if (isOver) return;
    try {
      callback();
    } catch (error) {
      // An error of the listener goes to the caller, not to the event loop.
      isOver = true;
      end.reject(Failure.from(error));
    }
  };
  const abort = (): void => {
    isOver = true;
    end.resolve(undefined);
  };
  signal.addEventListener('abort', abort, { once: true });
  // Incus opens the websocket a moment before it registers the listener, and pings it right after that (incus 6.0,
  // "AddListener").
  let isBegun = false;
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    clearTimeout(timer);
    if (!isBegun) notify(() => listener.opened());
    isBegun = true;
  };
  socket.once('open', () => (timer = setTimeout(begin, limits.beginMs)));
  socket.once('ping', begin);
  socket.on('message', (data: Buffer) => {
    begin();
    const event = parseEvent(data.toString());
    if (event !== undefined) notify(() => listener.event(event));
  });
  try {
    await Promise.race([opened(socket, limits.openMs), end.promise]);
    socket.once('close', () => end.reject(unavailable('its event stream ended')));
    sendKeepalives(socket, limits.keepalive, () => end.reject(unavailable('its event stream stopped responding')));
    await end.promise;
  } finally {
    isOver = true;
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    socket.terminate();
  }
}
