import type { LogRecord, RecordHeader } from '../../../domain/record.ts';
import { ByteReader, MalformedError } from './byte-reader.ts';
import type { HeaderMemo } from './header-memo.ts';

/** A record that shares its bytes with the answer it came in. Its headers are read when they are first asked for. */
export class WireRecord implements LogRecord {
  readonly partition: number;
  readonly offset: bigint;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly #bytes: Buffer;
  /** Where the headers are; gone over once already, so that reading them cannot fail. */
  readonly #headersAt: number;
  readonly #headerCount: number;
  readonly #memo: HeaderMemo;
  #headers: readonly RecordHeader[] | undefined;

  /** `reader` stands behind the record's offset. */
  constructor(partition: number, offset: bigint, timestamp: number, reader: ByteReader, memo: HeaderMemo) {
    this.partition = partition;
    this.offset = offset;
    this.timestamp = timestamp;
    this.key = readBytes(reader);
    this.value = readBytes(reader);
    this.#bytes = reader.bytes;
    this.#memo = memo;
    this.#headerCount = reader.readVarint();
    this.#headersAt = reader.at;
    passHeaders(reader, this.#headerCount);
  }

  get headers(): readonly RecordHeader[] {
    this.#headers ??= this.#readHeaders();
    return this.#headers;
  }

  #readHeaders(): readonly RecordHeader[] {
    const headers: RecordHeader[] = [];
    const reader = new ByteReader(this.#bytes, this.#headersAt);
    for (let index = 0; index < this.#headerCount; index += 1) headers.push(this.#memo.read(reader, index));
    return headers;
  }
}

function readBytes(reader: ByteReader): Buffer | null {
  const length = reader.readVarint();
  if (length < 0) return null;
  const from = reader.skip(length);
  return reader.bytes.subarray(from, from + length);
}

function passHeaders(reader: ByteReader, count: number): void {
  if (count < 0) throw new MalformedError('its number of headers is negative');
  for (let index = 0; index < count; index += 1) {
    // A name has to be there; a value need not.
    reader.skip(reader.readVarint());
    const length = reader.readVarint();
    if (length > 0) reader.skip(length);
  }
}
