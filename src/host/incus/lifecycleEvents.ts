/**
 * What happens to instances, as Incus tells it: the lifecycle events of `/1.0/events` (REST API description of Incus
 * 6.0, "Events").
 */
import { z } from 'zod';
import { Failure } from '../../domain/failure.ts';
import { opened, unavailable, watchPulse, webSocket } from './socket.ts';
import type { Pulse } from './socket.ts';

export interface LifecycleEvent {
  /** For example `instance-started`. */
  readonly action: string;
  /** The instance that it is about, also where it is about one of its snapshots; null for everything else. */
  readonly instance: string | null;
  /** When, as Incus wrote it: RFC 3339. */
  readonly at: string;
}

export interface EventListener {
  /** The stream is open: whoever lists now, and listens from now on, misses no change. */
  opened(): void;
  event(event: LifecycleEvent): void;
}

/** No lifecycle event is near this size, in bytes; a larger message ends the stream. */
const maxEventBytes = 256 * 1024;

const lifecycle = z.object({
  type: z.literal('lifecycle'),
  timestamp: z
    .string()
    .max(64)
    .refine((text) => !Number.isNaN(Date.parse(text))),
  metadata: z.object({ action: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/), source: z.string().max(4096) }),
});

/**
 * The instance that a resource's address names: `/1.0/instances/NAME`, with or without something below it and a query.
 */
export function instanceOf(source: string): string | null {
  const encoded = /^\/1\.0\/instances\/([^/?#]+)(?:[/?#]|$)/.exec(source)?.[1] ?? '';
  try {
    const name = decodeURIComponent(encoded);
    // RFC 1123, as Incus checks names: anything else is not one.
    return /^[A-Za-z0-9-]{1,63}$/.test(name) ? name : null;
  } catch {
    return null;
  }
}

/** A message of the stream, or `undefined` where it is not a lifecycle event of the expected shape. */
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
  /** How long Incus is waited for to say that it listens, once the stream is open, in milliseconds. */
  readonly beginMs: number;
  readonly pulse: Pulse;
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
  const tell = (what: () => void): void => {
    if (isOver) return;
    try {
      what();
    } catch (error) {
      // What the listener throws belongs to the caller, not to the event loop.
      isOver = true;
      end.reject(Failure.from(error));
    }
  };
  const abort = (): void => {
    isOver = true;
    end.resolve(undefined);
  };
  signal.addEventListener('abort', abort, { once: true });
  // Incus opens the websocket a moment before it has put it among those that it tells, and pings it right after that
  // (incus 6.0, "AddListener").
  let isBegun = false;
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    clearTimeout(timer);
    if (!isBegun) tell(() => listener.opened());
    isBegun = true;
  };
  socket.once('open', () => (timer = setTimeout(begin, limits.beginMs)));
  socket.once('ping', begin);
  socket.on('message', (data: Buffer) => {
    begin();
    const event = parseEvent(data.toString());
    if (event !== undefined) tell(() => listener.event(event));
  });
  try {
    await Promise.race([opened(socket, limits.openMs), end.promise]);
    socket.once('close', () => end.reject(unavailable('its stream of events ended')));
    watchPulse(socket, limits.pulse, () => end.reject(unavailable('its stream of events stands still')));
    await end.promise;
  } finally {
    isOver = true;
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    socket.terminate();
  }
}
