/** Core at the other end of a gRPC connection: what a command line needs of it, over VerbService. */
import {
  credentials,
  status,
  type ClientDuplexStream,
  type ClientReadableStream,
  type StatusObject,
} from '@grpc/grpc-js';
import type { Ask } from '../catalogue/completion.ts';
import { Failure } from '../domain/failure.ts';
import type { CallerTerminal } from '../domain/terminal.ts';
import { service } from '../grpc/protos.ts';
import { fromStatus } from '../grpc/status.ts';
import { callEvent } from '../protocol/callEvents.ts';
import type { CoreClient } from '../protocol/client.ts';
import type { CallAnswer, Greeting } from '../protocol/messages.ts';
import type { ClientIdentity } from './certificates.ts';

export interface RemoteCore extends CoreClient {
  readonly candidates: Ask;
  close(): void;
}

interface Event {
  readonly event?: 'step' | 'note' | 'output' | 'terminal' | 'hold' | 'result' | 'server';
  readonly step?: Readonly<Record<string, unknown>> & { readonly elapsed_ms: number };
  readonly note?: string;
  readonly output?: string;
  readonly terminal?: Buffer;
  readonly hold?: boolean;
  readonly result?: {
    readonly result_json: string;
    readonly record?: { readonly seq: number; readonly hash: string } | null;
  };
  readonly server?: {
    readonly version: string;
    readonly host: string;
    readonly simulated: boolean;
    readonly why: string;
  };
}

/** Longest answer, in bytes: `list` of a thousand containers is about one MiB. */
const maxAnswerBytes = 64 * 1024 * 1024;

/** How long a completion may take, in milliseconds. */
const completionMs = 5000;

interface Completer {
  Complete(
    request: object,
    options: object,
    done: (error: Error | null, response: { candidates: { value: string; detail: string }[] }) => void,
  ): void;
}

/** How long to wait for a connection, in milliseconds. */
const connectMs = 10_000;

export function remoteCore(address: string, { authority, certificate, key }: ClientIdentity): RemoteCore {
  const client = new (service('VerbService'))(
    address,
    credentials.createSsl(Buffer.from(authority), Buffer.from(key), Buffer.from(certificate)),
    {
      'grpc.max_receive_message_length': maxAnswerBytes,
      'grpc.enable_retries': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.keepalive_time_ms': 30_000,
      'grpc.keepalive_timeout_ms': 20_000,
    },
  );
  let greeting: Greeting = { version: '', host: { kind: 'incus', simulated: false, why: address } };
  const connected = (): Promise<void> =>
    new Promise((resolve, reject) =>
      client.waitForReady(Date.now() + connectMs, (error) =>
        error === undefined
          ? resolve()
          : reject(
              new Failure(
                'core-unavailable',
                {
                  what: `the server at ${address}`,
                  why: 'no connection to it was made',
                  next: 'check the address and the certificates: openssl s_client -connect shows more',
                },
                error,
              ),
            ),
      ),
    );
  return {
    get greeting() {
      return greeting;
    },
    close: () => client.close(),
    async candidates(what, user) {
      await connected();
      const { candidates } = await new Promise<{ candidates: { value: string; detail: string }[] }>((resolve, reject) =>
        (client as unknown as Completer).Complete(
          { what, user: user ?? '' },
          { deadline: Date.now() + completionMs },
          (error, response) => (error === null ? resolve(response) : reject(fromStatus(error))),
        ),
      );
      return candidates.map(({ value, detail }) => (detail === '' ? { value } : { value, says: detail }));
    },
    async call({ verb, input }, onEvent, signal, terminal) {
      await connected();
      const request = { verb, input_json: JSON.stringify(input) };
      const methods = client as unknown as {
        Call(request: object): ClientReadableStream<Event>;
        Terminal(): ClientDuplexStream<object, Event>;
      };
      const duplex = terminal === undefined ? undefined : methods.Terminal();
      const stream: ClientReadableStream<Event> = duplex ?? methods.Call(request);
      if (duplex !== undefined && terminal !== undefined) lend(terminal, duplex, request);
      const cancel = (): void => stream.cancel();
      if (signal.aborted) cancel();
      signal.addEventListener('abort', cancel, { once: true });
      try {
        return await new Promise<CallAnswer>((resolve, reject) => {
          let answer: CallAnswer | undefined;
          stream.on('data', (event: Event) => {
            if (event.event === 'server' && event.server !== undefined) greeting = greetingOf(event.server);
            else if (event.event === 'result' && event.result !== undefined) answer = answerOf(event.result);
            else if (event.event === 'terminal' && event.terminal !== undefined) {
              stream.pause();
              void terminal?.output(event.terminal).finally(() => stream.resume());
            } else if (event.event === 'hold') terminal?.hold(event.hold === true);
            else {
              const parsed = callEvent.safeParse(eventOf(event));
              if (parsed.success) onEvent(parsed.data);
            }
          });
          stream.on('error', (error) => reject(fromStatus(error)));
          // After the end of the stream, whether the call has failed or not.
          stream.on('status', ({ code }: StatusObject) => {
            if (code !== status.OK) return;
            if (answer !== undefined) resolve(answer);
            else reject(new Failure('unexpected-output', { what: `"${verb}"`, why: 'the server sent no result' }));
          });
        });
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    },
  };
}

/** Sends what is typed, and the size of the terminal, to the server. */
function lend(terminal: CallerTerminal, stream: ClientDuplexStream<object, Event>, request: object): void {
  const { columns, rows, type } = terminal;
  stream.write({ call: { request, size: { columns, rows }, type } });
  terminal.attach({
    input: (data) => void stream.write({ typed: data }),
    resize: (width, height) => void stream.write({ resize: { columns: width, rows: height } }),
    end: () => stream.end(),
  });
}

function greetingOf({ version, host, simulated, why }: Event['server'] & object): Greeting {
  return { version, host: { kind: host === 'simulated' ? 'simulated' : 'incus', simulated, why } };
}

function answerOf({ result_json, record }: Event['result'] & object): CallAnswer {
  const result = JSON.parse(result_json) as unknown;
  return record === undefined || record === null ? { result } : { result, journal: record };
}

function eventOf({ event, step, note, output }: Event): unknown {
  if (event === 'note') return { type: 'note', text: note };
  if (event === 'output') return { type: 'output', text: output };
  if (event === 'step' && step !== undefined) {
    const { elapsed_ms: elapsedMs, detail, ...rest } = step;
    return { type: 'step', ...rest, elapsedMs, ...(typeof detail === 'string' ? { detail } : {}) };
  }
  return undefined;
}
