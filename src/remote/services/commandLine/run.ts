/** VerbService/Run: a command line of a client that knows no verb, from words to exit code. */
import { Metadata, type handleBidiStreamingCall, type ServerDuplexStream } from '@grpc/grpc-js';
import { Interrupts } from '../../../commandLine/interrupts.ts';
import { StreamIo, type RunInput } from '../../../commandLine/otherEnd/streamIo.ts';
import { runCommand } from '../../../commandLine/run.ts';
import { eitherSignal } from '../../../domain/signals.ts';
import { Failure } from '../../../domain/failure.ts';
import { printable } from '../../../domain/text.ts';
import { toStatus } from '../../../grpc/status.ts';
import { actorOf, reachedAt, signalOf, type Services } from '../calls.ts';
import { firstMessage } from '../firstMessage.ts';
import { CallOutput } from '../unreadAnswers.ts';

/** Longest command line, in bytes, as over ssh. */
const maxCommandBytes = 32 * 1024;

/** Longest text that precedes the words in help, in characters. */
const maxPrefixLength = 300;

/** Output that a client has not taken yet, in bytes. */
const maxWaitingBytes = 16 * 1024 * 1024;

/** How long a completion may take, in milliseconds. */
const completionMs = 5000;

export function run(services: Services): handleBidiStreamingCall<RunInput, object> {
  return (call: ServerDuplexStream<RunInput, object>) => {
    // The client waits for an answer as long as a command takes, and for these headers only seconds.
    call.sendMetadata(new Metadata());
    const interrupts = new Interrupts();
    const stuck = new AbortController();
    const output = new CallOutput(services.unread(call.getPeer()));
    call.on('cancelled', () => output.end());
    const io = new StreamIo(call, {
      interrupted: () => interrupts.press(),
      stuck: (failure) => {
        stuck.abort();
        call.emit('error', toStatus(failure));
      },
      maxWaitingBytes,
      output,
    });
    void (async () => {
      using either = eitherSignal(signalOf(call), stuck.signal);
      const { signal } = either;
      try {
        const { words, prefix, tty } = await firstMessage(call, ({ command }) => command);
        const { actor } = actorOf(services, call);
        if (words.reduce((bytes, word) => bytes + Buffer.byteLength(word) + 1, 0) > maxCommandBytes)
          throw new Failure('usage', { what: 'command line', why: `it is longer than ${maxCommandBytes / 1024} KiB` });
        io.begin(tty ?? undefined);
        const exit = await runCommand({
          words,
          actor,
          core: services.core,
          io,
          signal,
          interrupts,
          prefix: printable(prefix.slice(0, maxPrefixLength)),
          isFirst: true,
          candidates: (what, user) =>
            services.candidates.candidates(
              actor,
              what,
              user,
              AbortSignal.any([signal, AbortSignal.timeout(completionMs)]),
            ),
          ...reachedAt(call),
        });
        call.write({ exit });
        call.end();
      } catch (error) {
        call.emit('error', toStatus(error));
      }
    })();
  };
}
