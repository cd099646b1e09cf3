/** The data types of the SSH wire format that keys, certificates and signatures are made of (RFC 4251, section 5). */

/** What is read is not what was expected: a clause for people, that quotes nothing of the bytes. */
export class WireFault extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'WireFault';
  }
}

/** Reads fields one after the other. Throws {@link WireFault} at the first that is not there in full. */
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
    if (end > this.#bytes.length) throw new WireFault('it is cut short');
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

  /** Throws where something is left. */
  end(): void {
    if (!this.atEnd) throw new WireFault('there is something left over at its end');
  }
}

/** A string with its length in front. */
export function wireString(value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
