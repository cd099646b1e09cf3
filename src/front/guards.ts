/** What ssh2 does not check itself, each guard named for what it stops. */
import type { Socket } from 'node:net';
import type { Connection, Session } from 'ssh2';
import { hangUp } from './hangUp.ts';
import { internalsOf, sessionInternals } from './internals.ts';

/** How long the last words to a client may take, in milliseconds. */
const lastWordsMs = 1000;

/**
 * Closes what ssh2 only ends: it closes its own half after an error or a disconnect and goes on reading, for as long as the client likes.
 * Nothing of what comes after the end is read as SSH any more.
 */
export function closeWhatIsEnded(socket: Socket): void {
  const end = socket.end.bind(socket) as (...args: unknown[]) => Socket;
  socket.end = (...args: unknown[]): Socket => {
    socket.removeAllListeners('data');
    // Read and thrown away: closing with unread bytes would be a reset, which may overtake the last words.
    socket.resume();
    const late = setTimeout(() => socket.destroy(), lastWordsMs);
    socket.once('close', () => clearTimeout(late));
    return end(...args);
  };
}

/** Answers that a client may leave unread while it goes on asking, in bytes. */
const mostUnreadAnswersBytes = 256 * 1024;

/** How long one client's packets may keep the event loop in each such time, in milliseconds: everybody else's keys wait meanwhile. */
const turnMs = 100;
const mostOfTurnMs = 15;

/**
 * Reads from a client no faster than it reads, and no more than its share. ssh2 writes each answer whether or not anybody takes it, before
 * authentication too, so that requests of 40 bytes fill the memory; and it takes packets as fast as they come, so that one who floods
 * delays all. What is not read waits in the kernel, and then at the client.
 */
export function paceReading(connection: Connection): void {
  const { _sock: socket, _protocol: protocol } = internalsOf(connection);
  let unread = false;
  let overdrawn = false;
  let turnBeganMs = performance.now();
  let usedMs = 0;
  let nextTurn: NodeJS.Timeout | undefined;
  const goOn = (): void => {
    if (!unread && !overdrawn) socket.resume();
  };
  const parse = protocol.parse.bind(protocol);
  protocol.parse = (data, from, to) => {
    const beganMs = performance.now();
    parse(data, from, to);
    const nowMs = performance.now();
    if (nowMs - turnBeganMs > turnMs) {
      turnBeganMs = beganMs;
      usedMs = 0;
    }
    usedMs += nowMs - beganMs;
    if (!overdrawn && usedMs > mostOfTurnMs) {
      overdrawn = true;
      socket.pause();
      nextTurn = setTimeout(() => {
        overdrawn = false;
        goOn();
      }, turnMs);
    }
    if (!unread && socket.writableLength > mostUnreadAnswersBytes) {
      unread = true;
      socket.pause();
      socket.once('drain', () => {
        unread = false;
        goOn();
      });
    }
  };
  socket.once('close', () => clearTimeout(nextTurn));
}

/** SSH_MSG_KEXINIT (RFC 4253, section 7.1). */
const kexInit = 20;

/** Exchanges that a connection may ask for within a minute with nothing to show for: RFC 4253, section 9 recommends one an hour or a gigabyte. */
const mostIdleExchanges = 60;
const idleExchangesWithinMs = 60_000;

/** What has gone over the connection since the last exchange and makes the next one none of those, in bytes: OpenSSH takes no RekeyLimit far below. */
const fairShareBytes = 512 * 1024;

/**
 * Ends connections that ask for new keys before they have logged in (no client does), that ask all the time (each costs arithmetic), or
 * that begin an exchange and do not end it within `limitMs` milliseconds: until it is over, everything that is sent waits in memory.
 */
