/**
 * Reads JSON-RPC from an untrusted peer in bounded memory. vscode-jsonrpc by itself buffers a message of any announced
 * length, and reads messages faster than it handles them, so a peer could fill this process's memory.
 */
import type { Duplex } from 'node:stream';
import { StreamMessageReader, type DataCallback, type Disposable } from 'vscode-jsonrpc/node';

/**
 * Longest header in bytes: `Content-Length` and an optional `Content-Type` (Language Server Protocol, base protocol).
 */
const maxHeaderBytes = 256;
/** Number of messages waiting to be handled at which reading pauses. */
const maxWaiting = 64;

export class BoundedReader extends StreamMessageReader {
  readonly #stream: Duplex;
  readonly #maxBytes: number;
  #header = '';
  /** Bytes of the body that are still missing. */
  #body = 0;
  /**
   * Messages that have begun to arrive and are not handled yet. A message that is not JSON is never handled and stays
   * counted, so reading ends for a peer that sends many.
   */
  #waiting = 0;
  /** Messages that the connection has received and not yet handled. */
  #held = 0;

  /** Destroys the stream at a message of more than `maxBytes` or at broken framing. */
  constructor(stream: Duplex, maxBytes: number) {
    super(stream);
    // The timer for partial messages restarts for ever: a stream that ends within a message would keep this process
    // alive. Nothing here uses it.
    this.partialMessageTimeout = 0;
    this.#stream = stream;
    this.#maxBytes = maxBytes;
  }

  override listen(callback: DataCallback): Disposable {
    // Registered before the reader's own listener, which then sees nothing of a chunk that breaks the rules.
    this.#stream.on('data', (chunk: Buffer) => {
      if (!this.#isFramed(chunk)) this.#stream.destroy();
      else if (this.#waiting > maxWaiting) this.#stream.pause();
    });
    return super.listen((message) => {
      if (this.#held++ === 0) setImmediate(() => this.#countHandled());
      callback(message);
    });
  }

  /** Counts one handled message. The connection handles one in each turn of the event loop, and this keeps pace. */
  #countHandled(): void {
    if (--this.#waiting === maxWaiting) this.#stream.resume();
    if (--this.#held > 0) setImmediate(() => this.#countHandled());
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
