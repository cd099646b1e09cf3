/** core's end of completion on one connection. */
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { z } from 'zod';
import { Failure } from '../../domain/failure.ts';
import { toResponseError } from '../../protocol/connection.ts';
import { abortSignal, candidatesRequest, messages } from '../../protocol/messages.ts';
import { candidates } from '../../service/candidates.ts';
import type { ServiceContext } from '../../service/context.ts';
import { onBehalfOf } from '../../domain/access/caller.ts';
import type { LoginEndpoint } from './loginEndpoint.ts';

export function serveCandidates(connection: MessageConnection, service: ServiceContext, logins: LoginEndpoint): void {
  connection.onRequest(messages.candidates, (raw, token) =>
    answer(() => {
      const { what, user, login } = checked(candidatesRequest, raw);
      const actor = logins.identify(login);
      return onBehalfOf(actor, () => candidates(service, { what, user, actor }, abortSignal(token)));
    }),
  );
}

/** Runs `act` and returns its failure as an answer: vscode-jsonrpc sends a returned error; its types do not say so. */
export function answer<T>(act: () => Promise<T>): Promise<T> {
  return Promise.try(act).catch((error: unknown) => toResponseError(error) as never);
}

/** Checks a request against its schema. Throws `usage`. */
export function checked<S extends z.ZodType>(schema: S, raw: unknown): z.output<S> {
  const parsed = schema.safeParse(raw);
  if (!parsed.success) throw new Failure('usage', { what: 'the request', why: 'it does not follow the protocol' });
  return parsed.data;
}
