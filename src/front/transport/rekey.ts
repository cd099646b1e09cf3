/**
 * Changes the keys of connections in time (RFC 4253, section 9: after a gigabyte or an hour), which ssh2 leaves to the
 * application. guards/keyExchanges.ts limits how long an exchange may take.
 */
import type { Connection } from 'ssh2';
import { hangUp } from './hangUp.ts';
import { internalsOf } from './internals.ts';

export interface RekeyLimits {
  /** Bytes on the wire, in both directions together, after which the keys are changed. */
  readonly rekeyBytes: number;
  /** Age at which the keys are changed. */
  readonly rekeyMs: number;
}

/** Answers that may wait for the end of a key exchange while the client sends requests instead of completing it. */
const maxQueuedPackets = 4096;

/** Changes the keys of a connection when they are old. Counts from the login. Call before the first key exchange. */
export function changeKeysInTime(connection: Connection, { rekeyBytes, rekeyMs }: RekeyLimits): void {
  const { _protocol: protocol, _sock: socket } = internalsOf(connection);
  let isLoggedIn = false;
  let writtenBytes = 0;
  let bytesReadBefore = socket.bytesRead;
  let isRequested = false;
  let ageTimer: NodeJS.Timeout | undefined;

  const requestKeys = (): void => {
    if (isRequested || !isLoggedIn) return;
    isRequested = true;
    // Never from within a write: ssh2 counts a packet only after it has written it.
    setImmediate(() => {
      if (socket.writable && !socket.destroyed) connection.rekey();
    });
  };
  const count = (): void => {
    if (writtenBytes + socket.bytesRead - bytesReadBefore >= rekeyBytes) requestKeys();
  };

  const write = protocol._onWrite;
  protocol._onWrite = (data) => {
    writtenBytes += data.length;
    write(data);
    count();
  };
  const receive = protocol._onPacket;
  protocol._onPacket = () => {
    receive();
    count();
    if (protocol._kexinit !== undefined && (protocol._queue?.length ?? 0) > maxQueuedPackets)
      hangUp(socket, 'requests instead of a key exchange');
  };

  const restart = (): void => {
    clearTimeout(ageTimer);
    isRequested = false;
    writtenBytes = 0;
    bytesReadBefore = socket.bytesRead;
    ageTimer = setTimeout(requestKeys, rekeyMs).unref();
  };
  connection.on('handshake', restart);
  connection.on('ready', () => {
    isLoggedIn = true;
    restart();
  });
  connection.on('close', () => {
    clearTimeout(ageTimer);
  });
}

/** Whether a key exchange is running, during which ssh2 keeps all output in memory. */
export function isChangingKeys(connection: Connection): boolean {
  return internalsOf(connection)._protocol._kexinit !== undefined;
}

/** Resolves when the key exchange is complete or the connection is closed. */
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
