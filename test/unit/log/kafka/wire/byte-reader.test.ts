import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ByteReader, MalformedError } from '../../../../../src/log/kafka/wire/byte-reader.ts';
import { varint } from '../../../../support/wire-bytes.ts';

describe('a reader of bytes', () => {
  test('reads varints of 32 bits back as they were written, at every border', () => {
    const borders = [...Array(32).keys()].flatMap((bit) => [
      2 ** bit - 1,
      2 ** bit,
      -(2 ** bit),
      -(2 ** bit) - 1,
    ]);
    const int32 = fc.oneof(fc.constantFrom(...borders.map((each) => each | 0)), fc.integer());
    fc.assert(
      fc.property(fc.array(int32), (values) => {
        const reader = new ByteReader(Buffer.concat(values.map((value) => varint(BigInt(value)))));
        expect(values.map(() => reader.readVarint())).toEqual(values);
        expect(reader.left).toBe(0);
      }),
    );
  });

  test('reads varints of 64 bits back as they were written, at every border', () => {
    const borders = [...Array(63).keys()].flatMap((bit) => [2n ** BigInt(bit), -(2n ** BigInt(bit)) - 1n]);
    const int64 = fc.oneof(
      fc.constantFrom(...borders, 2n ** 63n - 1n, -(2n ** 63n)),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    );
    fc.assert(
      fc.property(fc.array(int64), (values) => {
        const reader = new ByteReader(Buffer.concat(values.map(varint)));
        expect(values.map(() => BigInt(reader.readVarlong()))).toEqual(values);
        expect(reader.left).toBe(0);
      }),
    );
  });

  test('refuses varints that are too long, and everything past the end', () => {
    const reader = (bytes: readonly number[]) => new ByteReader(Buffer.from(bytes));
    expect(() => reader(Array<number>(5).fill(0xff)).readVarint()).toThrow(MalformedError);
    expect(() => reader(Array<number>(10).fill(0xff)).readVarlong()).toThrow(MalformedError);
    expect(() => reader([0x80]).readVarint()).toThrow(MalformedError);
    expect(() => reader([0x80, 0x80, 0x80, 0x80]).readVarlong()).toThrow(MalformedError);
    expect(() => reader([]).readInt8()).toThrow(MalformedError);
    expect(() => reader([1]).readInt16()).toThrow(MalformedError);
    expect(() => reader([1, 2, 3]).readInt32()).toThrow(MalformedError);
    expect(() => reader([1, 2, 3, 4, 5, 6, 7]).readInt64()).toThrow(MalformedError);
    expect(() => reader([0, 2, 65]).readString()).toThrow(MalformedError);
    expect(() => reader([1, 2]).skip(-1)).toThrow(MalformedError);
    expect(() => new ByteReader(Buffer.alloc(8), 4, 6).readInt32()).toThrow(MalformedError);
  });
});
