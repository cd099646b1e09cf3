/**
 * Reads JSON-RPC from somebody who is not trusted. vscode-jsonrpc keeps whatever length a header announces, and reads
 * messages faster than it hands them out; both would let the other side fill this process's memory.
 */
import type { Duplex } from 'node:stream';
import { StreamMessageReader, type DataCallback, type Disposable } from 'vscode-jsonrpc/node';

/**
 * Longest header, in bytes: `Content-Length: …` and perhaps a `Content-Type` (Language Server Protocol, base protocol).
 */
const maxHeaderBytes = 256;
/** Messages that are read but not handed out yet, up to which more are read. */
const maxWaiting = 64;

export class BoundedReader extends StreamMessageReader {
  readonly #stream: Duplex;
  readonly #maxBytes: number;
  #header = '';
  /** Bytes of the body that are still to come. */
  #body = 0;
  /**
   * Messages that have begun to come and are not handed out yet. One that is no JSON stays one: whoever sends many is
   * read no more.
   */
  #waiting = 0;
  /** Messages that the connection has, and hands out. */
  #held = 0;

  /** A message of more than `mostBytes`, or what is no message, ends the stream. */
  constructor(stream: Duplex, maxBytes: number) {
    super(stream);
    // Nobody asks for it, and its timer begins anew for ever: an end in the middle of a message would keep this process
    // from ending.
    this.partialMessageTimeout = 0;
    this.#stream = stream;
    this.#maxBytes = maxBytes;
  }

  override listen(callback: DataCallback): Disposable {
    // Before the reader's own listener, which sees nothing more of a stream that is destroyed.
    this.#stream.on('data', (chunk: Buffer) => {
      if (!this.#isFramed(chunk)) this.#stream.destroy();
      else if (this.#waiting > maxWaiting) this.#stream.pause();
    });
    return super.listen((message) => {
      if (this.#held++ === 0) setImmediate(() => this.#handedOut());
      callback(message);
    });
  }

  /** The connection hands out one message in each turn of the event loop; so does this count them. */
  #handedOut(): void {
    if (--this.#waiting === maxWaiting) this.#stream.resume();
    if (--this.#held > 0) setImmediate(() => this.#handedOut());
  }

  #isFramed(chunk: Buffer): boolean {
    for (let at = 0; at < chunk.length;) {
      if (this.#body > 0) {
        const taken = Math.min(this.#body, chunk.length - at);
        this.#body -= taken;
        at += taken;
        continue;
      }
      this.#header += String.fromCharCode(chunk[at++] ?? 0);
      if (this.#header.length > maxHeaderBytes) return false;
      if (!this.#header.endsWith('\r\n\r\n')) continue;
      const length = /^Content-Length: ?(\d{1,10})\r\n(?:Content-Type: ?[^\r\n]*\r\n)?\r\n$/i.exec(this.#header)?.[1];
      this.#header = '';
      this.#body = Number(length);
      this.#waiting++;
      if (length === undefined || this.#body === 0 || this.#body > this.#maxBytes) return false;
    }
    return true;
  }
}
