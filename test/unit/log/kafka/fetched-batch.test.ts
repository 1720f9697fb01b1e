import { describe, expect, test } from '@jest/globals';
import { toRecordBatch } from '../../../../src/log/kafka/fetched-batch.ts';
import type { FetchedMessage } from '../../../../src/log/kafka/private-api.ts';

interface MessageOptions {
  readonly firstOffset?: number;
  readonly lastOffsetDelta?: number;
  readonly producerId?: string;
  readonly control?: 'commit' | 'abort';
  readonly key?: Buffer;
}

/** A message of a batch that holds nothing else, unless the options say so. */
function message(offset: number, options: MessageOptions = {}): FetchedMessage {
  const { firstOffset = offset, lastOffsetDelta = 0, producerId = '-1', control, key = null } = options;
  const marker = control === undefined ? key : Buffer.from([0, 0, 0, control === 'commit' ? 1 : 0]);
  return {
    offset: String(offset),
    timestamp: '1',
    key: marker,
    value: null,
    headers: {},
    isControlRecord: control !== undefined,
    batchContext: {
      firstOffset: String(firstOffset),
      lastOffsetDelta,
      producerId,
      inTransaction: producerId !== '-1',
    },
  };
}

function batchOf(
  messages: readonly FetchedMessage[],
  from: bigint,
  abortedTransactions: { producerId: string; firstOffset: string }[] = [],
) {
  const fetched = { partition: 3, highWatermark: '50', abortedTransactions, messages };
  const { records, nextOffset, highWatermark } = toRecordBatch(fetched, from);
  return { offsets: records.map(({ offset }) => Number(offset)), nextOffset, highWatermark };
}

describe('a fetched batch', () => {
  test('begins at the offset asked for, though the answer begins with the whole batch around it', () => {
    const messages = [4, 5, 6].map((offset) => message(offset, { firstOffset: 4, lastOffsetDelta: 2 }));
    expect(batchOf(messages, 5n)).toEqual({ offsets: [5, 6], nextOffset: 7n, highWatermark: 50n });
  });

  test('ends behind what compaction took from the end of its batch', () => {
    const messages = [message(4, { firstOffset: 2, lastOffsetDelta: 9 })];
    expect(batchOf(messages, 0n)).toMatchObject({ offsets: [4], nextOffset: 12n });
    expect(batchOf(messages, 5n)).toMatchObject({ offsets: [], nextOffset: 12n });
  });

  test('without anything ends where it began', () => {
    expect(batchOf([], 7n)).toMatchObject({ offsets: [], nextOffset: 7n });
  });

  test('leaves out control records and ends behind them', () => {
    const messages = [message(0, { producerId: '9' }), message(1, { producerId: '9', control: 'commit' })];
    expect(batchOf(messages, 0n)).toMatchObject({ offsets: [0], nextOffset: 2n });
  });

  test('leaves out what two producers aborted at once, though it begins in the middle of both', () => {
    const messages = [
      message(5, { producerId: '2' }),
      message(6, { producerId: '1' }),
      message(7),
      message(8, { producerId: '1', control: 'abort' }),
      message(9, { producerId: '1' }),
      message(10, { producerId: '2' }),
      message(11, { producerId: '2', control: 'abort' }),
    ];
    const aborted = [
      { producerId: '1', firstOffset: '0' },
      { producerId: '2', firstOffset: '1' },
    ];
    expect(batchOf(messages, 5n, aborted)).toMatchObject({ offsets: [7, 9], nextOffset: 12n });
  });

  test('takes no record for the end of a transaction, whatever its key', () => {
    const messages = [
      message(0, { producerId: '1', key: Buffer.alloc(4) }),
      message(1, { producerId: '1' }),
      message(2, { producerId: '1', control: 'abort' }),
    ];
    expect(batchOf(messages, 0n, [{ producerId: '1', firstOffset: '0' }])).toMatchObject({ offsets: [] });
  });
});
