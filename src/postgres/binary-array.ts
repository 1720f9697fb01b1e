/**
 * One-dimensional arrays in PostgreSQL's binary format, so that a batch travels as one parameter a column without
 * being printed and parsed as text (BATCH.md: PostgreSQL 24-29 us an event instead of 33-41). Layout: array_recv in
 * src/backend/utils/adt/arrayfuncs.c: ndim, flags, element oid; per dimension length and lower bound; per element its
 * length (-1 = NULL) and bytes. The driver sends a Buffer as a binary parameter.
 */

const OID = { bool: 16, int8: 20, int2: 21, int4: 23, text: 25, json: 114, uuid: 2950 } as const;
const HEADER_BYTES = 20;

function header(target: Buffer, elementOid: number, length: number): void {
  // An empty array has no dimensions at all.
  target.writeInt32BE(length === 0 ? 0 : 1, 0);
  target.writeInt32BE(1, 4);
  target.writeInt32BE(elementOid, 8);
  if (length === 0) return;
  target.writeInt32BE(length, 12);
  target.writeInt32BE(1, 16);
}

function fixed(
  elementOid: number,
  size: number,
  values: readonly unknown[],
  write: (target: Buffer, index: number, at: number) => void,
): Buffer {
  if (values.length === 0) return empty(elementOid);
  let bytes = HEADER_BYTES;
  for (const value of values) bytes += value === null ? 4 : 4 + size;
  const target = Buffer.allocUnsafe(bytes);
  header(target, elementOid, values.length);
  let at = HEADER_BYTES;
  for (let index = 0; index < values.length; index++) {
    if (values[index] === null) {
      target.writeInt32BE(-1, at);
      at += 4;
    } else {
      target.writeInt32BE(size, at);
      write(target, index, at + 4);
      at += 4 + size;
    }
  }
  return target;
}

function empty(elementOid: number): Buffer {
  const target = Buffer.allocUnsafe(12);
  header(target, elementOid, 0);
  return target;
}

export function int8Array(values: readonly (bigint | null)[]): Buffer {
  return fixed(OID.int8, 8, values, (target, index, at) => target.writeBigInt64BE(values[index] ?? 0n, at));
}

/** An int8 array of safe integers given as numbers (milliseconds). */
export function int8ArrayOfNumbers(values: readonly (number | null)[]): Buffer {
  return fixed(OID.int8, 8, values, (target, index, at) => {
    const value = values[index] ?? 0;
    const high = Math.floor(value / 0x1_0000_0000);
    target.writeInt32BE(high, at);
    target.writeUInt32BE(value - high * 0x1_0000_0000, at + 4);
  });
}

export function int2Array(values: readonly (number | null)[]): Buffer {
  return fixed(OID.int2, 2, values, (target, index, at) => target.writeInt16BE(values[index] ?? 0, at));
}

export function boolArray(values: readonly (boolean | null)[]): Buffer {
  return fixed(OID.bool, 1, values, (target, index, at) =>
    target.writeUInt8(values[index] === true ? 1 : 0, at),
  );
}

/** Masks of up to 62 bits: bit i is set where `values[row][i]` is carried (not undefined). Null rows are NULL. */
export function maskArray(rows: readonly (readonly unknown[] | null)[]): Buffer {
  return fixed(OID.int8, 8, rows, (target, index, at) => {
    const row = rows[index] ?? [];
    let low = 0;
    let high = 0;
    for (let bit = 0; bit < row.length; bit++) {
      if (row[bit] === undefined) continue;
      if (bit < 31) low |= 1 << bit;
      else high |= 1 << (bit - 31);
    }
    // 31 bits in each half keep both non-negative; together they are one 62-bit number.
    target.writeBigInt64BE((BigInt(high) << 31n) | BigInt(low), at);
  });
}

export function uuidArray(values: readonly (string | null)[]): Buffer {
  return fixed(OID.uuid, 16, values, (target, index, at) => {
    const text = values[index] ?? '';
    let written = 0;
    for (let from = 0; from < 36;) {
      if (text.charCodeAt(from) === 0x2d) from++;
      else {
        target[at + written++] = (nibble(text.charCodeAt(from)) << 4) | nibble(text.charCodeAt(from + 1));
        from += 2;
      }
    }
  });
}

function nibble(code: number): number {
  return code < 58 ? code - 48 : (code | 32) - 87;
}

/** Text given as strings, or as UTF-8 bytes copied as they are. */
export function textArray(values: readonly (string | Uint8Array | null | undefined)[]): Buffer {
  return variable(OID.text, values);
}

/** JSON given as its text or as UTF-8 bytes; PostgreSQL checks it. */
export function jsonArray(values: readonly (string | Uint8Array | null | undefined)[]): Buffer {
  return variable(OID.json, values);
}

function variable(elementOid: number, values: readonly (string | Uint8Array | null | undefined)[]): Buffer {
  if (values.length === 0) return empty(elementOid);
  // Measured rather than bounded (three bytes for a UTF-16 unit): what is allocated too much counts at the peak.
  let size = HEADER_BYTES;
  for (const value of values) {
    size += 4;
    if (typeof value === 'string') size += Buffer.byteLength(value);
    else if (value !== null && value !== undefined) size += value.length;
  }
  const target = Buffer.allocUnsafe(size);
  header(target, elementOid, values.length);
  let at = HEADER_BYTES;
  for (const value of values) {
    if (value === null || value === undefined) {
      target.writeInt32BE(-1, at);
      at += 4;
      continue;
    }
    let length: number;
    if (typeof value === 'string') length = target.write(value, at + 4, 'utf8');
    else {
      target.set(value, at + 4);
      length = value.length;
    }
    target.writeInt32BE(length, at);
    at += 4 + length;
  }
  return target;
}
