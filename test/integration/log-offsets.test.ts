import { expect, test } from '@jest/globals';
import type { EventLog } from '../../src/log/event-log.ts';
import { kafkaBrokers } from '../support/describe-kafka.ts';
import { describeEachLog } from '../support/each-log.ts';
import { entriesOf, eventRecord } from '../support/log-harness.ts';
import { failureOf } from '../support/publish-harness.ts';
import { topicAdmin } from '../support/topic-admin.ts';

/**
 * Two partitions of ten records, the even numbers in 0 and the odd ones in 1; the first three of partition 1 are gone, as
 * retention takes them: it has 3 (number 7) to 9. Number n is of 16:40.n s in 1970, n of milliseconds.
 */
const LAST = 20;
const at = (n: number): string => `1970-01-01T00:16:40.${String(n).padStart(3, '0')}Z`;
const between = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index).filter((n) => n > 5 || n % 2 === 0);

describeEachLog('offsets of log', (logs) => {
  let topic: string | null = null;

  /** Filled by the first test that needs it, and read by all: nothing here writes. */
  async function filled(): Promise<EventLog> {
    if (topic !== null) return logs.openAgain(topic);
    const log = await logs.open(2);
    await log.append(
      Array.from({ length: LAST }, (_, index) => eventRecord(index + 1, 'u', { partition: (index + 1) % 2 })),
    );
    ({ topic } = await log.describe());
    if (log.engine === 'kafka') await topicAdmin(kafkaBrokers).truncate(topic, 1, 3n);
    else await logs.database().pool.query('select user_events_log.delete_records($1, 1, 3)', [topic]);
    return log;
  }

  test.each<[string, number[]]>([
    ['start', between(1, 20)],
    ['oldest', between(1, 20)],
    ['end', []],
    ['newest', []],
    ['9', [19, 20]],
    ['9:', [19, 20]],
    ['-3', [18, 19, 20]],
    ['end-3', [18, 19, 20]],
    ['-99', between(1, 20)],
    // From the low watermark of each: 2 is offset 0 of partition 0, 7 is offset 3 of partition 1.
    ['+5', [12, 14, 16, 17, 18, 19, 20]],
    ['start+5', [12, 14, 16, 17, 18, 19, 20]],
    ['+5:', [12, 14, 16, 17, 18, 19, 20]],
    ['+99', []],
    ['3:5', [7, 8, 9, 10]],
    [':5', between(1, 10)],
    [':end', between(1, 20)],
    ['start:end', between(1, 20)],
    ['oldest:newest', between(1, 20)],
    ['8:end', [17, 18, 19, 20]],
    ['-2:end', [17, 18, 19, 20]],
    ['-4:-2', [13, 14, 15, 16]],
    ['+1:-4', [4, 6, 8, 9, 10, 11, 12]],
    [':+2', [2, 4, 7, 9]],
    [':end-8', [2, 4]],
    ['8:99', [17, 18, 19, 20]],
    [`@${at(18)}`, [18, 19, 20]],
    [`@${at(18)}:`, [18, 19, 20]],
    [`@${at(7)}:${at(9)}`, [7, 8]],
    [`@${at(7)}:@${at(9)}`, [7, 8]],
    [`@${at(18)}:end`, [18, 19, 20]],
    [`@${at(18)}:2ms`, [18, 19]],
    [`@:${at(8)}`, between(1, 7)],
    [`@:@${at(8)}`, between(1, 7)],
    ['@:end', between(1, 20)],
    [`@${at(18)}:-1h`, [18, 19, 20]],
    ['@1970-01-01T02:16:40.018+02:00', [18, 19, 20]],
    ['@1969-12-31T19:16:40.018-0500', [18, 19, 20]],
    ['@1970-01-01', between(1, 20)],
    ['@1970-01-01:1970-01-02', between(1, 20)],
    ['@1970-01-02', []],
    ['@0000001000018', [18, 19, 20]],
    ['@0000001000', between(1, 20)],
    ['@000001000', between(1, 20)],
    ['@0000001000018000000', [18, 19, 20]],
    ['@0000001000018:0000001000020', [18, 19]],
    ['@-1h', []],
    ['@-2w:-1h', []],
    ['@-999999h', between(1, 20)],
    ['@:-1h', between(1, 20)],
  ])('%s', async (o, numbers) => {
    const log = await filled();
    for (const isMerged of [true, false]) {
      const found = (await entriesOf(log, { o, isMerged })).map(({ event }) =>
        Number(event.eventId.slice(-12)),
      );
      expect(found.toSorted((a, b) => a - b)).toEqual(numbers);
    }
  });

  test('an offset that no partition has is refused, one that any has is not', async () => {
    const log = await filled();
    expect((await failureOf(entriesOf(log, { o: '11' }))).code).toBe('OFFSET_OUT_OF_RANGE');
    expect((await failureOf(entriesOf(log, { o: '2', partitions: [1] }))).code).toBe('OFFSET_OUT_OF_RANGE');
    expect((await failureOf(entriesOf(log, { o: ':2', partitions: [1] }))).code).toBe('OFFSET_OUT_OF_RANGE');
    expect(await entriesOf(log, { o: '2:3' })).toHaveLength(1);
  });
});
