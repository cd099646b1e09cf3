/**
 * New keys in time (RFC 4253, section 9: after a gigabyte or an hour), which ssh2 leaves to the application. How long
 * an exchange may take is limited in guards/keyExchanges.ts.
 */
import type { Connection } from 'ssh2';
import { hangUp } from './hangUp.ts';
import { internalsOf } from './internals.ts';

export interface RekeyLimits {
  /** Bytes on the wire, both directions together, after which keys are changed. */
  readonly rekeyBytes: number;
  /** Time after which keys are changed, in milliseconds. */
  readonly rekeyMs: number;
}

/**
 * Answers that may wait for the end of a key exchange, for a client that was asked for one and goes on sending requests
 * instead.
 */
const maxWaiting = 4096;

/**
 * Changes the keys of a connection when they are old; call it before the first key exchange. Counting begins with the
 * login.
 */
export function changeKeysInTime(connection: Connection, { rekeyBytes, rekeyMs }: RekeyLimits): void {
  const { _protocol: protocol, _sock: socket } = internalsOf(connection);
  let loggedIn = false;
  let written = 0;
  let read = socket.bytesRead;
  let asked = false;
  let age: NodeJS.Timeout | undefined;

  /** Never from inside of a write: ssh2 numbers a packet only after it has written it. */
  const ask = (): void => {
    if (asked || !loggedIn) return;
    asked = true;
    setImmediate(() => {
      if (socket.writable && !socket.destroyed) connection.rekey();
    });
  };
  const count = (): void => {
    if (written + socket.bytesRead - read >= rekeyBytes) ask();
  };

  const write = protocol._onWrite;
  protocol._onWrite = (data) => {
    written += data.length;
    write(data);
    count();
  };
  const receive = protocol._onPacket;
  protocol._onPacket = () => {
    receive();
    count();
    if (protocol._kexinit !== undefined && (protocol._queue?.length ?? 0) > maxWaiting)
      hangUp(socket, 'requests instead of a key exchange');
  };

  const fresh = (): void => {
    clearTimeout(age);
    asked = false;
    written = 0;
    read = socket.bytesRead;
    age = setTimeout(ask, rekeyMs).unref();
  };
  connection.on('handshake', fresh);
  connection.on('ready', () => {
    loggedIn = true;
    fresh();
  });
  connection.on('close', () => {
    clearTimeout(age);
  });
}

/** Whether keys are being changed, so that ssh2 keeps in memory what is written. */
export function isChangingKeys(connection: Connection): boolean {
  return internalsOf(connection)._protocol._kexinit !== undefined;
}

/** Resolves when the keys have been changed, or the connection is gone. */
export function keysChanged(connection: Connection): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      connection.off('handshake', done);
      connection.off('close', done);
      resolve();
    };
    connection.on('handshake', done);
    connection.on('close', done);
  });
}
