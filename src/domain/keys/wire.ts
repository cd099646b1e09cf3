/** The data types of the SSH wire format used in keys, certificates and signatures (RFC 4251, section 5). */

/** An error that says why bytes are malformed, as a clause that quotes nothing from them. */
export class WireFault extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'WireFault';
  }
}

/** A sequential reader of fields. Throws {@link WireFault} at the first incomplete field. */
export class WireReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get offset(): number {
    return this.#offset;
  }

  get atEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  bytes(count: number): Buffer {
    const end = this.#offset + count;
    if (end > this.#bytes.length) throw new WireFault('truncated');
    const taken = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return taken;
  }

  string(): Buffer {
    return this.bytes(this.uint32());
  }

  uint32(): number {
    return this.bytes(4).readUInt32BE();
  }

  uint64(): bigint {
    return this.bytes(8).readBigUInt64BE();
  }

  /** Throws if there is more data. */
  end(): void {
    if (!this.atEnd) throw new WireFault('unexpected data at the end');
  }
}

/** Encodes a `string` field: the length, then the bytes. */
export function wireString(value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
