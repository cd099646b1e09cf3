/** What ssh2 does not check itself, each guard named for what it stops. */
import type { Connection, Session } from 'ssh2';
import { internalsOf, sessionInternals } from './internals.ts';

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

/** Ends a connection that sends more than its channel's window allows: ssh2 would keep all of it in memory. */
export function enforceWindow(connection: Connection): void {
  const internals = internalsOf(connection);
  const handlers = internals._protocol._handlers;
  const handle = handlers.CHANNEL_DATA;
  handlers.CHANNEL_DATA = (protocol, recipient, data) => {
    const found = internals._chanMgr.get(recipient) as { incoming?: { window: number }; _channel?: { incoming: { window: number } } } | undefined;
    const window = (found?._channel ?? found)?.incoming?.window;
    if (window !== undefined && data.length > window) internals._sock.destroy();
    else handle(protocol, recipient, data);
  };
}

/** Smaller packets than this no client asks for; with a size of 0 ssh2's send loop would never end, for every session at once. */
const leastPacketBytes = 1024;

/** Whether the session's channel may be used. Ends the connection where it may not. */
export function hasSanePackets(connection: Connection, session: Session): boolean {
  if (sessionInternals(session)._chanInfo.outgoing.packetSize >= leastPacketBytes) return true;
  internalsOf(connection)._sock.destroy();
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
