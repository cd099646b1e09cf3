import type { ServerDuplexStream } from '@grpc/grpc-js';
import { Failure } from '../../domain/failure.ts';

/**
 * Resolves to what `pick` takes from the first message of a stream. Rejects with `usage` if it takes nothing, or the
 * stream ends before.
 */
export function firstMessage<Input, Picked>(
  stream: ServerDuplexStream<Input, object>,
  pick: (input: Input) => Picked | null | undefined,
): Promise<Picked> {
  return new Promise((resolve, reject) => {
    const refuse = (): void =>
      reject(new Failure('usage', { what: 'the stream', why: 'it does not begin with a call' }));
    stream.once('data', (input: Input) => {
      const picked = pick(input);
      if (picked === undefined || picked === null) refuse();
      else resolve(picked);
    });
    for (const event of ['end', 'cancelled', 'error']) stream.once(event, refuse);
  });
}
