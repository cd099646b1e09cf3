/**
 * Answers every call of a client whose certificate core has refused with the reason, also calls of services that are
 * not ours: health and reflection tell strangers nothing.
 */
import {
  ResponderBuilder,
  ServerInterceptingCall,
  ServerListenerBuilder,
  status,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { Failure } from '../../domain/failure.ts';
import { toStatus } from '../../grpc/status.ts';
import type { Caller } from '../connections/connections.ts';

export function acceptedOnly(caller: (peer: string) => Caller | undefined): ServerInterceptor {
  return (_method, call) => {
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        const found = caller(call.getPeer());
        if (found !== undefined && 'actor' in found) {
          next(metadata);
          return;
        }
        const failure = found?.refused ?? new Failure('denied', { what: 'this login', why: 'it is over' });
        // For lack of a place a client may come back; every other reason is about who it is.
        const told = toStatus(failure);
        call.sendStatus(failure.code === 'busy' ? told : { ...told, code: status.UNAUTHENTICATED });
      })
      .build();
    return new ServerInterceptingCall(call, new ResponderBuilder().withStart((next) => next(listener)).build());
  };
}
