/** One call of gRPC on a connection of HTTP/2 (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). */
import { constants, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethod,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { Failure } from '../../domain/failure.ts';
import { failureOf, unavailable } from './failures.ts';
import { frame, Frames } from './frames.ts';

/** A method with its messages, as `npm run generate` describes it. */
export type Method<I extends DescMessage, O extends DescMessage> = DescMethod & {
  readonly input: I;
  readonly output: O;
};

export interface CallOptions {
  /** Leaves the call. */
  readonly signal?: AbortSignal | undefined;
  /** Returns why the connection ended, if the server has said it. */
  readonly ended?: () => Failure | undefined;
}

/** How long a server may take until it answers at all, in milliseconds. Ours sends headers at once. */
const firstMs = 20_000;

export class Call<I extends DescMessage, O extends DescMessage> {
  readonly #method: Method<I, O>;
  readonly #stream: ClientHttp2Stream;
  readonly #ended: () => Failure | undefined;
  #isLeft = false;
  /** The headers that end the call: the trailers, or the only headers if there is no message. */
  #last: IncomingHttpHeaders = {};

  constructor(session: ClientHttp2Session, method: Method<I, O>, { signal, ended }: CallOptions = {}) {
    this.#method = method;
    this.#ended = ended ?? (() => undefined);
    this.#stream = session.request({
      ':method': 'POST',
      ':path': `/${method.parent.typeName}/${method.name}`,
      'content-type': 'application/grpc+proto',
      te: 'trailers',
    });
    for (const event of ['response', 'trailers'] as const)
      this.#stream.on(event, (headers: IncomingHttpHeaders) => (this.#last = headers));
    const silent = new Error(`no answer within ${firstMs / 1000} s`);
    const timer = setTimeout(() => this.#stream.destroy(silent), firstMs).unref();
    for (const event of ['response', 'close']) this.#stream.once(event, () => clearTimeout(timer));
    // Told by the iteration.
    this.#stream.on('error', () => undefined);
    if (signal?.aborted === true) this.#leave();
    signal?.addEventListener('abort', () => this.#leave(), { once: true });
  }

  /** Sends a message. After the end of the call it does nothing. */
  send(message: MessageInitShape<I>): void {
    if (!this.#stream.writable) return;
    this.#stream.write(frame(toBinary(this.#method.input, create(this.#method.input, message))));
  }

  /** Says that there are no further messages. */
  end(): void {
    this.#stream.end();
  }

  /** The messages of the server. Throws the failure of a call that does not succeed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<MessageShape<O>, void> {
    const frames = new Frames();
    try {
      for await (const piece of this.#stream as AsyncIterable<Buffer>)
        for (const message of frames.push(piece)) yield fromBinary(this.#method.output, message);
    } catch (error) {
      if (error instanceof Failure) throw error;
      // What the server said before it cut the call off tells more.
      if (this.#last['grpc-status'] === undefined) throw this.#cutOff(error);
    } finally {
      this.#stream.close(constants.NGHTTP2_CANCEL);
    }
    if (this.#isLeft) throw left();
    const failure = failureOf(this.#last);
    if (failure !== undefined) throw failure;
  }

  #leave(): void {
    this.#isLeft = true;
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #cutOff(error: unknown): Failure {
    if (this.#isLeft) return left(error);
    const told = this.#ended();
    if (told !== undefined) return told;
    const detail = error instanceof Error ? error.message : String(error);
    if (this.#last[':status'] === undefined)
      return unavailable(
        `it ended the connection without an answer (${detail})`,
        'it may have refused your certificate',
        error,
      );
    return unavailable(
      `the connection ended (${detail})`,
      'a change that has begun continues there: see "audit" when it answers again',
      error,
    );
  }
}

/** Returns the failure of a call that its caller has left. */
function left(cause?: unknown): Failure {
  return new Failure(
    'core-unavailable',
    {
      what: 'the command',
      why: 'you left it before its end',
      next: 'a change that has begun continues on the server: see "audit"',
    },
    cause,
  );
}
