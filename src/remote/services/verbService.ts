/** The VerbService (proto/containarium/v1/verbs.proto): every verb of the catalogue, without a line for any of them. */
import type { ServerDuplexStream, ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import { isVerbName, verbNamed, verbsFor } from '../../catalogue/catalogue.ts';
import { describe } from '../../catalogue/help.ts';
import { StreamTerminal, type Size } from '../../commandLine/otherEnd/streamTerminal.ts';
import type { CallEvent } from '../../domain/events/callEvent.ts';
import { candidateKinds, type CandidateKind } from '../../domain/events/candidate.ts';
import { Failure } from '../../domain/failure.ts';
import type { CallAnswer } from '../../protocol/messages.ts';
import { toStatus } from '../../grpc/status.ts';
import { actorOf, callVerb, signalOf, type Services, type VerbCall } from './calls.ts';
import { run } from './commandLine/run.ts';
import { view } from './commandLine/view.ts';
import { firstMessage } from './firstMessage.ts';
import { unary } from './unary.ts';
import { CallOutput, counted } from './unreadAnswers.ts';

/** Longest input, in characters: public keys and a CA. */
const maxInputLength = 256 * 1024;

interface CallRequest {
  readonly verb: string;
  readonly input_json: string;
  readonly plan: boolean;
}

interface TerminalInput {
  readonly call?: { readonly request: CallRequest | null; readonly size: Size | null; readonly type: string };
}

export function verbService(services: Services): UntypedServiceImplementation {
  const { core } = services;
  const server = {
    version: core.greeting.version,
    host: core.greeting.host.kind,
    simulated: core.greeting.host.simulated,
    why: core.greeting.host.why,
  };
  return {
    Describe: unary((call) => {
      const { actor, expiresAt } = actorOf(services, call);
      const verbs = describe(verbsFor(actor.entryPoint, actor.role));
      return Promise.resolve({
        server,
        caller: {
          name: actor.name,
          role: actor.role,
          certificate_expires_at: expiresAt === undefined ? 0 : Math.floor(expiresAt.getTime() / 1000),
        },
        verbs_json: JSON.stringify(verbs),
      });
    }),

    Complete: unary(async (call, { what, user }: { what: string; user: string }) => {
      const { actor } = actorOf(services, call);
      if (!isCandidateKind(what)) throw new Failure('usage', { what: `completion of "${what}"`, why: 'there is none' });
      const found = await services.candidates.candidates(actor, what, user === '' ? undefined : user, signalOf(call));
      return { candidates: found.map(({ value, says }) => ({ value, detail: says ?? '' })) };
    }),

    Call(call: ServerWritableStream<CallRequest, object>) {
      const send = counted(call, new CallOutput(services.unread(call.getPeer())));
      send({ server });
      void (async () => {
        try {
          const answer = await callVerb(services, call, parsed(call.request, false), {
            onEvent: (event) => send(eventMessage(event)),
          });
          send(resultMessage(answer));
          call.end();
        } catch (error) {
          call.emit('error', toStatus(error));
        }
      })();
    },

    Terminal(call: ServerDuplexStream<TerminalInput, object>) {
      const send = counted(call, new CallOutput(services.unread(call.getPeer())));
      send({ server });
      const terminal = new StreamTerminal(call);
      void (async () => {
        try {
          const { request, size, type } = await firstMessage(call, (input) => input.call);
          if (request === null) throw new Failure('usage', { what: 'the call', why: 'it names no verb' });
          terminal.describe(type, size);
          const answer = await callVerb(services, call, parsed(request, true), {
            onEvent: (event) => send(eventMessage(event)),
            terminal,
          });
          send(resultMessage(answer));
          call.end();
        } catch (error) {
          call.emit('error', toStatus(error));
        }
      })();
    },

    Run: run(services),

    View: view(services),
  };
}

function isCandidateKind(what: string): what is CandidateKind {
  return (candidateKinds as readonly string[]).includes(what);
}

/** Reads a call. Throws `usage` for input that is no JSON object, and for a verb that needs a terminal without one. */
function parsed({ verb, input_json: json, plan }: CallRequest, hasTerminal: boolean): VerbCall {
  if (json.length > maxInputLength)
    throw new Failure('input-too-large', { what: 'the input', why: `it is longer than ${maxInputLength} characters` });
  let input: unknown;
  try {
    input = json === '' ? {} : JSON.parse(json);
  } catch (error) {
    throw new Failure('usage', { what: 'input_json', why: 'it is not JSON' }, error);
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw new Failure('usage', { what: 'input_json', why: 'it is not a JSON object' });
  if (!hasTerminal && isVerbName(verb) && verbNamed(verb).handsOverTerminal === true)
    throw new Failure('usage', { what: `"${verb}"`, why: 'it needs a terminal', next: 'call VerbService/Terminal' });
  return { verb, input: input as Record<string, unknown>, plan };
}

function eventMessage(event: CallEvent): object {
  switch (event.type) {
    case 'note':
      return { note: event.text };
    case 'output':
      return { output: event.text };
    case 'step': {
      const { index, total, title, state, elapsedMs, detail } = event;
      return {
        step: { index, total, title, state, elapsed_ms: elapsedMs, ...(detail === undefined ? {} : { detail }) },
      };
    }
  }
}

function resultMessage({ result, journal }: CallAnswer): object {
  return { result: { result_json: JSON.stringify(result), ...(journal === undefined ? {} : { record: journal }) } };
}
