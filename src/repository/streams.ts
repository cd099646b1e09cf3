/** The streams between an export and what is stored of it: compression, encryption, and what is counted of them. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough, Readable, Transform, type TransformCallback } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';
import type { AgeIdentity } from '../domain/values/age.ts';
import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/text.ts';
import type { BackupName, Part } from './layout.ts';
import { damaged, type StoredStream } from './manifest.ts';

/** Size of the pieces that (de)compression makes, in bytes. Small ones cost more time than what is done with them. */
const chunkSize = 256 * 1024;

/** Passes bytes on, counts them and makes their checksum. With `maxBytes`, more than that is an error. */
export class Meter extends Transform {
  readonly #hash = createHash('sha256');
  readonly #maxBytes: number;
  #bytes = 0;
  #digest: string | undefined;

  constructor(maxBytes = Infinity) {
    super();
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The checksum, when all bytes have passed. */
  get sha256(): string {
    return (this.#digest ??= this.#hash.digest('hex'));
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#bytes += chunk.length;
    this.#hash.update(chunk);
    if (this.#bytes > this.#maxBytes) done(new Error(`more than ${this.#maxBytes} bytes`));
    else done(null, chunk);
  }
}

/** Returns what measures a part as it was made and as it is stored; `plain` is given where something else feeds it. */
export function newMeters(plain = new Meter()): { readonly plain: Meter; readonly stored: Meter } {
  return { plain, stored: new Meter() };
}

export function measured({ plain, stored }: ReturnType<typeof newMeters>): StoredStream {
  return {
    plainBytes: plain.bytes,
    plainSha256: plain.sha256,
    storedBytes: stored.bytes,
    storedSha256: stored.sha256,
  };
}

/** Waits for all, and rejects with the failure that came first. Nothing runs on when it returns. */
export async function together<T>(works: readonly Promise<T>[]): Promise<T[]> {
  let first: { readonly error: unknown } | undefined;
  const noted = works.map((work) =>
    work.catch((error: unknown) => {
      first ??= { error };
      return undefined;
    }),
  );
  const values = await Promise.all(noted);
  if (first !== undefined) throw (first as { error: unknown }).error;
  return values as T[];
}

/** Compresses a stream, and encrypts it to the recipients if there are any. */
export function encoded(source: Readable, recipients: readonly string[], plain: Meter, stored: Meter): Readable {
  const compressed = new PassThrough();
  linked(pipeline(source, plain, createZstdCompress({ chunkSize }), compressed), compressed);
  return sealed(compressed, recipients, stored);
}

/** Encrypts a compressed stream to the recipients if there are any. */
export function sealed(compressed: Readable, recipients: readonly string[], stored: Meter): Readable {
  const out = new PassThrough();
  const work =
    recipients.length === 0
      ? pipeline(compressed, stored, out)
      : pipeline(compressed, (chunks: AsyncIterable<Uint8Array>) => encrypted(chunks, recipients), stored, out);
  return linked(work, out);
}

/** Lets the error of a pipeline reach the reader of its end. */
function linked(work: Promise<void>, out: PassThrough): PassThrough {
  work.catch((error: unknown) => out.destroy(asError(error)));
  return out;
}

/** A stream that is read twice. */
export interface Forked {
  /** The stream as it is, at the pace of the slower reader. */
  readonly original: Readable;
  /** The stream without its compression. `plain` measures it. */
  readonly expanded: Readable;
}

/** Reads a compressed stream once for two readers. An error of one ends the other. */
export function forked(source: Readable, plain: Meter): Forked {
  const copy = new PassThrough();
  const expanded = new PassThrough();
  const original = Readable.from(copying(source, copy), { objectMode: false });
  linked(pipeline(copy, createZstdDecompress({ chunkSize }), plain, expanded), expanded);
  original.on('error', (error) => copy.destroy(error));
  copy.on('error', (error) => original.destroy(error));
  return { original, expanded };
}

async function* copying(source: AsyncIterable<Buffer>, copy: PassThrough): AsyncGenerator<Buffer> {
  const left = finished(copy, { readable: false });
  left.catch(() => undefined);
  for await (const chunk of source) {
    if (copy.destroyed) await left;
    if (!copy.write(chunk)) await Promise.race([once(copy, 'drain'), left]);
    yield chunk;
  }
  copy.end();
}

/** Reverses {@link encoded}. `identity` is needed for an encrypted stream. */
export function decoded(source: Readable, identity: AgeIdentity | undefined, stored: Meter, plain: Meter): Readable {
  const out = new PassThrough();
  const work =
    identity === undefined
      ? pipeline(source, stored, createZstdDecompress({ chunkSize }), plain, out)
      : pipeline(
          source,
          stored,
          (chunks: AsyncIterable<Uint8Array>) => decrypted(chunks, identity),
          createZstdDecompress({ chunkSize }),
          plain,
          out,
        );
  return linked(work, out);
}

async function* encrypted(
  chunks: AsyncIterable<Uint8Array>,
  recipients: readonly string[],
): AsyncGenerator<Uint8Array> {
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch (error) {
      throw new Failure(
        'settings',
        {
          what: `recipient ${quoted(recipient, 80)}`,
          why: 'it is not a public key of age',
          next: 'correct backups.recipients in the configuration',
        },
        error,
      );
    }
  }
  yield* passed(chunks, (stream) => encrypter.encrypt(stream));
}

async function* decrypted(chunks: AsyncIterable<Uint8Array>, identity: AgeIdentity): AsyncGenerator<Uint8Array> {
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  try {
    for (const key of identity.reveal()) decrypter.addIdentity(key);
  } catch {
    // Its message could quote the key.
    throw new Failure('usage', { what: 'the identity', why: 'a key of it is not valid', next: 'give the whole file' });
  }
  yield* passed(chunks, async (stream) => {
    try {
      return await decrypter.decrypt(stream);
    } catch (error) {
      if (error instanceof Error && /no identity matched/i.test(error.message))
        throw new Failure('denied', {
          what: 'the identity',
          why: 'the backup is encrypted to other keys',
          next: 'give the identity of one of the recipients',
        });
      throw error;
    }
  });
}

async function* passed(
  chunks: AsyncIterable<Uint8Array>,
  through: (stream: globalThis.ReadableStream<Uint8Array>) => Promise<globalThis.ReadableStream<Uint8Array>>,
): AsyncGenerator<Uint8Array> {
  const input = Readable.toWeb(Readable.from(chunks, { objectMode: true }));
  const output = await through(input);
  yield* Readable.fromWeb(output);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** Passes a stream on, and calls `check` at its end. Errors of libraries become one about the backup. */
export function checkedAtEnd(name: BackupName, part: Part, chunks: Readable, check: () => void): Readable {
  const passed = async function* (): AsyncGenerator<Buffer> {
    try {
      yield* chunks as AsyncIterable<Buffer>;
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw damaged(name, `its ${part} cannot be read: ${error instanceof Error ? error.message : ''}`, error);
    }
    check();
  };
  return Readable.from(passed(), { objectMode: false });
}
