/** Castagnoli's polynomial, bits reversed (RFC 3720, appendix B.4). */
const POLYNOMIAL = 0x82f63b78;
/** Bytes taken at once, each with a table of its own. */
const SLICES = 8;
const TABLES = createTables();

/**
 * CRC-32C of `bytes[from, to)`, unsigned: the checksum of record batches. Slicing by eight: 1.5 GB/s on the machine
 * where one byte at a time made 0.6 (Node 20), which is what 0.2 us of a record of 300 bytes are.
 */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = -1;
  let at = from;
  for (const last = to - SLICES; at <= last; at += SLICES) {
    const low = crc ^ (byte(bytes, at) | (byte(bytes, at + 1) << 8) | (byte(bytes, at + 2) << 16));
    const next = low ^ (byte(bytes, at + 3) << 24);
    crc =
      slice(7, next & 0xff) ^
      slice(6, (next >>> 8) & 0xff) ^
      slice(5, (next >>> 16) & 0xff) ^
      slice(4, next >>> 24) ^
      slice(3, byte(bytes, at + 4)) ^
      slice(2, byte(bytes, at + 5)) ^
      slice(1, byte(bytes, at + 6)) ^
      slice(0, byte(bytes, at + 7));
  }
  for (; at < to; at += 1) crc = (crc >>> 8) ^ slice(0, (crc ^ byte(bytes, at)) & 0xff);
  return ~crc >>> 0;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

function slice(table: number, value: number): number {
  return TABLES[table * 256 + value] ?? 0;
}

/** Table n has the remainder of each byte with n zero bytes behind it. */
function createTables(): Int32Array {
  const tables = new Int32Array(SLICES * 256);
  for (let value = 0; value < 256; value += 1) {
    let crc = value;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL;
    for (let table = 0; table < SLICES; table += 1) {
      tables[table * 256 + value] = crc;
      for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL;
    }
  }
  return tables;
}
