/**
 * Sends a document to a web server. What the server answers is not read. The address may have a secret in its path, as
 * those of chat services do, so failures name only the host.
 */
import { createHmac } from 'node:crypto';
import pRetry from 'p-retry';
import { Failure } from '../../domain/failure.ts';
import { readSecretFile } from '../secretFile.ts';

export interface Posting {
  readonly url: string;
  /** The same for all attempts, so that the receiver can drop what it has already. */
  readonly id: string;
  readonly document: unknown;
  readonly signal?: AbortSignal | undefined;
  /** The setting that names a file with a secret, and the path of the file. */
  readonly secret?: { readonly setting: string; readonly path: string } | undefined;
}

export interface PostLimits {
  /** Limit of one attempt, in milliseconds. */
  readonly attemptMs: number;
  /** Number of attempts after the first. */
  readonly retries: number;
  /** Time before the second attempt, in milliseconds. */
  readonly waitMs: number;
}

const defaultLimits: PostLimits = { attemptMs: 10_000, retries: 2, waitMs: 1000 };

/** Thrown for an answer that another attempt may change. */
class TryAgain extends Error {}

/**
 * Sends a document as JSON (POST). A redirect is not followed: it could lead to a host that the admin has not chosen.
 * Rejects with `undeliverable` if the server does not take it, `settings` for a secret that cannot be used, or
 * `cancelled`.
 */
export async function post(
  { url, id, document, signal, secret }: Posting,
  limits: PostLimits = defaultLimits,
): Promise<void> {
  const { origin } = new URL(url);
  const body = JSON.stringify(document);
  const key = secret === undefined ? undefined : signingKey(await readSecretFile(secret.setting, secret.path));
  const attempt = async (): Promise<void> => {
    const limit = AbortSignal.timeout(limits.attemptMs);
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...(key === undefined ? {} : signatureOf(key, id, body)) },
      redirect: 'manual',
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    }).catch((error: unknown) => {
      throw new TryAgain(reasonOf(error, limits.attemptMs), { cause: error });
    });
    await response.body?.cancel().catch(() => undefined);
    if (response.ok) return;
    const why = `it answers with status ${response.status}`;
    if (response.status >= 500 || response.status === 429) throw new TryAgain(why);
    const isRedirect = response.status >= 300 && response.status < 400;
    throw undeliverable(origin, isRedirect ? `${why}, a redirect, which is not followed` : why);
  };
  try {
    await pRetry(attempt, {
      retries: limits.retries,
      minTimeout: limits.waitMs,
      factor: 3,
      shouldRetry: ({ error }) => error instanceof TryAgain && signal?.aborted !== true,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw new Failure('cancelled', { what: origin, why: 'it was cancelled' });
    throw error instanceof TryAgain ? undeliverable(origin, error.message, error) : error;
  }
}

function undeliverable(origin: string, why: string, cause?: unknown): Failure {
  return new Failure('undeliverable', { what: origin, why, next: 'check the address in the configuration' }, cause);
}

/** Returns why no answer came. What undici says is in the cause. */
function reasonOf(error: unknown, attemptMs: number): string {
  if (!(error instanceof Error)) return 'it cannot be reached';
  if (error.name === 'TimeoutError') return `it did not answer within ${attemptMs / 1000} s`;
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  return `it cannot be reached${code === undefined ? '' : ` (${code})`}`;
}

/** Returns the key of a secret as Standard Webhooks write it: base64 after `whsec_`. Another text is its own key. */
function signingKey(text: string): Buffer {
  const [, encoded] = /^whsec_([A-Za-z0-9+/=]+)$/.exec(text.trim()) ?? [];
  return encoded === undefined ? Buffer.from(text.trim()) : Buffer.from(encoded, 'base64');
}

/** Returns the headers of a signed request (Standard Webhooks 1.0, "Signature scheme"). */
function signatureOf(key: Buffer, id: string, body: string): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
