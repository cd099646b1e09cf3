/** Backups in a bucket of an S3-compatible store (Amazon S3 API Reference). The bucket is addressed in the path. */
import { Readable } from 'node:stream';
import { Failure } from '../../domain/failure.ts';
import { plural } from '../../domain/text.ts';
import { defaultS3Limits, S3Refusal, S3Requests, type S3Access, type S3Limits } from './s3Requests.ts';
import { abandon, isKey, notStored, requireKey, type Store, type StoredObject } from './store.ts';
import { escaped, text, texts } from './xml.ts';

export interface S3StoreOptions extends S3Access {
  /** Begins every key in the bucket; without a slash at its end. */
  readonly prefix: string;
  readonly limits?: S3Limits;
  /** Returns the size of a part by its number, which begins with 1, in bytes. */
  readonly partBytes?: (part: number) => number;
}

const mib = 1024 * 1024;
/** S3 allows 10,000 parts, so later parts are larger: 500 GiB in all. Each is in memory while it is sent. */
const defaultPartBytes = (part: number): number => (part <= 2000 ? 16 * mib : 64 * mib);
const maxParts = 10_000;

/** More keys than that are not the backups of one host. */
const maxListed = 1_000_000;

export class S3Store implements Store {
  readonly name = 's3';
  readonly place: string;
  readonly #requests: S3Requests;
  readonly #prefix: string;
  readonly #partBytes: (part: number) => number;

  constructor({ prefix, limits = defaultS3Limits, partBytes = defaultPartBytes, ...access }: S3StoreOptions) {
    this.#requests = new S3Requests(access, limits);
    this.#prefix = `${prefix}/`;
    this.#partBytes = partBytes;
    this.place = this.#requests.place;
  }

