/** A connection to the remote interface of a server: HTTP/2 over mutual TLS, or without TLS on this machine. */
import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type SecureClientSessionOptions as SecureOptions,
} from 'node:http2';
import { isIP } from 'node:net';
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import type { ClientIdentity } from '../certificates.ts';
import { Call, type Method } from './call.ts';
import { refusal, unavailable, unreachable } from './failures.ts';

/** How long to wait for a connection, in milliseconds. */
const connectMs = 10_000;

/** How often a server that says nothing is asked whether it is there, and how long it may take, in milliseconds. */
const pingEveryMs = 30_000;
const pingMs = 20_000;

export class Channel {
  readonly #session: ClientHttp2Session;
  readonly #pings: NodeJS.Timeout;
  /** Why the connection ended, if the server has said it. */
  #ended: Failure | undefined;

  private constructor(session: ClientHttp2Session, name = 'this client') {
    this.#session = session;
    // With TLS 1.3 a server refuses a certificate only after the handshake.
    session.on('error', (error: Error) => (this.#ended = refusal(error, name) ?? this.#ended));
    this.#pings = setInterval(() => this.#ping(), pingEveryMs).unref();
  }

  /** Connects to `host:port`. Rejects with `core-unavailable`, or with `usage` for what is no address. */
  static async open(address: string, identity: ClientIdentity | undefined): Promise<Channel> {
    const url = urlOf(address, identity === undefined ? 'http' : 'https');
    const session = connectHttp2(url, identity === undefined ? {} : tlsOptions(url, identity));
    try {
      await new Promise<void>((resolve, reject) => {
        session.once('connect', () => resolve());
        session.once('error', reject);
        setTimeout(() => reject(new Error(`no answer within ${connectMs / 1000} s`)), connectMs).unref();
      });
    } catch (error) {
      session.destroy();
      throw unreachable(address, error);
    }
    return new Channel(session, identity?.name);
  }

  /** Begins a call. */
  call<I extends DescMessage, O extends DescMessage>(method: Method<I, O>, signal?: AbortSignal): Call<I, O> {
    if (this.#session.closed || this.#session.destroyed) throw this.#ended ?? unavailable('the connection ended');
    return new Call(this.#session, method, { signal, ended: () => this.#ended });
  }

  /** Makes a call with one message each way. */
  async ask<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    request: MessageInitShape<I>,
  ): Promise<MessageShape<O>> {
    const call = this.call(method);
    call.send(request);
    call.end();
    const answers: MessageShape<O>[] = [];
    for await (const answer of call) answers.push(answer);
    const [only] = answers;
    if (only === undefined || answers.length > 1)
      throw unavailable(`it sent ${answers.length} answers to one question`);
    return only;
  }

  close(): void {
    clearInterval(this.#pings);
    this.#session.destroy();
  }

  #ping(): void {
    const timer = setTimeout(() => this.#session.destroy(new Error('no answer to a ping')), pingMs).unref();
    if (!this.#session.destroyed) this.#session.ping(() => clearTimeout(timer));
  }
}

function tlsOptions({ hostname }: URL, { authority: ca, certificate: cert, key }: ClientIdentity): SecureOptions {
  const isAddress = isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
  return {
    ...{ ca, cert, key, minVersion: 'TLSv1.2' },
    // An address in place of a name cannot be sent in the handshake (RFC 6066). It is checked all the same.
    ...(isAddress ? { servername: '' } : {}),
  };
}

function urlOf(address: string, scheme: 'http' | 'https'): URL {
  const url = URL.parse(`${scheme}://${address}`);
  if (url !== null && !/[/?#@]/.test(address)) return url;
  throw new Failure('usage', {
    what: `the server ${quoted(address)}`,
    why: 'it is not an address',
    next: 'for example jump.example.org:50051',
  });
}
