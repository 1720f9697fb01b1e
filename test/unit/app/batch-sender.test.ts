import { expect, test } from '@jest/globals';
import { BatchSender } from '../../../src/app/publish/batch-sender.ts';
import type { Prepared } from '../../../src/app/publish/prepare-line.ts';
import type { NewRecord } from '../../../src/domain/record.ts';

const MIB = 1024 * 1024;

function prepared(record: Partial<NewRecord>): Prepared {
  return {
    ...{ line: 1, eventId: '', isIdDerived: false, operation: null, type: '', userId: null, hasOwnId: true },
    record: { key: null, value: null, headers: [], ...record },
  };
}

test.each<[string, Partial<NewRecord>]>([
  ['value', { value: Buffer.alloc(MIB) }],
  ['key', { key: Buffer.alloc(MIB) }],
  ['headers', { headers: [{ key: 'a', value: Buffer.alloc(MIB) }] }],
])('a batch is full at four MiB, whatever they are: %s', (_, record) => {
  const sender = new BatchSender(
    { append: () => Promise.reject(new Error('nothing is sent')) },
    () => undefined,
  );
  for (let added = 0; added < 4; added += 1) {
    expect(sender.isFull).toBe(false);
    sender.add(prepared(record));
  }
  expect(sender.isFull).toBe(true);
});
