/**
 * A socket of Incus that fails on demand: everything passes through it to the real one, until a chosen request has sent
 * or received so many bytes. The product opens it for its streams (src/host/incus/streams.ts).
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface SocketFault {
  /** Matches the first line of the request: `GET /1.0/…`. */
  readonly on: RegExp;
  /** Whose bytes are counted. */
  readonly from: 'core' | 'incus';
  readonly afterBytes: number;
  /** The fault. `cut` ends the connection. Bytes wait until it is done. */
  readonly act: (cut: () => void) => void | Promise<void>;
}

export class FaultySocket {
  readonly path: string;
  readonly #server: Server;
  #armed: SocketFault | undefined;

  private constructor(path: string, target: string) {
    this.path = path;
    this.#server = createServer({ allowHalfOpen: true }, (core) => {
      this.#pass(core, connect({ path: target, allowHalfOpen: true }));
    });
  }

  static async listen(path: string, target: string): Promise<FaultySocket> {
    const socket = new FaultySocket(path, target);
    await new Promise<void>((resolve) => socket.#server.listen(path, resolve));
    return socket;
  }

  /** The next request that matches meets the fault. */
  arm(fault: SocketFault): void {
    this.#armed = fault;
  }

  /** Returns whether the fault occurred. */
  disarm(): boolean {
    const isMet = this.#armed === undefined;
    this.#armed = undefined;
    return isMet;
  }

  close(): void {
    this.#server.close();
  }

  #pass(core: Socket, incus: Socket): void {
    const cut = (): void => {
      core.destroy();
      incus.destroy();
    };
    let request: string | undefined;
    const counting = (from: SocketFault['from']): Transform => {
      let bytes = 0;
      return new Transform({
        transform: (chunk: Buffer, _encoding, next) => {
          if (from === 'core') request ??= chunk.toString('latin1').split('\r\n', 1)[0] ?? '';
          bytes += chunk.length;
          const fault = this.#armed;
          if (fault?.from !== from || bytes < fault.afterBytes || !fault.on.test(request ?? '')) {
            next(null, chunk);
            return;
          }
          this.#armed = undefined;
          void Promise.resolve(fault.act(cut)).then(() => next(null, chunk));
        },
      });
    };
    // Either side may end a connection at any time; the other side then learns of it.
    void pipeline(core, counting('core'), incus).catch(cut);
    void pipeline(incus, counting('incus'), core).catch(cut);
  }
}
