/** Guards against key exchanges without need or end. */
import type { Connection } from 'ssh2';
import { hangUp } from '../transport/hangUp.ts';
import { internalsOf } from '../transport/internals.ts';

/** SSH_MSG_KEXINIT (RFC 4253, section 7.1). */
const kexInit = 20;

/**
 * Exchanges that a connection may ask for within a minute with nothing to show for: RFC 4253, section 9 recommends one
 * an hour or a gigabyte.
 */
const maxIdleExchanges = 60;
const idleExchangesWithinMs = 60_000;

/**
 * What has gone over the connection since the last exchange and makes the next one none of those, in bytes: OpenSSH
 * takes no RekeyLimit far below.
 */
const fairShareBytes = 512 * 1024;

/**
 * Ends connections that ask for new keys before they have logged in (no client does), that ask all the time (each costs
 * arithmetic), or that begin an exchange and do not end it within `limitMs` milliseconds: until it is over, everything
 * that is sent waits in memory.
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
    return !earned && ++idle > maxIdleExchanges;
  };
  const handle = protocol._onPayload;
  protocol._onPayload = (payload) => {
    if (payload[0] !== kexInit) return handle(payload);
    const why = !isLoggedIn()
      ? 'a second key exchange before the login'
      : !asked && isTooMany()
        ? 'too many key exchanges'
        : undefined;
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