export function limitKeyExchanges(connection: Connection, isLoggedIn: () => boolean, limitMs: number): void {
  const { _sock: socket, _protocol: protocol } = internalsOf(connection);
  let late: NodeJS.Timeout | undefined;
  let idle = 0;
  /** The next exchange was asked for from here: it is not the client's doing. */
  let asked = false;
  let sinceMs = 0;
  let movedBytes = 0;
  const begin = (): void => {
    late ??= setTimeout(() => hangUp(socket, 'a key exchange was not ended'), limitMs);
  };
  const over = (): void => {
    clearTimeout(late);
    late = undefined;
  };
  const isTooMany = (): boolean => {
    const nowBytes = socket.bytesRead + socket.bytesWritten;
    const earned = nowBytes - movedBytes >= fairShareBytes;
    movedBytes = nowBytes;
    if (performance.now() - sinceMs > idleExchangesWithinMs) {
      sinceMs = performance.now();
      idle = 0;
    }
    return !earned && ++idle > mostIdleExchanges;
  };
  const handle = protocol._onPayload;
  protocol._onPayload = (payload) => {
    if (payload[0] !== kexInit) return handle(payload);
    const why = !isLoggedIn() ? 'a second key exchange before the login' : !asked && isTooMany() ? 'too many key exchanges' : undefined;
    if (why !== undefined) {
      hangUp(socket, why);
      return undefined;
    }
    begin();
    return handle(payload);
  };
  const rekey = protocol.rekey.bind(protocol);
  protocol.rekey = () => {
    asked = true;
    begin();
    rekey();
  };
  const complete = protocol._onHandshakeComplete;
  protocol._onHandshakeComplete = (...args) => {
    asked = false;
    over();
    complete(...args);
  };
  socket.once('close', over);
}

/**
 * Messages that only a server sends (RFC 4252): USERAUTH_FAILURE, USERAUTH_SUCCESS, USERAUTH_BANNER, and the method-specific answers.
 * From a client they take a waiting authentication out of ssh2's queue, and its answer then throws.
 */
const serverOnly = new Set([51, 52, 53, 60]);

export function dropServerOnlyMessages(connection: Connection): void {
  const protocol = internalsOf(connection)._protocol;
  const handle = protocol._onPayload;
  protocol._onPayload = (payload) => (serverOnly.has(payload[0] ?? 0) ? undefined : handle(payload));
}

/** Largest window there may be (RFC 4254, section 5.2). */
const largestWindowBytes = 0xffffffff;

/**
 * Ends a connection that sends more than its channel's window allows, which ssh2 would keep in memory, or that opens its own window beyond
 * what the protocol has numbers for, as OpenSSH does (channels.c, channel_input_window_adjust).
 */
export function enforceWindows(connection: Connection): void {
  const internals = internalsOf(connection);
  const windowsOf = (id: number): Windows | undefined => {
    const found = internals._chanMgr.get(id) as (Partial<Windows> & { _channel?: Windows }) | undefined;
    const { incoming, outgoing } = found?._channel ?? found ?? {};
    return incoming === undefined || outgoing === undefined ? undefined : { incoming, outgoing };
  };
  const handlers = internals._protocol._handlers;
  const handle = handlers.CHANNEL_DATA;
  handlers.CHANNEL_DATA = (protocol, recipient, data) => {
    const window = windowsOf(recipient)?.incoming.window;
    if (window !== undefined && data.length > window) hangUp(internals._sock, 'more data than the window allows');
    else handle(protocol, recipient, data);
  };
  const adjust = handlers.CHANNEL_WINDOW_ADJUST;
  handlers.CHANNEL_WINDOW_ADJUST = (protocol, recipient, amountBytes) => {
    const window = windowsOf(recipient)?.outgoing.window;
    if (window !== undefined && window + amountBytes > largestWindowBytes) hangUp(internals._sock, 'a window of more than 4 GiB');
    else adjust(protocol, recipient, amountBytes);
  };
}

interface Windows {
  readonly incoming: { readonly window: number };
  readonly outgoing: { readonly window: number };
}

/** Smaller packets than this no client asks for; with a size of 0 ssh2's send loop would never end, for every session at once. */
const leastPacketBytes = 1024;

/** Whether the session's channel may be used. Ends the connection where it may not. */
export function hasSanePackets(connection: Connection, session: Session): boolean {
  if (sessionInternals(session)._chanInfo.outgoing.packetSize >= leastPacketBytes) return true;
  hangUp(internalsOf(connection)._sock, 'packets too small to be meant');
  return false;
}

/** Answers the close of a session that never ran anything (RFC 4254 5.3); ssh2 neither answers nor forgets it. */
export function closeBareSessions(connection: Connection, session: Session): void {
  const internals = internalsOf(connection);
  session.on('close', () => {
    const { _channel, _chanInfo } = sessionInternals(session);
    if (_channel !== undefined) return;
    internals._protocol.channelClose(_chanInfo.outgoing.id);
    internals._chanMgr.remove(_chanInfo.incoming.id);
  });
}
