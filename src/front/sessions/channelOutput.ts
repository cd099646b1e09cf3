/**
 * The output of a command to its channel, in the order written and at the pace at which the client reads. ssh2 by
 * itself keeps everything in memory, does not answer a write after a close, and can forget one of two streams that wait
 * for the same window.
 */
import type { Connection, ServerChannel } from 'ssh2';
import type { UnreadOutput } from '../../connectionLimits/unreadOutput.ts';
import { hangUp } from '../transport/hangUp.ts';
import { internalsOf } from '../transport/internals.ts';
import { joinedWritesOf } from '../transport/joinedWrites.ts';
import { isChangingKeys, keysChanged } from '../transport/rekey.ts';
import { unreadOf } from '../transport/unread.ts';

type Stream = ServerChannel | ServerChannel['stderr'];

/** Size of one write to ssh2. */
const pieceBytes = 64 * 1024;

/** Output that a client may leave unread for as long as it likes, for instance behind a pager. */
const maxUnreadBytes = 4 * 1024 * 1024;

/** How long a client with more unread output than that may read nothing before the server hangs up. */
const defaultStallMs = 30_000;

export class ChannelOutput {
  readonly #connection: Connection;
  readonly #stallMs: number;
  readonly #queue: { readonly stream: Stream; readonly bytes: Buffer }[] = [];
  /** That of all channels of the connection. */
  readonly #unread: UnreadOutput;
  #isClosed = false;
  /** The connection ends, because too much was unread. */
  #isDropped = false;
  /** Ends the pump's current wait. */
  #release: () => void = () => undefined;
  #unreadBytes = 0;
  #pumping: Promise<void> | undefined;

  constructor(connection: Connection, channel: ServerChannel, stallMs = defaultStallMs) {
    this.#connection = connection;
    this.#stallMs = stallMs;
    this.#unread = unreadOf(connection);
    const drop = (): void => {
      this.#isDropped = true;
      this.#queue.length = 0;
    };
    this.#unread.onFull(drop);
    channel.once('close', () => {
      this.#isClosed = true;
      this.#unread.offFull(drop);
      this.#unread.taken(this.#unreadBytes);
      this.#queue.length = 0;
      this.#release();
    });
  }

  write(stream: Stream, text: string | Buffer): void {
    if (this.#isClosed || this.#isDropped || text.length === 0) return;
    const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
    this.#queue.push({ stream, bytes });
    this.#unreadBytes += bytes.length;
    this.#pumping ??= this.#pump();
    this.#unread.add(bytes.length);
  }

  /** Resolves when the connection has taken all output so far, or the channel is closed. */
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
        for (let at = 0; at < next.bytes.length && !this.#isClosed && !this.#isDropped; at += pieceBytes) {
          const piece = next.bytes.subarray(at, at + pieceBytes);
          await this.#send(next.stream, piece);
          // During a key exchange ssh2 keeps all output in memory, and the client decides how long that lasts.
          if (isChangingKeys(this.#connection))
            await this.#until((done) => void keysChanged(this.#connection).then(done));
          if (socket.writableNeedDrain) await this.#until((done) => socket.once('drain', done));
          this.#unreadBytes -= piece.length;
          this.#countTaken(piece.length);
        }
      }
      // Output that is cut off must not look complete: no exit status follows.
      if (this.#isDropped) await this.#until(() => undefined);
    } finally {
      clearInterval(watch);
      this.#pumping = undefined;
    }
  }

  /** What is left at the close of the channel is counted there. */
  #countTaken(bytes: number): void {
    if (!this.#isClosed) this.#unread.taken(bytes);
  }

  #send(stream: Stream, piece: Buffer): Promise<void> {
    return this.#until((done) => {
      joinedWritesOf(this.#connection)?.await();
      if (stream.writable) stream.write(piece, () => done());
      else done();
    });
  }

  /**
   * Waits until `begin` calls `done`, or the channel is closed. `Promise.race` with one promise that lives as long as
   * the channel would leak a reaction for every piece written.
   */
  #until(begin: (done: () => void) => void): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#release = resolve;
      begin(resolve);
    });
  }
}
