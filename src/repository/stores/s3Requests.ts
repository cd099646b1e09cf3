/** Requests to an S3 server, signed by aws4fetch (AWS Signature Version 4): time limits, retries, bounded answers. */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { AwsV4Signer } from 'aws4fetch';
import { Failure } from '../../domain/failure.ts';
import { printable } from '../../domain/text.ts';
import { durationInWords } from '../../domain/values/duration.ts';
import { text } from './xml.ts';

/** In milliseconds. */
export interface S3Limits {
  /** How long one request may take until its answer begins. */
  readonly requestMs: number;
  /** The same for one that sends a part of a backup. */
  readonly uploadMs: number;
  /** How long an answer that is read may send nothing. */
  readonly idleMs: number;
  /** Retries after failures that may pass. */
  readonly retries: number;
  /** The pause before the first retry. Each is twice as long as the one before. */
  readonly firstPauseMs: number;
}

export const defaultS3Limits: S3Limits = {
  requestMs: 30_000,
  uploadMs: 300_000,
  idleMs: 60_000,
  retries: 4,
  firstPauseMs: 500,
};

export interface S3Access {
  /** The server, `https://s3.example.com`. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface S3Request {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Empty for the bucket itself. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

/** An answer with an error of the server. */
export class S3Refusal extends Failure {
  readonly status: number;
  /** The server's word for it: `NoSuchKey`. */
  readonly reason: string;

  constructor(place: string, status: number, reason: string) {
    const isForbidden = status === 401 || status === 403;
    super('store-unavailable', {
      what: place,
      why: `the server refused the request: ${printable(reason === '' ? `HTTP status ${status}` : reason.slice(0, 100))}`,
      next: isForbidden
        ? 'check the keys in backups.s3.credentialsFile, what they may do, and the time of this host'
        : 'check backups.s3 in the configuration',
    });
    this.status = status;
    this.reason = reason;
  }
}

/** Maximum size of a document of the server, in bytes. A list of 1000 keys is smaller. */
const maxDocumentBytes = 4 * 1024 * 1024;

export class S3Requests {
  readonly place: string;
  readonly limits: S3Limits;
  readonly #access: S3Access;
  readonly #base: string;

  constructor(access: S3Access, limits: S3Limits) {
    this.#access = access;
    this.#base = `${access.endpoint.replace(/(?<!\/)\/+$/, '')}/${access.bucket}`;
    this.place = `bucket "${access.bucket}" at ${new URL(access.endpoint).host}`;
    this.limits = limits;
  }

  /** Sends a request and returns the document that the server answers with, and the headers. */
  async document(request: S3Request): Promise<{ readonly text: string; readonly headers: Headers }> {
    return this.#retried(request, async (signal) => {
      const response = await this.#send(request, signal);
      return { text: await bounded(response), headers: response.headers };
    });
  }

  /** Sends a request and returns the beginning answer, whose body the caller reads. `signal` ends the reading too. */
  async opened(request: S3Request): Promise<Response> {
    const { signal } = request;
    return this.#retried(
      request,
      async (limited, release) => {
        const response = await this.#send(request, limited);
        release();
        return response;
      },
      signal,
    );
  }

  async #retried<T>(
    { signal, body }: S3Request,
    act: (signal: AbortSignal, release: () => void) => Promise<T>,
    ends: AbortSignal | undefined = signal,
  ): Promise<T> {
    const { retries, firstPauseMs } = this.limits;
    const limitMs = body === undefined ? this.limits.requestMs : this.limits.uploadMs;
    for (let attempt = 0; ; attempt += 1) {
      const limit = new AbortController();
      const timer = setTimeout(() => limit.abort(), limitMs);
      try {
        const signals = ends === undefined ? [limit.signal] : [limit.signal, ends];
        return await act(AbortSignal.any(signals), () => clearTimeout(timer));
      } catch (error) {
        if (signal?.aborted === true)
          throw new Failure('cancelled', { what: this.place, why: 'it was cancelled' }, error);
        const failure = limit.signal.aborted ? this.#late(limitMs) : this.#failure(error);
        if (attempt >= retries || !mayPass(failure)) throw failure;
      } finally {
        clearTimeout(timer);
      }
      await delay(firstPauseMs * 2 ** attempt * (0.5 + Math.random() / 2));
    }
  }

  async #send({ method, key, query = {}, body }: S3Request, signal: AbortSignal): Promise<Response> {
    const url = new URL(key === '' ? this.#base : `${this.#base}/${key}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const { accessKeyId, secretAccessKey, region } = this.#access;
    const signed = await new AwsV4Signer({
      method,
      url: url.href,
      // The server refuses a body that was changed on its way.
      headers: { 'x-amz-content-sha256': sha256(body ?? new Uint8Array()) },
      ...(body === undefined ? {} : { body }),
      accessKeyId,
      secretAccessKey,
      region,
      service: 's3',
    }).sign();
    const response = await fetch(signed.url, {
      method,
      headers: signed.headers,
      // A redirect would send the signed request elsewhere.
      redirect: 'manual',
      signal,
      ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
    });
    if (response.status >= 200 && response.status < 300) return response;
    const answer = await bounded(response).catch(() => '');
    throw new S3Refusal(this.place, response.status, text(answer, 'Code') ?? '');
  }

  #failure(error: unknown): Failure {
    if (error instanceof Failure) return error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const why = cause instanceof Error && code === '' ? cause.message : code;
    return new Failure(
      'store-unavailable',
      { what: this.place, why: `the server does not answer (${printable(why)})`, next: 'check backups.s3.endpoint' },
      error,
    );
  }

  #late(limitMs: number): Failure {
    return new Failure('store-unavailable', {
      what: this.place,
      why: `the server did not answer within ${durationInWords(limitMs)}`,
    });
  }
}

/** Whether another attempt may succeed: no answer, too many requests, or an error of the server. */
function mayPass(failure: Failure): boolean {
  if (failure instanceof S3Refusal) return failure.status === 429 || failure.status >= 500;
  return failure.code === 'store-unavailable';
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Reads a whole document. Throws for one that is too large. */
async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxDocumentBytes) throw new Error(`it answered with more than ${maxDocumentBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
