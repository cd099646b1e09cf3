/** Enforces the windows and packet sizes of channels. */
import type { Connection, Session } from 'ssh2';
import { hangUp } from '../transport/hangUp.ts';
import { unreadOf } from '../transport/unread.ts';
import { internalsOf, sessionInternals } from '../transport/internals.ts';

/** Largest window (RFC 4254, section 5.2). */
const maxWindowBytes = 0xffffffff;

/**
 * Hangs up on a client that sends more than its channel's window allows, which ssh2 would keep in memory, or that opens
 * its own window beyond 32 bits, as OpenSSH does (channels.c, channel_input_window_adjust).
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
    if (window !== undefined && window + amountBytes > maxWindowBytes)
      hangUp(internals._sock, 'a window of more than 4 GiB');
    else {
      if (amountBytes > 0) unreadOf(connection).progressed();
      adjust(protocol, recipient, amountBytes);
    }
  };
}

interface Windows {
  readonly incoming: { readonly window: number };
  readonly outgoing: { readonly window: number };
}

/** No client asks for smaller packets. With a size of 0 ssh2's send loop never ends, and every session stands still. */
const minPacketBytes = 1024;

/** Whether the client's maximum packet size is usable. Hangs up if it is not. */
export function hasUsablePacketSize(connection: Connection, session: Session): boolean {
  if (sessionInternals(session)._chanInfo.outgoing.packetSize >= minPacketBytes) return true;
  hangUp(internalsOf(connection)._sock, 'packet size too small');
  return false;
}
