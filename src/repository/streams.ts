/** The streams between an export and what is stored of it: compression, encryption, and what is counted of them. */
import { createHash } from 'node:crypto';
import { PassThrough, Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';
import { Decrypter, Encrypter } from 'age-encryption';
import type { AgeIdentity } from '../domain/values/age.ts';
import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/text.ts';

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

/** Waits for all, and rejects with the failure that came first. Nothing runs on when it returns. */
export async function together<T extends readonly unknown[]>(
  works: readonly [...{ readonly [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  let first: { readonly error: unknown } | undefined;
  const noted = works.map((work) =>
    work.catch((error: unknown) => {
      first ??= { error };
      return undefined;
    }),
  );
  const values = await Promise.all(noted);
  if (first !== undefined) throw (first as { error: unknown }).error;
  return values as unknown as T;
}

/** Compresses a stream, and encrypts it to the recipients if there are any. */
export function encoded(source: Readable, recipients: readonly string[], plain: Meter, stored: Meter): Readable {
  const out = new PassThrough();
  const stages = [source, plain, createZstdCompress()] as const;
  const work =
    recipients.length === 0
      ? pipeline(...stages, stored, out)
      : pipeline(...stages, (chunks: AsyncIterable<Uint8Array>) => encrypted(chunks, recipients), stored, out);
  // The error reaches the reader of `out`.
  work.catch((error: unknown) => out.destroy(asError(error)));
  return out;
}

/** Reverses {@link encoded}. `identity` is needed for an encrypted stream. */
export function decoded(source: Readable, identity: AgeIdentity | undefined, stored: Meter, plain: Meter): Readable {
  const out = new PassThrough();
  const work =
    identity === undefined
      ? pipeline(source, stored, createZstdDecompress(), plain, out)
      : pipeline(
          source,
          stored,
          (chunks: AsyncIterable<Uint8Array>) => decrypted(chunks, identity),
          createZstdDecompress(),
          plain,
          out,
        );
  work.catch((error: unknown) => out.destroy(asError(error)));
  return out;
}

async function* encrypted(
  chunks: AsyncIterable<Uint8Array>,
  recipients: readonly string[],
): AsyncGenerator<Uint8Array> {
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
