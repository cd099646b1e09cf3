/** A command line on its way over the remote interface (VerbService/Run). */
import { VerbService } from '../../grpc/generated/containarium/v1/verbs_pb.ts';
import type { Input, Output, RunCall } from '../commandLine.ts';
import type { Channel } from './channel.ts';

/** Opens the call. The signal leaves it. */
export function openRun(channel: Channel, gaveUp: AbortSignal): RunCall {
  const call = channel.call(VerbService.method.run, gaveUp);
  return {
    send: (input: Input) => call.send({ input }),
    async *[Symbol.asyncIterator](): AsyncGenerator<Output, void> {
      for await (const { output } of call) yield output;
    },
  };
}
