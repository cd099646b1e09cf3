/**
 * Joins what is sent to a client at the same moment to one write. ssh2 writes each packet in three parts, and the end
 * of a command is five packets: fifteen system calls, for each of which the client would wake up.
 */
import type { Connection } from 'ssh2';
import { internalsOf } from './internals.ts';

export class JoinedWrites {
  readonly #connection: Connection;
  #isHeld = false;
  #last: NodeJS.Immediate | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    const { _protocol: protocol, _sock: socket } = internalsOf(connection);
    const write = protocol._onWrite;
    protocol._onWrite = (data) => {
      if (!this.#isHeld) {
        this.#isHeld = true;
        socket.cork();
        process.nextTick(() => {
          if (this.#last === undefined) this.flush();
        });
      }
      write(data);
    };
    // What follows takes a while, and a client that knows of its login goes on meanwhile.
    connection.prependListener('ready', () => this.flush());
  }

  /** Says that more may follow in this turn of the event loop, at the end of which everything is sent. */
  await(): void {
    this.#last ??= setImmediate(() => this.flush());
  }

  /** Sends what was written so far. */
  flush(): void {
    clearImmediate(this.#last);
    this.#last = undefined;
    if (!this.#isHeld) return;
    this.#isHeld = false;
    internalsOf(this.#connection)._sock.uncork();
  }
}

const known = new WeakMap<Connection, JoinedWrites>();

/** Joins the writes of a connection. Call before the first key exchange. */
export function joinWrites(connection: Connection): void {
  known.set(connection, new JoinedWrites(connection));
}

/** Returns those of a connection; undefined if they are not joined. */
export function joinedWritesOf(connection: Connection): JoinedWrites | undefined {
  return known.get(connection);
}
