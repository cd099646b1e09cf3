/**
 * Reads a backup from Incus, and makes an instance of one: `GET /1.0/instances/NAME/backups/NAME/export` and
 * `POST /1.0/instances` (REST API of Incus 6.0). Backups are too large for a message or for memory.
 */
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import { printable, quoted } from '../../domain/text.ts';
import { durationInWords } from '../../domain/values/duration.ts';
import { callIncus, unavailable } from './socket.ts';

export interface InstanceFromBackup {
  /** Name of the new instance. */
  readonly name: string;
  readonly pool: string;
  /** The archive. It is read to its end, or destroyed. */
  readonly source: Readable;
  /** How long Incus may take to unpack it, in milliseconds. */
  readonly timeoutMs: number;
}

/** How long a connection may pause, in milliseconds. Incus reads and writes its own disk. */
const idleMs = 300_000;

const maxReplyBytes = 64 * 1024;

const begun = z.object({
  error: z
    .string()
    .nullish()
    .transform((text) => text ?? ''),
  metadata: z.object({ id: z.uuid() }).nullish(),
});
const ended = z.object({
  err: z
    .string()
    .nullish()
    .transform((text) => text ?? ''),
  status: z.string().default(''),
});

function paused(): Failure {
  return unavailable(`its server paused for more than ${durationInWords(idleMs)}`);
}

function begin(
  socketPath: string,
  path: string,
  method: 'GET' | 'POST',
  headers: Record<string, string>,
): ClientRequest {
  const sent = request({ socketPath, path, method, agent: false, headers: { host: 'incus', ...headers } });
  sent.setTimeout(idleMs, () => sent.destroy(paused()));
  return sent;
}

async function answerOf(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve);
    // The listener stays: an unhandled error event ends the process.
    sent.on('error', (error) =>
      reject(error instanceof Failure ? error : unavailable('its server does not answer', error)),
    );
  });
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxReplyBytes) throw unexpected('its answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function unexpected(why: string, cause?: unknown): Failure {
  return new Failure('unexpected-output', { what: 'Incus', why }, cause);
}

function parsed<T>(schema: z.ZodType<T>, text: string): T {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw unexpected('its answer is not JSON', error);
  }
  const { data, error } = schema.safeParse(document);
  if (data === undefined) throw unexpected('its answer has an unexpected format', error);
  return data;
}

/** See `IncusStreams.readBackup`. */
export async function readBackup(socketPath: string, instance: string, backup: string): Promise<Readable> {
  const [name, id] = [encodeURIComponent(instance), encodeURIComponent(backup)];
  const sent = begin(socketPath, `/1.0/instances/${name}/backups/${id}/export`, 'GET', {});
  const waiting = answerOf(sent);
  sent.end();
  const answer = await waiting;
  if (answer.statusCode === 200) return answer;
  const { error } = parsed(begun, await textOf(answer));
  const code = answer.statusCode === 404 ? 'not-found' : 'program-failed';
  throw new Failure(code, { what: `the export of ${quoted(instance)}`, why: printable(error) });
}

/** See `IncusStreams.createFromBackup`. */
export async function createFromBackup(socketPath: string, wanted: InstanceFromBackup): Promise<void> {
  const { name, pool, source, timeoutMs } = wanted;
  const sent = begin(socketPath, '/1.0/instances', 'POST', {
    'content-type': 'application/octet-stream',
    'x-incus-name': name,
    'x-incus-pool': pool,
  });
  const waiting = answerOf(sent);
  waiting.catch(() => undefined);
  let early: unknown;
  try {
    await pipeline(source, sent);
  } catch (error) {
    early = error;
  }
  // Incus may refuse before it has read everything. What went wrong with the source counts more than the cut request.
  if (source.errored instanceof Failure) throw source.errored;
  const answer = await waiting.catch((error: unknown) => {
    throw early instanceof Failure ? early : error;
  });
  const { error, metadata } = parsed(begun, await textOf(answer));
  const what = `instance ${quoted(name)}`;
  if (error !== '') throw new Failure('program-failed', { what, why: printable(error), details: { stderr: error } });
  if (metadata?.id === undefined) throw unexpected('it began no operation');
  const path = `/1.0/operations/${metadata.id}/wait`;
  const reply = await callIncus(socketPath, { method: 'GET', path, timeoutMs });
  const { data } = ended.safeParse(reply.metadata);
  const failed = reply.error !== '' ? reply.error : data?.err;
  if (data?.status !== 'Success' || failed !== '')
    throw new Failure('program-failed', {
      what,
      why: printable(failed ?? 'it was not made'),
      details: { stderr: failed },
    });
}

/**
 * Returns the free space of the disk where Incus writes backups; undefined if that is elsewhere (Incus documentation,
 * `storage.backups_volume`, is not looked at).
 */
export async function freeForBackups(socketPath: string): Promise<number | undefined> {
  const folder = socketPath.startsWith('/run/') ? '/var/lib/incus' : dirname(socketPath);
  const found = await statfs(join(folder, 'backups')).catch(() => undefined);
  return found === undefined ? undefined : found.bavail * found.bsize;
}
