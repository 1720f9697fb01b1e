import { describe, expect, test } from '@jest/globals';
import { RecordBuffer } from '../../../src/app/consume/record-buffer.ts';
import type { LogRecord } from '../../../src/domain/record.ts';

const EMPTY: LogRecord = { partition: 0, offset: 0n, timestamp: 0, key: null, value: null, headers: [] };
const KIB = Buffer.alloc(1024);

describe('the buffer of a partition is full', () => {
  test.each<[string, Partial<LogRecord>]>([
    ['keys', { key: KIB }],
    ['values', { value: KIB }],
    ["headers' values", { headers: [{ key: 'trace', value: KIB }] }],
    ["headers' names", { headers: [{ key: 'x'.repeat(1024), value: null }] }],
  ])(
    'of the bytes of %s, before there are many records, and drained when they are taken',
    async (_, part) => {
      const told: string[] = [];
      const buffer = new RecordBuffer(
        { records: 1_000, bytes: 10 * 1024 },
        () => told.push('full'),
        () => told.push('drained'),
      );
      for (let offset = 0n; offset < 10n; offset++) {
        buffer.push({
          partition: 0,
          records: [{ ...EMPTY, ...part, offset }],
          nextOffset: offset + 1n,
          highWatermark: 10n,
        });
      }
      expect(told).toEqual(['full']);
      await buffer.take(10);
      expect(told).toEqual(['full', 'drained']);
    },
  );
});
