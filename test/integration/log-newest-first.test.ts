import { expect, test } from '@jest/globals';
import { describeEachLog } from '../support/each-log.ts';
import { eventRecord, numbersOf } from '../support/log-harness.ts';

const upTo = (last: number, from = 1): number[] =>
  Array.from({ length: last - from + 1 }, (_, at) => from + at);

describeEachLog('log --newest-first', (logs) => {
  test('--newest-first turns what is newest round, in whatever is chosen', async () => {
    const log = await logs.open(4);
    await log.append(upTo(100).map((n) => eventRecord(n, `u${String(n % 7)}`)));
    expect(await numbersOf(log, { isNewestFirst: true })).toEqual(upTo(100, 81).toReversed());
    expect(await numbersOf(log, { isNewestFirst: true, o: 'start', limit: 3 })).toEqual([100, 99, 98]);
    expect(
      await numbersOf(log, {
        isNewestFirst: true,
        o: '@0000000000000:0000001000051',
        limit: 2,
        filter: { operations: new Set(['update']) },
      }),
    ).toEqual([50, 40]);
  });
});
