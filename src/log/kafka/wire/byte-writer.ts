/** Up to here a loop is faster than a call of the runtime's copy (Node 20). */
const SMALL_BYTES = 24;
/** A varint's length where it is guessed: bodies of 64 to 8,191 bytes. */
const GUESSED_LENGTH_BYTES = 2;
const INT32_MAX = 0x7fffffff;
const INT32_MIN = -0x80000000;

/** Writes the protocol's big-endian numbers, texts and varints one behind the other into bytes that grow. */
export class ByteWriter {
  #bytes: Buffer;
  #at = 0;

  /** `capacity`: bytes to begin with; a good guess saves copies. */
  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafe(Math.max(64, capacity));
  }

  /** How much has been written. */
  get length(): number {
    return this.#at;
  }

  /** What has been written, not copied: nothing more may be written. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  int8(value: number): void {
    this.#reserve(1);
    this.#at = this.#bytes.writeInt8(value, this.#at);
  }

  int16(value: number): void {
    this.#reserve(2);
    this.#at = this.#bytes.writeInt16BE(value, this.#at);
  }

  int32(value: number): void {
    this.#reserve(4);
    this.#at = this.#bytes.writeInt32BE(value, this.#at);
  }

  int64(value: bigint): void {
    this.#reserve(8);
    this.#at = this.#bytes.writeBigInt64BE(value, this.#at);
  }

  /** Leaves `count` bytes to be filled in later. Returns where they are. */
  skip(count: number): number {
    this.#reserve(count);
    const from = this.#at;
    this.#at += count;
    return from;
  }

  patchInt32(at: number, value: number): void {
    this.#bytes.writeInt32BE(value | 0, at);
  }

  /** NULLABLE_STRING: its length (int16) and UTF-8; -1 for null. */
  string(value: string | null): void {
    if (value === null) {
      this.int16(-1);
      return;
    }
    this.int16(Buffer.byteLength(value));
    this.utf8(value);
  }

  /** A signed 32-bit integer, zigzag. */
  varint(value: number): void {
    this.#reserve(5);
    this.#at = writeUnsigned(this.#bytes, this.#at, ((value << 1) ^ (value >> 31)) >>> 0);
  }

  /** A signed 64-bit integer, zigzag. */
  varlong(value: number | bigint): void {
    if (typeof value === 'number' && value >= INT32_MIN && value <= INT32_MAX) {
      this.varint(value);
      return;
    }
    this.#reserve(10);
    const wide = BigInt(value);
    let rest = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n));
    for (; rest > 0x7fn; rest >>= 7n) this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80;
    this.#bytes[this.#at++] = Number(rest);
  }

  utf8(value: string): void {
    // Three bytes a UTF-16 unit are the most.
    this.#reserve(value.length * 3);
    this.#at += this.#bytes.write(value, this.#at);
  }

  raw(value: Uint8Array): void {
    const { length } = value;
    this.#reserve(length);
    if (length > SMALL_BYTES) {
      this.#bytes.set(value, this.#at);
    } else {
      const bytes = this.#bytes;
      const from = this.#at;
      for (let at = 0; at < length; at += 1) bytes[from + at] = value[at] ?? 0;
    }
    this.#at += length;
  }

  /** Bytes or text with a varint of their length before them; -1 for null. */
  varintBytes(value: Uint8Array | string | null | undefined): void {
    if (value === null || value === undefined) {
      this.varint(-1);
    } else if (typeof value === 'string') {
      this.varint(Buffer.byteLength(value));
      this.utf8(value);
    } else {
      this.varint(value.length);
      this.raw(value);
    }
  }

  /** Begins what has a varint of its length before it. Returns what `endSized` is to be told. */
  beginSized(): number {
    return this.skip(GUESSED_LENGTH_BYTES);
  }

  /** Writes the length; where the guess of its size was wrong the body moves by the difference. */
  endSized(begin: number): void {
    const body = begin + GUESSED_LENGTH_BYTES;
    const length = this.#at - body;
    const moved = begin + sizeOfVarint(length);
    if (moved !== body) {
      this.#reserve(Math.max(0, moved - body));
      this.#bytes.copyWithin(moved, body, this.#at);
      this.#at += moved - body;
    }
    writeUnsigned(this.#bytes, begin, (length << 1) >>> 0);
  }

  #reserve(count: number): void {
    if (this.#at + count > this.#bytes.length) this.#grow(count);
  }

  #grow(count: number): void {
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + count));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}

/** Bytes of a length (>= 0) as a varint: zigzag leaves six bits for the first byte, seven for the others. */
function sizeOfVarint(length: number): number {
  if (length < 1 << 6) return 1;
  if (length < 1 << 13) return 2;
  if (length < 1 << 20) return 3;
  return length < 1 << 27 ? 4 : 5;
}

/** Seven bits a byte, the lowest first. Returns where the next byte goes. */
function writeUnsigned(bytes: Uint8Array, from: number, value: number): number {
  let at = from;
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at++] = rest;
  return at;
}
