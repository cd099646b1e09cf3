/**
 * The first record of a stream of `zfs send` (struct drr_begin in include/sys/zfs_ioctl.h of OpenZFS). An attacker
 * who can write to the store can write a stream, and zfs receives more than snapshots: properties, children,
 * volumes. So only a plain stream of one file system passes, of the snapshots that are expected.
 */
import type { Readable } from 'node:stream';

/** The record has this many bytes. */
export const headerBytes = 312;

export interface StreamHeader {
  /** Guid of the snapshot that the stream makes, in decimal digits. */
  readonly guid: string;
  /** Guid of the snapshot on which it builds; `0` for a full stream. */
  readonly fromGuid: string;
}

const magic = 0x2f5bacbacn;
const begin = 0;
const fileSystem = 2;
/** The low two bits of the version: a stream of one snapshot, and not a package of several with their properties. */
const substream = 1n;
/** Features of streams without special options: spilled attributes, embedded data, lz4, large blocks, zstd, dnodes. */
const features = [2, 16, 17, 19, 22, 23, 25, 27].reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n);

/** Parses the record. Throws a sentence about the stream. */
export function parseHeader(bytes: Buffer): StreamHeader {
  if (bytes.length < headerBytes) throw new Error('the stream is cut');
  if (bytes.readUInt32LE(0) !== begin || bytes.readBigUInt64LE(8) !== magic)
    throw new Error('it is no stream of zfs send of a machine with this byte order');
  if (bytes.readUInt32LE(4) !== 0) throw new Error('the stream begins with properties');
  const version = bytes.readBigUInt64LE(16);
  if ((version & 3n) !== substream) throw new Error('the stream is a package of several');
  // 30 bits of features stand above the type; the rest is not used.
  if (((version >> 2n) & ~features) !== 0n) throw new Error('the stream has features that no backup has');
  if (bytes.readUInt32LE(32) !== fileSystem) throw new Error('the stream is not that of a file system');
  return { guid: String(bytes.readBigUInt64LE(40)), fromGuid: String(bytes.readBigUInt64LE(48)) };
}

/** Passes a stream on after `check` has seen its header. */
export async function* checkedHeader(source: Readable, check: (header: StreamHeader) => void): AsyncGenerator<Buffer> {
  let first: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of source as AsyncIterable<Buffer>) {
    if (first === undefined) {
      yield chunk;
      continue;
    }
    first = Buffer.concat([first, chunk]);
    if (first.length < headerBytes) continue;
    check(parseHeader(first));
    yield first;
    first = undefined;
  }
  if (first !== undefined) check(parseHeader(first));
}
