/** Closes connections and channels that ssh2 leaves open. */
import type { Socket } from 'node:net';
import type { Connection, Session } from 'ssh2';
import { internalsOf, sessionInternals } from '../transport/internals.ts';

/** How long a client may take to read the last output after the end, in milliseconds. */
const lastOutputMs = 1000;

/**
 * Makes the end of a socket final. After an error or a disconnect ssh2 closes only its own half and keeps reading for
 * as long as the client sends. Here nothing that arrives after the end is parsed as SSH.
 */
export function destroyAfterEnd(socket: Socket): void {
  const end = socket.end.bind(socket) as (...args: unknown[]) => Socket;
  socket.end = (...args: unknown[]): Socket => {
    socket.removeAllListeners('data');
    // Read and discard: closing with unread bytes sends a reset, which may overtake the last output.
    socket.resume();
    const late = setTimeout(() => socket.destroy(), lastOutputMs);
    socket.once('close', () => clearTimeout(late));
    return end(...args);
  };
}

/**
 * Answers the close of a session that never ran anything (RFC 4254, section 5.3). ssh2 neither answers nor forgets it.
 */
export function closeBareSessions(connection: Connection, session: Session): void {
  const internals = internalsOf(connection);
  session.on('close', () => {
    const { _channel, _chanInfo } = sessionInternals(session);
    if (_channel !== undefined) return;
    internals._protocol.channelClose(_chanInfo.outgoing.id);
    internals._chanMgr.remove(_chanInfo.incoming.id);
  });
}
