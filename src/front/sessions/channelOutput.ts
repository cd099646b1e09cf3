/**
 * What a command writes to its channel: in the order written, at the pace at which the client reads. ssh2 itself keeps
 * everything in memory, answers no write after a close, and can forget one of two streams that wait for the same
 * window.
 */
import type { Connection, ServerChannel } from 'ssh2';
import { hangUp } from '../transport/hangUp.ts';
import { internalsOf } from '../transport/internals.ts';
import { isChangingKeys, keysChanged } from '../transport/rekey.ts';

type Stream = ServerChannel | ServerChannel['stderr'];

/** Handed to ssh2 at a time. */
const pieceBytes = 64 * 1024;

/** Bytes that a client may leave unread for as long as it likes, for instance behind a pager. */
const maxUnreadBytes = 4 * 1024 * 1024;

/** A client that leaves more than that unread, and reads nothing for this long, is hung up on. */
const defaultStallMs = 30_000;

export class ChannelOutput {
  readonly #connection: Connection;
  readonly #stallMs: number;
  readonly #queue: { readonly stream: Stream; readonly bytes: Buffer }[] = [];
  #isGone = false;
  /** Ends the wait that the pump is in. */
  #release: () => void = () => undefined;
  #unreadBytes = 0;
  #pumping: Promise<void> | undefined;

  constructor(connection: Connection, channel: ServerChannel, stallMs = defaultStallMs) {
    this.#connection = connection;
    this.#stallMs = stallMs;
    channel.once('close', () => {
      this.#isGone = true;
      this.#queue.length = 0;
      this.#release();
    });
  }

  write(stream: Stream, text: string | Buffer): void {
    if (this.#isGone || text.length === 0) return;
    const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
    this.#queue.push({ stream, bytes });
    this.#unreadBytes += bytes.length;
    this.#pumping ??= this.#pump();
  }

  /** Resolves when everything written so far has been taken by the connection, or the channel is gone. */
  async flushed(): Promise<void> {
    await this.#pumping;
  }

  async #pump(): Promise<void> {
    const socket = internalsOf(this.#connection)._sock;
    let before = this.#unreadBytes;
    const watch = setInterval(() => {
      if (this.#unreadBytes > maxUnreadBytes && this.#unreadBytes >= before) hangUp(socket, 'output was not read');
      before = this.#unreadBytes;
    }, this.#stallMs);
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        for (let at = 0; at < next.bytes.length && !this.#isGone; at += pieceBytes) {
          const piece = next.bytes.subarray(at, at + pieceBytes);
          await this.#taken(next.stream, piece);
          // While keys are exchanged ssh2 keeps what is sent, and a client may take its time.
          if (isChangingKeys(this.#connection))
            await this.#until((done) => void keysChanged(this.#connection).then(done));
          if (socket.writableNeedDrain) await this.#until((done) => socket.once('drain', done));
          this.#unreadBytes -= piece.length;
        }
      }
    } finally {
      clearInterval(watch);
      this.#pumping = undefined;
    }
  }

  #taken(stream: Stream, piece: Buffer): Promise<void> {
    return this.#until((done) => {
      if (stream.writable) stream.write(piece, () => done());
      else done();
    });
  }

  /**
   * Waits for what `begin` tells, or for the channel to be gone. A race with one promise of the whole session would
   * leave something behind in it for every piece that is ever written.
   */
  #until(begin: (done: () => void) => void): Promise<void> {
    if (this.#isGone) return Promise.resolve();
    return new Promise((resolve) => {
      this.#release = resolve;
      begin(resolve);
    });
  }
}
