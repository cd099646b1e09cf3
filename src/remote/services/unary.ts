/** Turns a function that resolves or rejects into a handler of gRPC. */
import type { handleUnaryCall, sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { toStatus } from '../../grpc/status.ts';
import type { AnyCall } from './calls.ts';

export function unary<Request>(
  act: (call: AnyCall, request: Request) => Promise<object>,
): handleUnaryCall<Request, object> {
  return (call: ServerUnaryCall<Request, object>, answer: sendUnaryData<object>) => {
    Promise.try(act, call, call.request).then(
      (response) => answer(null, response),
      (error: unknown) => answer(toStatus(error)),
    );
  };
}
