import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { crc32c } from '../../../../../src/log/kafka/wire/crc32c.ts';

/** RFC 3720, appendix B.4; the last one is the check value of the CRC catalogue. */
const VECTORS: readonly (readonly [name: string, bytes: Buffer, crc: number])[] = [
  ['32 bytes of 0x00', Buffer.alloc(32), 0x8a9136aa],
  ['32 bytes of 0xff', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['0 to 31', Buffer.from(Array.from({ length: 32 }, (_, at) => at)), 0x46dd794e],
  ['31 to 0', Buffer.from(Array.from({ length: 32 }, (_, at) => 31 - at)), 0x113fdb5c],
  ['123456789', Buffer.from('123456789'), 0xe3069283],
];

test.each(VECTORS)('the CRC-32C of %s is the published one', (_, bytes, crc) => {
  expect(crc32c(bytes)).toBe(crc);
});

test('is the same bit by bit, of any part of any bytes', () => {
  const bitByBit = (bytes: Uint8Array): number => {
    let crc = -1;
    for (const byte of bytes) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x82f63b78;
    }
    return ~crc >>> 0;
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), fc.nat(100), (bytes, a, b) => {
      const [from, to] = [Math.min(a, b, bytes.length), Math.min(Math.max(a, b), bytes.length)];
      expect(crc32c(bytes, from, to)).toBe(bitByBit(bytes.subarray(from, to)));
    }),
  );
});
