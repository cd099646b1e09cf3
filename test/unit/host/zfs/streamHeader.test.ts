/** The first record of a stream of `zfs send`, as zfs 2.1.11 wrote it. */
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { checkedHeader, headerBytes, parseHeader, type StreamHeader } from '../../../../src/host/zfs/streamHeader.ts';

const real = Buffer.concat([
  Buffer.from(
    '0000000000000000accbbaf5020000001100000000000000b5e50c6b00000000020000000c0000005678e01ececf1e050000000000000000742f6140736e6170',
    'hex',
  ),
  Buffer.alloc(headerBytes - 64),
]);
const guid = '368960703679199318';

function changed(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(real);
  change(bytes);
  return bytes;
}

describe('the header of a stream of ZFS', () => {
  it('says which snapshot it makes, and on which it builds', () => {
    expect(parseHeader(real)).toEqual({ guid, fromGuid: '0' });
    const increment = changed((bytes) => bytes.writeBigUInt64LE(17056331531437874643n, 48));
    expect(parseHeader(increment)).toEqual({ guid, fromGuid: '17056331531437874643' });
  });

  it.each<readonly [string, string, (bytes: Buffer) => void]>([
    ['is a package with properties and children', 'package', (bytes) => bytes.writeBigUInt64LE(0x12n, 16)],
    ['is of no kind', 'package', (bytes) => bytes.writeBigUInt64LE(0x10n, 16)],
    ['carries properties', 'properties', (bytes) => bytes.writeUInt32LE(200, 4)],
    ['is raw', 'features', (bytes) => bytes.writeBigUInt64LE(1n | (1n << 26n), 16)],
    ['is redacted', 'features', (bytes) => bytes.writeBigUInt64LE(1n | (1n << 23n), 16)],
    ['goes on with another one', 'features', (bytes) => bytes.writeBigUInt64LE(1n | (1n << 22n), 16)],
    ['has a feature that nobody knows yet', 'features', (bytes) => bytes.writeBigUInt64LE(1n | (1n << 63n), 16)],
    ['is that of a volume', 'file system', (bytes) => bytes.writeUInt32LE(3, 32)],
    ['begins with another record', 'no stream', (bytes) => bytes.writeUInt32LE(1, 0)],
    ['comes from a machine with another byte order', 'byte order', (bytes) => bytes.subarray(8, 16).reverse()],
  ])('is refused if the stream %s', (_, why, change) => {
    expect(() => parseHeader(changed(change))).toThrow(why);
  });
});

describe('a stream whose header is checked', () => {
  const pass = async (chunks: readonly Buffer[], check: (header: StreamHeader) => void = () => undefined) => {
    const passed: Buffer[] = [];
    for await (const chunk of checkedHeader(Readable.from(chunks, { objectMode: false }), check)) passed.push(chunk);
    return Buffer.concat(passed);
  };

  it('passes whole, in whatever pieces it comes', async () => {
    const whole = Buffer.concat([real, Buffer.from('the rest')]);
    expect(await pass([whole])).toEqual(whole);
    expect(await pass([...whole].map((byte) => Buffer.from([byte])))).toEqual(whole);
  });

  it('passes not a byte before the check', async () => {
    const seen: Buffer[] = [];
    const refused = (async () => {
      const stream = checkedHeader(Readable.from([real, real], { objectMode: false }), () => {
        throw new Error('no');
      });
      for await (const chunk of stream) seen.push(chunk);
    })();
    await expect(refused).rejects.toThrow('no');
    expect(seen).toEqual([]);
  });

  it('is refused if it is cut in the header, or empty', async () => {
    await expect(pass([real.subarray(0, 100)])).rejects.toThrow('cut');
    await expect(pass([])).rejects.toThrow('cut');
  });
});
