/** Makes calls of core on behalf of the client at the other end of a connection. */
import type { Actor } from '../../domain/access/actor.ts';
import type { CallEvent } from '../../domain/events/callEvent.ts';
import type { CallerTerminal } from '../../domain/terminal.ts';
import type { UnreadOutput } from '../../connectionLimits/unreadOutput.ts';
import { Failure } from '../../domain/failure.ts';
import type { CoreClient } from '../../protocol/client.ts';
import type { CallAnswer } from '../../protocol/messages.ts';
import type { CandidatesClient } from '../../protocol/shellClient.ts';
import type { Caller } from '../connections/connections.ts';

/** What the services need. */
export interface Services {
  readonly core: CoreClient;
  readonly candidates: CandidatesClient;
  /** Returns who is at the other end of a connection. */
  readonly caller: (peer: string) => Caller | undefined;
  /** Returns what counts the unread output of a connection. */
  readonly unread: (peer: string) => UnreadOutput | undefined;
}

/** What the services use of a call of gRPC, whatever its kind. */
export interface AnyCall {
  getPeer(): string;
  getHost(): string;
  on(event: 'cancelled', listener: () => void): unknown;
}

/** Returns the caller. Throws the failure with which core has refused its certificate. */
export function actorOf({ caller }: Services, call: AnyCall): { readonly actor: Actor; readonly expiresAt?: Date } {
  const found = caller(call.getPeer());
  if (found === undefined)
    throw new Failure('denied', { what: 'this login', why: 'it is over', next: 'connect again' });
  if ('refused' in found) throw found.refused;
  return found;
}

/** Returns a signal that aborts when the client cancels the call, its deadline passes, or its connection ends. */
export function signalOf(call: AnyCall): AbortSignal {
  const controller = new AbortController();
  call.on('cancelled', () => controller.abort());
  return controller.signal;
}

export interface VerbCall {
  readonly verb: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Asks for the plan of the call instead of the call. */
  readonly plan?: boolean;
}

/** Runs a verb. Rejects with a Failure. */
export async function callVerb(
  services: Services,
  call: AnyCall,
  { verb, input, plan = false }: VerbCall,
  { onEvent = () => undefined, terminal }: { onEvent?: (event: CallEvent) => void; terminal?: CallerTerminal } = {},
): Promise<CallAnswer> {
  const { actor } = actorOf(services, call);
  const request = { actor, verb, input, ...(plan ? { plan } : {}), ...reachedAt(call) };
  return services.core.call(request, onEvent, signalOf(call), terminal);
}

/** Returns the address under which the client reached this server, if it names one. */
export function reachedAt(call: AnyCall): { readonly reachedAt?: string } {
  const host = call
    .getHost()
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '');
  return host === '' ? {} : { reachedAt: host.slice(0, 64) };
}
