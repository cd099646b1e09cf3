/** Guards what ssh2 does not close. */
import type { Socket } from 'node:net';
import type { Connection, Session } from 'ssh2';
import { internalsOf, sessionInternals } from '../transport/internals.ts';

/** How long the last words to a client may take, in milliseconds. */
const lastWordsMs = 1000;

/**
 * Closes what ssh2 only ends: it closes its own half after an error or a disconnect and goes on reading, for as long as
 * the client likes. Nothing of what comes after the end is read as SSH any more.
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
