/** Bytes are not what the format says they are. The message says what is wrong, and never quotes the bytes. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

/** Reads big-endian numbers and varints (KIP-98, zigzag) one after the other. Past the end: MalformedError. */
export class ByteReader {
  readonly bytes: Buffer;
  /** The next byte to read. */
  at: number;
  readonly end: number;

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  readInt8(): number {
    return this.bytes.readInt8(this.skip(1));
  }

  readInt16(): number {
    return this.bytes.readInt16BE(this.skip(2));
  }

  readInt32(): number {
    return this.bytes.readInt32BE(this.skip(4));
  }

  readInt64(): bigint {
    return this.bytes.readBigInt64BE(this.skip(8));
  }

  /** A string behind its length in two bytes; null for a length of -1. */
  readString(): string | null {
    const length = this.readInt16();
    if (length < 0) return null;
    const from = this.skip(length);
    return this.bytes.toString('utf8', from, from + length);
  }

  /** Passes over so many bytes, and returns where they begin. */
  skip(length: number): number {
    const from = this.at;
    if (length < 0 || length > this.end - from) throw new MalformedError('it ends in the middle of a field');
    this.at = from + length;
    return from;
  }

  /** Up to 32 bits in at most five bytes; what is beyond them is dropped, as Java's `ByteUtils.readVarint` does. */
  readVarint(): number {
    const first = this.#next();
    if (first < 0x80) return (first >>> 1) ^ -(first & 1);
    let bits = first & 0x7f;
    for (let shift = 7; shift <= 28; shift += 7) {
      const byte = this.#next();
      bits |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (bits >>> 1) ^ -(bits & 1);
    }
    throw new MalformedError('a varint is too long');
  }

  /** Up to 64 bits in at most ten bytes; a bigint where it took more than four bytes. */
  readVarlong(): number | bigint {
    const from = this.at;
    let bits = 0;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#next();
      bits |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (bits >>> 1) ^ -(bits & 1);
    }
    this.at = from;
    return this.#readLongVarlong();
  }

  #readLongVarlong(): bigint {
    let bits = 0n;
    for (let shift = 0n; shift <= 63n; shift += 7n) {
      const byte = this.#next();
      bits |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        const unsigned = BigInt.asUintN(64, bits);
        return (unsigned >> 1n) ^ -(unsigned & 1n);
      }
    }
    throw new MalformedError('a varlong is too long');
  }

  #next(): number {
    if (this.at >= this.end) throw new MalformedError('it ends in the middle of a field');
    return this.bytes[this.at++] ?? 0;
  }
}
