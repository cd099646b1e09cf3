/** Limits the key exchanges that a client starts. */
import type { Connection } from 'ssh2';
import { hangUp } from '../transport/hangUp.ts';
import { internalsOf } from '../transport/internals.ts';

/** SSH_MSG_KEXINIT (RFC 4253, section 7.1). */
const kexInit = 20;

/**
 * Number of idle exchanges that a client may start within `idleExchangesWithinMs`. An exchange is idle when less than
 * `minTrafficBytes` went over the connection since the previous one. RFC 4253, section 9 recommends one exchange for
 * each hour or gigabyte.
 */
const maxIdleExchanges = 60;
const idleExchangesWithinMs = 60_000;

/** Clients that change keys often do so after more traffic: OpenSSH's default RekeyLimit is a gigabyte or more. */
const minTrafficBytes = 512 * 1024;

/**
 * Hangs up on a client that starts an exchange before the login (no client does), that starts them all the time (each
 * costs arithmetic), or that does not complete one within `limitMs` milliseconds: until it is complete, all output
 * waits in memory.
 */
export function limitKeyExchanges(connection: Connection, isLoggedIn: () => boolean, limitMs: number): void {
  const { _sock: socket, _protocol: protocol } = internalsOf(connection);
  let deadline: NodeJS.Timeout | undefined;
  let idle = 0;
  /** This server started the current exchange. */
  let isServerStarted = false;
  let sinceMs = 0;
  let countedBytes = 0;
  const begin = (): void => {
    deadline ??= setTimeout(() => hangUp(socket, 'a key exchange was not completed'), limitMs);
  };
  const end = (): void => {
    clearTimeout(deadline);
    deadline = undefined;
  };
  const isTooMany = (): boolean => {
    const nowBytes = socket.bytesRead + socket.bytesWritten;
    const hasTraffic = nowBytes - countedBytes >= minTrafficBytes;
    countedBytes = nowBytes;
    if (performance.now() - sinceMs > idleExchangesWithinMs) {
      sinceMs = performance.now();
      idle = 0;
    }
    return !hasTraffic && ++idle > maxIdleExchanges;
  };
  const handle = protocol._onPayload;
  protocol._onPayload = (payload) => {
    if (payload[0] !== kexInit) return handle(payload);
    const why = !isLoggedIn()
      ? 'a second key exchange before the login'
      : !isServerStarted && isTooMany()
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
    isServerStarted = true;
    begin();
    rekey();
  };
  const complete = protocol._onHandshakeComplete;
  protocol._onHandshakeComplete = (...args) => {
    isServerStarted = false;
    end();
    complete(...args);
  };
  socket.once('close', end);
}
