/** Counts the answers that wait for a client of the remote interface. */
import { ResponderBuilder, ServerInterceptingCall, ServerListenerBuilder, type ServerInterceptor } from '@grpc/grpc-js';
import type { UnreadOutput } from '../../connectionLimits/unreadOutput.ts';

/** What waits for the client of one call. */
export class CallOutput {
  readonly #unread: Pick<UnreadOutput, 'add' | 'taken'> | undefined;
  #bytes = 0;
  #isOver = false;

  constructor(unread: Pick<UnreadOutput, 'add' | 'taken'> | undefined) {
    this.#unread = unread;
  }

  add(bytes: number): void {
    if (this.#isOver) return;
    this.#bytes += bytes;
    this.#unread?.add(bytes);
  }

  taken(bytes: number): void {
    if (this.#isOver) return;
    this.#bytes -= bytes;
    this.#unread?.taken(bytes);
  }

  /** The call is over: nothing waits any more. */
  end(): void {
    this.taken(this.#bytes);
    this.#isOver = true;
  }
}

/** Counts the answers of calls that have one. Those of streams are counted by {@link counted}. */
export function countedAnswers(unread: (peer: string) => UnreadOutput | undefined): ServerInterceptor {
  return (method, call) => {
    if (method.responseStream) return new ServerInterceptingCall(call);
    const output = new CallOutput(unread(call.getPeer()));
    const listener = new ServerListenerBuilder().withOnCancel(() => output.end()).build();
    const responder = new ResponderBuilder()
      .withStart((next) => next(listener))
      .withSendMessage((message, next) => {
        output.add(sizeOf(message));
        next(message);
      })
      .build();
    return new ServerInterceptingCall(call, responder);
  };
}

/** Returns a function that sends a message on a stream, counted until the client has taken it. */
export function counted(
  call: {
    on(event: 'cancelled', listener: () => void): unknown;
    write(message: object, taken: () => void): unknown;
  },
  output: CallOutput,
): (message: object) => void {
  call.on('cancelled', () => output.end());
  return (message) => {
    const bytes = sizeOf(message);
    output.add(bytes);
    call.write(message, () => output.taken(bytes));
  };
}

/** Returns about how many bytes a message has. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Buffer.isBuffer(value)) return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  return Object.values(value).reduce<number>((sum, part) => sum + sizeOf(part), 8);
}
