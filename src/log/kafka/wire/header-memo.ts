import type { RecordHeader } from '../../../domain/record.ts';
import type { ByteReader } from './byte-reader.ts';

/** Longer values are told apart by themselves. Bytes. */
const MAX_ALIKE = 64;

/**
 * Reads the headers of one batch's records. Records of one producer have the same names in the same places, and most of
 * their values: what is as in the record before is the same object again, which halves the cost of decoding. It lives no
 * longer than its batch, whose bytes it shares.
 */
export class HeaderMemo {
  readonly #last: RecordHeader[] = [];

  /** The header at `reader`, the record's `index`th. */
  read(reader: ByteReader, index: number): RecordHeader {
    const last = this.#last[index];
    const nameBytes = reader.readVarint();
    const nameAt = reader.skip(nameBytes);
    const valueBytes = reader.readVarint();
    const valueAt = valueBytes < 0 ? reader.at : reader.skip(valueBytes);
    const isKnown = last !== undefined && isText(reader.bytes, nameAt, nameBytes, last.key);
    if (isKnown && last.value !== null && isSame(reader.bytes, valueAt, valueBytes, last.value)) return last;
    const key = isKnown ? last.key : reader.bytes.toString('utf8', nameAt, nameAt + nameBytes);
    const value = valueBytes < 0 ? null : reader.bytes.subarray(valueAt, valueAt + valueBytes);
    const header = { key, value };
    this.#last[index] = header;
    return header;
  }
}

/** Whether the bytes are `text`, of ASCII; false for any other text. */
function isText(bytes: Buffer, at: number, length: number, text: string): boolean {
  if (text.length !== length) return false;
  for (let index = 0; index < length; index += 1) {
    const byte = bytes[at + index] ?? 0;
    if (byte >= 0x80 || byte !== text.charCodeAt(index)) return false;
  }
  return true;
}

function isSame(bytes: Buffer, at: number, length: number, value: Buffer): boolean {
  if (value.length !== length || length > MAX_ALIKE) return false;
  for (let index = 0; index < length; index += 1) {
    if (bytes[at + index] !== value[index]) return false;
  }
  return true;
}