  async put(key: string, source: Readable, signal?: AbortSignal): Promise<void> {
    requireKey(key);
    try {
      const parts = inParts(source, this.#partBytes);
      const first = await parts.next();
      const second = await parts.next();
      const body = first.done === true ? new Uint8Array() : first.value;
      if (second.done === true) await this.#requests.document({ method: 'PUT', key: this.#path(key), body, signal });
      else await this.#putParts(key, whole(body, second.value, parts), signal);
    } catch (error) {
      const failure = Failure.from(error);
      abandon(source, failure);
      throw failure;
    }
  }

  /** Uploads parts, one after the other, and joins them. A cut upload is aborted, because its parts cost money. */
  async #putParts(key: string, parts: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
    const path = this.#path(key);
    const { text: begun } = await this.#requests.document({
      method: 'POST',
      key: path,
      query: { uploads: '' },
      signal,
    });
    const uploadId = text(begun, 'UploadId') ?? '';
    if (uploadId === '') throw this.#unexpected('it began an upload without an id');
    try {
      const tags: string[] = [];
      for await (const body of parts) {
        if (tags.length === maxParts)
          throw new Failure('no-space', { what: this.place, why: `an object has ${maxParts} parts at most` });
        const query = { partNumber: String(tags.length + 1), uploadId };
        const { headers } = await this.#requests.document({ method: 'PUT', key: path, query, body, signal });
        tags.push(headers.get('etag') ?? '');
      }
      await this.#complete(path, uploadId, tags, signal);
    } catch (error) {
      await this.#abort(path, uploadId).catch(() => undefined);
      throw error;
    }
  }

  async #complete(path: string, uploadId: string, tags: readonly string[], signal?: AbortSignal): Promise<void> {
    const parts = tags.map((tag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${escaped(tag)}</ETag></Part>`);
    const body = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`);
    const { text: answer } = await this.#requests.document({
      method: 'POST',
      key: path,
      query: { uploadId },
      body,
      signal,
    });
    // The server answers before it has joined the parts, so its status is no answer (CompleteMultipartUpload).
    if (texts(answer, 'ETag').length === 0)
      throw this.#unexpected(`it did not join the parts: ${text(answer, 'Code') ?? ''}`);
  }

  async #abort(path: string, uploadId: string): Promise<void> {
    await this.#requests.document({ method: 'DELETE', key: path, query: { uploadId } });
  }

  async get(key: string, signal?: AbortSignal): Promise<Readable> {
    requireKey(key);
    const stopped = new AbortController();
    const ends = signal === undefined ? stopped.signal : AbortSignal.any([stopped.signal, signal]);
    try {
      const { body } = await this.#requests.opened({ method: 'GET', key: this.#path(key), signal: ends });
      return Readable.from(this.#chunks(body, stopped), { objectMode: false });
    } catch (error) {
      if (error instanceof S3Refusal && error.status === 404 && error.reason !== 'NoSuchBucket')
        throw notStored(this.place, key);
      throw error;
    }
  }

  /** Yields an answer's body, and stops one that pauses for too long. */
  async *#chunks(body: AsyncIterable<Uint8Array> | null, stopped: AbortController): AsyncGenerator<Uint8Array> {
    const { idleMs } = this.#requests.limits;
    let timer = setTimeout(() => stopped.abort(), idleMs);
    try {
      for await (const chunk of body ?? []) {
        clearTimeout(timer);
        yield chunk;
        timer = setTimeout(() => stopped.abort(), idleMs);
      }
    } catch (error) {
      const why = stopped.signal.aborted ? 'the server stopped sending' : 'the connection was lost';
      throw new Failure('store-unavailable', { what: this.place, why, next: 'try again' }, error);
    } finally {
      clearTimeout(timer);
      stopped.abort();
    }
  }

  async list(prefix: string, signal?: AbortSignal): Promise<StoredObject[]> {
    if (prefix !== '') requireKey(prefix);
    const found: StoredObject[] = [];
    let next: string | undefined;
    do {
      const { text: page } = await this.#requests.document({
        method: 'GET',
        key: '',
        query: {
          'list-type': '2',
          prefix: `${this.#prefix}${prefix}`,
          ...(next === undefined ? {} : { 'continuation-token': next }),
        },
        signal,
      });
      if (!page.includes('<ListBucketResult')) throw this.#unexpected('its list of objects has an unexpected format');
      found.push(...texts(page, 'Contents').flatMap((entry) => this.#object(entry)));
      const isCut = text(page, 'IsTruncated') === 'true';
      next = isCut ? text(page, 'NextContinuationToken') : undefined;
      if (isCut && next === undefined) throw this.#unexpected('its list of objects is cut');
      if (found.length > maxListed) throw this.#unexpected(`it lists more than ${plural(maxListed, 'object')}`);
    } while (next !== undefined);
    return found;
  }

  /** Returns an entry of a list, or nothing for one that no backup can have. */
  #object(entry: string): StoredObject[] {
    const path = text(entry, 'Key') ?? '';
    const key = path.slice(this.#prefix.length);
    const bytes = Number(text(entry, 'Size'));
    const modifiedAt = new Date(text(entry, 'LastModified') ?? '');
    const isOurs = path.startsWith(this.#prefix) && isKey(key) && Number.isSafeInteger(bytes);
    return isOurs && !Number.isNaN(modifiedAt.getTime()) ? [{ key, bytes, modifiedAt }] : [];
  }

  async delete(key: string): Promise<void> {
    requireKey(key);
    await this.#requests.document({ method: 'DELETE', key: this.#path(key) }).catch((error: unknown) => {
      if (!(error instanceof S3Refusal && error.reason === 'NoSuchKey')) throw error;
    });
  }

  async clear(prefix: string): Promise<void> {
    requireKey(prefix);
    for (const { key } of await this.list(prefix)) await this.delete(key);
    await this.#abortUploads(prefix, undefined);
  }

  async sweep(before: Date): Promise<void> {
    await this.#abortUploads('', before);
  }

  /** Aborts the uploads that were begun before a time, or all. */
  async #abortUploads(prefix: string, before: Date | undefined): Promise<void> {
    const query = { uploads: '', prefix: `${this.#prefix}${prefix}` };
    const page = await this.#requests.document({ method: 'GET', key: '', query }).then(
      ({ text: answer }) => answer,
      (error: unknown) => {
        // Not every server has a list of uploads; those that have none drop old ones themselves.
        if (error instanceof S3Refusal && [400, 404, 405, 501].includes(error.status)) return '';
        throw error;
      },
    );
    for (const upload of texts(page, 'Upload')) {
      const [path, id] = [text(upload, 'Key') ?? '', text(upload, 'UploadId') ?? ''];
      const begun = new Date(text(upload, 'Initiated') ?? '');
      if (id === '' || !path.startsWith(query.prefix) || !isKey(path)) continue;
      if (before === undefined || begun < before) await this.#abort(path, id);
    }
  }

  /** A bucket does not tell before something is stored. */
  requireWritable(): Promise<void> {
    return Promise.resolve();
  }

  /** A bucket has no size. */
  freeBytes(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  #path(key: string): string {
    return `${this.#prefix}${key}`;
  }

  #unexpected(why: string): Failure {
    return new Failure('store-unavailable', { what: this.place, why, next: 'check that it is an S3 server' });
  }
}

/** Cuts a stream into parts, all but the last of the wanted sizes. */
async function* inParts(source: Readable, sizeOf: (part: number) => number): AsyncGenerator<Uint8Array, void> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let part = 1;
  for await (const chunk of source) {
    let rest = chunk as Buffer;
    while (bytes + rest.length >= sizeOf(part)) {
      const taken = rest.subarray(0, sizeOf(part) - bytes);
      yield Buffer.concat([...chunks, taken]);
      rest = rest.subarray(taken.length);
      chunks = [];
      bytes = 0;
      part += 1;
    }
    if (rest.length > 0) chunks.push(rest);
    bytes += rest.length;
  }
  if (bytes > 0) yield Buffer.concat(chunks);
}

async function* whole(
  first: Uint8Array,
  second: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield first;
  yield second;
  yield* rest;
}
