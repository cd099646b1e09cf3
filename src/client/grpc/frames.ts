/** Messages in the body of a gRPC call: a byte that says whether it is compressed, and its length before each. */
import { Failure } from '../../domain/failure.ts';

const headBytes = 5;

/** Longest answer, in bytes: `list` of a thousand containers is about one MiB. */
const maxMessageBytes = 64 * 1024 * 1024;

export function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Takes messages out of a body that arrives in pieces. */
export class Frames {
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** Length of the next message with its head; that of the head until it is there. */
  #wanted = headBytes;

  /** Returns the messages that a piece completes. Throws `unexpected-output` for what is no message of gRPC. */
  push(piece: Buffer): Buffer[] {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    const messages: Buffer[] = [];
    // Joined only when something is complete, so that a long message is not copied with each piece.
    while (this.#bytes >= this.#wanted) {
      const all = Buffer.concat(this.#pieces);
      if (this.#wanted === headBytes) this.#wanted += lengthIn(all);
      if (all.length >= this.#wanted) {
        messages.push(all.subarray(headBytes, this.#wanted));
        this.#bytes -= this.#wanted;
        this.#pieces = [all.subarray(this.#wanted)];
        this.#wanted = headBytes;
      } else this.#pieces = [all];
    }
    return messages;
  }
}

function lengthIn(head: Buffer): number {
  const length = head.readUInt32BE(1);
  // The client offers no compression.
  if (head[0] === 0 && length <= maxMessageBytes) return length;
  throw new Failure('unexpected-output', { what: 'the server', why: 'its answer is no message of gRPC' });
}
