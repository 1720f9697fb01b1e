import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { JsonValue } from '../../src/domain/event.ts';
import type { NewRecord } from '../../src/domain/record.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createKafkaEventLog } from '../../src/log/kafka/event-log.ts';
import { runCli } from '../support/cli.ts';
import { kafkaBrokers } from '../support/describe-kafka.ts';
import { describeKcat, kcatLines } from '../support/kcat.ts';
import { uniqueName } from '../support/names.ts';
import { sampleRecords } from '../support/sample-users.ts';

const PARTITIONS = 4;
const EVENTS = 2_000;
const TIME = Date.UTC(2026, 0, 31, 8, 0, 0, 7);

/** What `log --json` prints. */
interface Printed {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: string;
  readonly key: string | null;
  readonly keyEncoding?: string;
  readonly value: JsonValue;
  readonly valueEncoding?: string;
  readonly valueText?: string;
  readonly headers: readonly {
    readonly key: string;
    readonly value: string | null;
    readonly encoding?: string;
  }[];
}

/** What `kcat -J` prints: headers as one list, name and value by turns. */
interface Kcat {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly ts: number;
  readonly key: string | null;
  readonly payload: string | null;
  readonly headers?: readonly (string | null)[];
}

const text = (
  key: string | null,
  value: string | null,
  headers: readonly [string, string | null][] = [],
): NewRecord => ({
  key: key === null ? null : Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
  headers: headers.map(([name, content]) => ({
    key: name,
    value: content === null ? null : Buffer.from(content),
  })),
  timestamp: TIME,
});

/** Records that a printer may get wrong. */
const HOSTILE: readonly NewRecord[] = [
  text('tombstone', null),
  text('', ''),
  text(null, '{"userId":"a"}'),
  text('not compact', '{ "a" : 1 }\n'),
  text('numbers', '{"big":12345678901234567890,"float":1.0,"exponent":1e400,"zero":-0}'),
  text('no object', '"text"'),
  text('null as JSON', 'null'),
  text('no JSON', '{"a":'),
  text('twice', '{"a":1,"a":2}'),
  text('unicode 🙂 ﬁ \u200b', '{"name":"Zoë \\u0000 \\ud83d\\ude42 🙂"}'),
  text('control', 'a\tb\u0001\u001b[31m\u007f'),
  text('a quote "\\/', '{"a":"\\/"}'),
  text('headers', '{}', [
    ['a', '1'],
    ['b', null],
    ['a', '2'],
    ['ä 🙂', 'ü'],
    ['empty', ''],
    ['__proto__', 'x'],
  ]),
];
/** Bytes that are no text, which kcat cannot print as JSON: these are held against their lengths. */
const BINARY: readonly NewRecord[] = [
  { key: Buffer.from([0xff, 0x00]), value: Buffer.from([0xc3, 0x28, 0x0a]), headers: [], timestamp: TIME },
  {
    key: Buffer.from('b'),
    value: Buffer.from([0xed, 0xa0, 0x80]),
    headers: [{ key: 'x', value: Buffer.from([0x80]) }],
    timestamp: TIME,
  },
];

describeKcat('log --json beside kcat', () => {
  const brokers = kafkaBrokers;
  const topics = { text: uniqueName('text'), binary: uniqueName('binary') };
  const logs: EventLog[] = [];

  async function fill(topic: string, records: readonly NewRecord[]): Promise<void> {
    const log = createKafkaEventLog({ brokers: [brokers()], clientId: 'test', topic, patience: 'short' });
    logs.push(log);
    await log.createTopic(PARTITIONS);
    await log.append(records);
  }

  async function printed(topic: string): Promise<readonly Printed[]> {
    const { exitCode, stdout } = await runCli(['log', '--json'], {
      env: { KAFKA_BROKERS: brokers(), KAFKA_TOPIC: topic },
    });
    expect(exitCode).toBe(0);
    return inOrder(
      stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Printed),
    );
  }

  beforeAll(async () => {
    await fill(topics.text, [...HOSTILE, ...sampleRecords(EVENTS, EVENTS / 4)]);
    await fill(topics.binary, BINARY);
  }, 60_000);
  afterAll(() => Promise.all(logs.map((log) => log.close())));

  test('has the same records, field by field', async () => {
    const kcat = inOrder(
      (await kcatLines(brokers(), topics.text, ['-J'])).map((line) => JSON.parse(line) as Kcat),
    );
    const ours = await printed(topics.text);
    expect(ours).toHaveLength(EVENTS + HOSTILE.length);
    expect(ours.map(asKcat)).toEqual(
      kcat.map(({ topic, partition, offset, ts, key, payload, headers = [] }) => ({
        topic,
        partition,
        offset,
        ts,
        key,
        payload,
        headers,
      })),
    );
  });

  test('has bytes that are no text at their whole length', async () => {
    const lines = await kcatLines(brokers(), topics.binary, ['-f', '%p %o %T %K %S\n']);
    const ours = await printed(topics.binary);
    expect(
      ours.map((record) => {
        const { partition, offset, timestamp, key, keyEncoding, value, valueEncoding } = record;
        const length = (content: unknown, encoding?: string): number =>
          Buffer.from(String(content), encoding === 'base64' ? 'base64' : 'utf8').length;
        return [
          partition,
          offset,
          Date.parse(timestamp),
          length(key, keyEncoding),
          length(value, valueEncoding),
        ].join(' ');
      }),
    ).toEqual([...lines].toSorted());
  });
});

function inOrder<T extends { readonly partition: number; readonly offset: number }>(
  records: readonly T[],
): readonly T[] {
  return records.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
}

function asKcat({ topic, partition, offset, timestamp, key, headers, ...record }: Printed): Required<Kcat> {
  return {
    topic,
    partition,
    offset,
    ts: Date.parse(timestamp),
    key,
    payload: payloadOf(record),
    headers: headers.flatMap((header) => [header.key, header.value]),
  };
}

/** The bytes that the line stands for, as `publish --from-file` would send them. */
function payloadOf({
  value,
  valueEncoding,
  valueText,
}: Pick<Printed, 'value' | 'valueEncoding' | 'valueText'>): string | null {
  if (valueEncoding === undefined) return null;
  if (valueEncoding === 'json') return valueText ?? JSON.stringify(value);
  expect({ valueEncoding, value }).toEqual({ valueEncoding: 'text', value: expect.any(String) });
  return typeof value === 'string' ? value : null;
}
