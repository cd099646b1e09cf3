/**
 * A stream of messages to and from a caller. Over gRPC it is a stream of VerbService, and on the host a connection to
 * core's socket (messageLines.ts). `cancelled` says that the caller is gone.
 */
export interface MessageStream<Input extends object> {
  on(event: 'data', listener: (message: Input) => void): unknown;
  on(event: 'end' | 'cancelled' | 'error', listener: () => void): unknown;
  once(event: 'data', listener: (message: Input) => void): unknown;
  once(event: 'end' | 'cancelled' | 'error' | 'drain', listener: () => void): unknown;
  off(event: 'drain' | 'cancelled', listener: () => void): unknown;
  /** Sends a message. Returns false if the caller takes no more for now: `drain` says when it does. */
  write(message: object, taken?: () => void): boolean;
  pause(): unknown;
  resume(): unknown;
}
