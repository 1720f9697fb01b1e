import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { keepsRecord, ownHeaders, readDeadLetter } from '../../../src/domain/dead-letter.ts';
import { deadLetterHeaders } from '../../../src/domain/dead-letter-headers.ts';
import type { RecordHeader } from '../../../src/domain/record.ts';

interface Fixtures {
  readonly spring: readonly { readonly key: string; readonly value: string }[];
  readonly connect: readonly { readonly key: string; readonly value: string }[];
}
const FIXTURES = JSON.parse(
  readFileSync(new URL('../../support/dead-letter-headers.json', import.meta.url), 'utf8'),
) as Fixtures;

/** As the Java of that system wrote them. */
function headersOf(system: keyof Fixtures): RecordHeader[] {
  return FIXTURES[system].map(({ key, value }) => ({ key, value: Buffer.from(value, 'base64') }));
}

const text = (key: string, value: string): RecordHeader => ({ key, value: Buffer.from(value) });
const OWN = text('ce_id', '018f3f1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f');
const FAILED = {
  eventId: '018f3f1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f',
  topic: 'user-events',
  partition: 3,
  offset: 4_294_967_299n,
  timestamp: 1_767_225_600_123,
  group: 'billing',
  code: 'DATABASE_CONSTRAINT',
  sqlState: '23514',
  message: 'new row violates check constraint "name_is_not_bad"',
};

describe('reads what other systems write', () => {
  test('Spring Kafka, with the cause of what its listener container wraps', () => {
    expect(readDeadLetter({ headers: headersOf('spring') })).toEqual({
      system: 'spring',
      topic: 'user-events',
      partition: 3,
      offset: 4_294_967_299n,
      timestamp: 1_767_225_600_123,
      group: 'billing',
      exception: 'java.lang.IllegalStateException',
      message: 'Listener failed; no such plan',
      eventId: null,
      putBacks: 0,
      isWhole: true,
    });
  });

  test('Kafka Connect', () => {
    expect(readDeadLetter({ headers: headersOf('connect') })).toEqual({
      system: 'connect',
      topic: 'user-events',
      partition: 3,
      offset: 4_294_967_299n,
      timestamp: null,
      group: 'pg-sink',
      exception: 'org.apache.kafka.connect.errors.DataException',
      message: 'Converting byte[] to Kafka Connect data failed',
      eventId: null,
      putBacks: 0,
      isWhole: true,
    });
  });

  test('Kafka Streams (KIP-1034), which keeps no headers', () => {
    const letter = readDeadLetter({
      headers: [
        text('__streams.errors.exception', 'java.lang.IllegalStateException: no: such plan'),
        text('__streams.errors.message', 'no: such plan'),
        text('__streams.errors.stacktrace', 'at …'),
        text('__streams.errors.topic', 'user-events'),
        text('__streams.errors.partition', '3'),
        text('__streams.errors.offset', '4294967299'),
      ],
    });
    expect(letter).toMatchObject({
      system: 'streams',
      topic: 'user-events',
      partition: 3,
      offset: 4_294_967_299n,
      exception: 'java.lang.IllegalStateException',
      message: 'no: such plan',
    });
    expect(letter !== null && keepsRecord(letter)).toBe(false);
  });

  test('a share group (KIP-1191), which keeps no headers', () => {
    const letter = readDeadLetter({
      headers: [
        text('__dlq.errors.topic', 'user-events'),
        text('__dlq.errors.partition', '3'),
        text('__dlq.errors.offset', '7'),
        text('__dlq.errors.group', 'billing'),
        text('__dlq.errors.delivery.count', '5'),
        text('__dlq.errors.message', 'Offset delivery count exceeded the threshold.'),
      ],
    });
    expect(letter).toMatchObject({
      system: 'share-group',
      offset: 7n,
      group: 'billing',
      message: 'Offset delivery count exceeded the threshold.',
    });
    expect(letter !== null && keepsRecord(letter)).toBe(false);
  });

  test('of a header that repeats the last one counts', () => {
    const again = headersOf('connect').map(({ key, value }) =>
      key.endsWith('.offset') ? text(key, '9') : { key, value },
    );
    expect(readDeadLetter({ headers: [...headersOf('connect'), ...again] })).toMatchObject({ offset: 9n });
  });

  test('numbers and texts in no known form are null', () => {
    const headers = [
      text('kafka_dlt-original-topic', 'user-events'),
      text('kafka_dlt-original-partition', '3'),
      { key: 'kafka_dlt-original-offset', value: null },
      { key: 'kafka_dlt-original-timestamp', value: Buffer.alloc(8, 0xff) },
      { key: 'kafka_dlt-exception-message', value: Buffer.of(0xff) },
    ];
    expect(readDeadLetter({ headers })).toMatchObject({
      partition: null,
      offset: null,
      timestamp: null,
      message: null,
    });
  });

  test('a record without such headers is no dead letter', () => {
    expect(readDeadLetter({ headers: [OWN] })).toBeNull();
  });
});

describe('writes what Spring Kafka and Kafka Connect would', () => {
  const headers = deadLetterHeaders(FAILED);

  test('under the names that their Java writes', () => {
    const names = new Set(headers.map(({ key }) => key));
    const theirs = [...headersOf('spring'), ...headersOf('connect')].map(({ key }) => key);
    expect(theirs.filter((key) => key !== 'ce_id' && !names.has(key))).toEqual([]);
  });

  test('in the bytes that their Java writes, where they say the same', () => {
    const same = /original|errors\.(topic|partition|offset)$/;
    const theirs = [...headersOf('spring'), ...headersOf('connect')].filter(({ key }) => same.test(key));
    expect(theirs).toHaveLength(9);
    expect(headers.filter(({ key }) => same.test(key))).toEqual(expect.arrayContaining(theirs));
  });

  test('and is read back as ours', () => {
    expect(readDeadLetter({ headers: [OWN, ...headers] })).toEqual({
      system: 'user-events',
      topic: 'user-events',
      partition: 3,
      offset: 4_294_967_299n,
      timestamp: 1_767_225_600_123,
      group: 'billing',
      exception: 'user-events.DATABASE_CONSTRAINT',
      message: FAILED.message,
      eventId: FAILED.eventId,
      putBacks: 0,
      isWhole: true,
    });
  });

  test('with a message of a thousand bytes at most, in whole characters', () => {
    const message = 'ä€😀'.repeat(500);
    const long = deadLetterHeaders({ ...FAILED, message });
    const said = readDeadLetter({ headers: long })?.message ?? '';
    expect(message.startsWith(said.slice(0, -1))).toBe(true);
    expect(said.at(-1)).toBe('…');
    expect(Buffer.byteLength(said)).toBeGreaterThan(990);
    const bytes = long.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0);
    expect(bytes).toBeLessThan(6_000);
    for (const { value } of long) expect(value?.toString()).not.toContain('\uFFFD\uFFFD');
  });

  test('no user data beyond the message of the error', () => {
    const said = headers.map(({ value }) => value?.toString()).join('\n');
    expect(said).not.toContain('user-1');
    expect(said.split(FAILED.message)).toHaveLength(5);
  });
});

test.each(['spring', 'connect'] as const)('strips what %s added, and nothing else', (system) => {
  const theirs = headersOf(system).filter(({ key }) => key !== 'ce_id');
  expect(ownHeaders([OWN, ...theirs, text('traceparent', '00-…'), ...deadLetterHeaders(FAILED)])).toEqual([
    OWN,
    text('traceparent', '00-…'),
  ]);
});
