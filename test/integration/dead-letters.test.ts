import { beforeEach, describe, expect, test } from '@jest/globals';
import { partitionFor } from '../../src/domain/partitioner.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { connectLetter, header, lettersOf, putBackAll } from '../support/dead-letter-harness.ts';
import { describeEachLog, readAllRecords } from '../support/each-log.ts';
import { failureOf } from '../support/publish-harness.ts';

describeEachLog('dead letters of other systems', ({ database, open }) => {
  let log: EventLog;
  let letters: EventLog;
  let topic: string;

  beforeEach(async () => {
    log = await open(3);
    letters = await open(2);
    topic = (await log.describe()).topic;
  });

  /** The numbers in the values, by partition and offset. */
  async function numbersOf(userId: string): Promise<number[]> {
    const records = await readAllRecords(log);
    return records
      .filter(({ key }) => key?.toString() === userId)
      .map(({ value }) => (JSON.parse(value?.toString() ?? '{}') as { n: number }).n);
  }

  test('are listed with where they come from and why, newest last', async () => {
    await letters.append([connectLetter('u1', topic, 7), { key: null, value: null, headers: [] }]);
    expect(await lettersOf(letters, database())).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          system: 'connect',
          originalTopic: topic,
          originalPartition: 0,
          originalOffset: 7n,
          exception: 'org.example.Boom7',
          message: 'boom',
          userId: 'u1',
          operation: 'put',
          putBacks: 0,
          putBackAt: null,
        }),
        expect.objectContaining({ system: null, originalTopic: null, userId: null }),
      ]),
    );
    expect(await lettersOf(letters, database(), { exception: 'boom7' })).toHaveLength(1);
    expect(await lettersOf(letters, database(), { exception: 'boom8' })).toEqual([]);
    expect(await lettersOf(letters, database(), { userId: 'u2' })).toEqual([]);
    expect(await lettersOf(letters, database(), { since: Date.now() + 60_000 })).toEqual([]);
  });

  test('go back in order per key, to the partition of the key, with key, value and own headers', async () => {
    const users = ['u1', 'u2', 'u3', 'u4'];
    await letters.append(Array.from({ length: 600 }, (_, n) => connectLetter(users[n % 4] ?? '', topic, n)));
    expect(await putBackAll(log, letters, database())).toMatchObject({ putBack: 600, refused: [] });
    for (const [at, user] of users.entries())
      expect(await numbersOf(user)).toEqual(Array.from({ length: 150 }, (_, n) => n * 4 + at));
    for (const { key, partition, headers } of await readAllRecords(log)) {
      expect(partition).toBe(partitionFor(key ?? Buffer.of(), 3));
      expect(headers.map((each) => each.key)).toEqual([
        'own',
        'user_events_original_id',
        'user_events_put_back',
      ]);
      expect(headers.at(-1)?.value?.toString()).toBe('1');
    }
  });

  test('letters that came in another order than their records lay go back in the order of the records', async () => {
    const offsets = [9, 3, 7, 5, 8, 4, 6];
    await letters.append(offsets.map((offset) => connectLetter('u1', topic, offset)));
    await letters.append([connectLetter('u2', topic, 2), connectLetter('u2', topic, 1)]);
    expect(await putBackAll(log, letters, database())).toMatchObject({ putBack: 9, refused: [] });
    expect(await numbersOf('u1')).toEqual([3, 4, 5, 6, 7, 8, 9]);
    expect(await numbersOf('u2')).toEqual([1, 2]);
    expect(await putBackAll(log, letters, database())).toMatchObject({ putBack: 0, already: 9 });
  });

  test('a second run puts nothing back again, and what came meanwhile is put back', async () => {
    await letters.append([connectLetter('u1', topic, 1)]);
    expect(await putBackAll(log, letters, database())).toMatchObject({ putBack: 1, already: 0 });
    await letters.append([connectLetter('u1', topic, 2)]);
    expect(await putBackAll(log, letters, database())).toMatchObject({ putBack: 1, already: 1 });
    expect(await numbersOf('u1')).toEqual([1, 2]);
    const entries = await lettersOf(letters, database());
    expect(entries.map(({ putBackAt }) => putBackAt === null)).toEqual([false, false]);
  });

  test('two runs at once put nothing back twice', async () => {
    await letters.append(Array.from({ length: 500 }, (_, n) => connectLetter(`u${String(n % 7)}`, topic, n)));
    const results = await Promise.all([
      putBackAll(log, letters, database()),
      putBackAll(log, letters, database()),
    ]);
    expect(results.map(({ putBack, already }) => putBack + already)).toEqual([500, 500]);
    expect(await readAllRecords(log)).toHaveLength(500);
  });

  test('a run that fails under way loses none: the next one goes on, at worst from the last portion', async () => {
    await letters.append(Array.from({ length: 450 }, (_, n) => connectLetter('u1', topic, n)));
    const append = log.append.bind(log);
    let calls = 0;
    // The first portion goes through, the second is in the log and its answer is lost.
    log.append = async (records) => {
      const positions = await append(records);
      if (++calls === 2) throw new Error('the answer is lost');
      return positions;
    };
    await expect(putBackAll(log, letters, database())).rejects.toThrow('the answer is lost');
    expect(await putBackAll(log, letters, database())).toMatchObject({ putBack: 250, already: 200 });
    const numbers = await numbersOf('u1');
    expect(new Set(numbers).size).toBe(450);
    expect(numbers).toHaveLength(650);
    // Repeated is one portion as a whole: the last of each comes in order.
    expect(numbers.slice(400)).toEqual(Array.from({ length: 250 }, (_, n) => n + 200));
  });

  test('a dry run, a declined one, and letters of other topics put nothing back', async () => {
    await letters.append([connectLetter('u1', topic, 1), connectLetter('u1', 'another', 2)]);
    const dry = await putBackAll(log, letters, database(), { isDryRun: true });
    expect(dry).toMatchObject({ putBack: 1, isDryRun: true, otherTopics: { another: 1 } });
    const declined = putBackAll(log, letters, database(), {
      confirm: (plan) => Promise.reject(new Error(`declined ${String(plan.putBack)}`)),
    });
    await expect(declined).rejects.toThrow('declined 1');
    expect(await readAllRecords(log)).toEqual([]);
  });

  test('filters choose, and what overtakes an earlier letter of its key is said', async () => {
    await letters.append([1, 2].map((n) => connectLetter('u1', topic, n)));
    await letters.append([connectLetter('u2', topic, 3)]);
    const result = await putBackAll(log, letters, database(), { filter: { exception: 'Boom2' } });
    expect(result).toMatchObject({ putBack: 1, notWanted: 2, overtaking: 1 });
    expect(await numbersOf('u1')).toEqual([2]);
  });

  test('a record that came back too often is refused, and what is behind it does not overtake it', async () => {
    const often = header('user_events_put_back', '3');
    await letters.append([connectLetter('u1', topic, 1, [often]), connectLetter('u1', topic, 2)]);
    await letters.append([
      connectLetter('u2', topic, 3),
      { key: null, value: Buffer.from('x'), headers: [] },
    ]);
    const result = await putBackAll(log, letters, database());
    expect(result.putBack).toBe(1);
    expect(result.refused.map(({ userId, reason }) => [userId, reason])).toEqual(
      expect.arrayContaining([
        ['u1', 'too often'],
        ['u1', 'behind refused'],
        [null, 'no dead letter'],
      ]),
    );
    expect(await numbersOf('u1')).toEqual([]);
    expect(await putBackAll(log, letters, database(), { maxPutBacks: 4 })).toMatchObject({ putBack: 2 });
  });

  test('the count goes on with every round, and the first id is kept', async () => {
    await letters.append([connectLetter('u1', topic, 1)]);
    await putBackAll(log, letters, database());
    const [first] = await readAllRecords(log);
    await letters.append([connectLetter('u1', topic, 5, first?.headers.slice(1) ?? [])]);
    await putBackAll(log, letters, database());
    const counts = (await readAllRecords(log)).map(({ headers }) => headers.slice(1));
    expect(counts[1]?.[0]).toEqual(counts[0]?.[0]);
    expect(counts.map((headers) => headers[1]?.value?.toString())).toEqual(['1', '2']);
  });

  describe('of a system that keeps no headers', () => {
    const shareGroup = (offset: number): Parameters<EventLog['append']>[0][number] => ({
      key: null,
      value: null,
      headers: [
        header('__dlq.errors.topic', topic),
        header('__dlq.errors.partition', '0'),
        header('__dlq.errors.offset', String(offset)),
      ],
    });

    test('the original is read from its topic and goes back whole', async () => {
      const own = header('ce_type', 'user.put');
      const record = { partition: 0, key: Buffer.from('u1'), value: Buffer.from('{"userId":"u1","n":1}') };
      await log.append([{ ...record, headers: [own] }]);
      await letters.append([shareGroup(0)]);
      expect(await putBackAll(log, letters, database())).toMatchObject({ putBack: 1, refused: [] });
      const copy = (await readAllRecords(log)).find(({ headers }) => headers.length > 1);
      expect(copy).toMatchObject({ key: record.key, value: record.value });
      expect(copy?.headers[0]).toEqual(own);
    });

    test('the one of a user is found by its original', async () => {
      const of = (userId: string) => ({
        partition: 0,
        key: Buffer.from(userId),
        value: Buffer.from(JSON.stringify({ userId, n: 1 })),
        headers: [],
      });
      await log.append([of('u1'), of('u2')]);
      await letters.append([shareGroup(0), shareGroup(1)]);
      const result = await putBackAll(log, letters, database(), { filter: { userId: 'u2' } });
      expect(result).toMatchObject({ putBack: 1, notWanted: 1, refused: [] });
      expect(await numbersOf('u1')).toEqual([1]);
      expect(await numbersOf('u2')).toEqual([1, 1]);
    });

    test('what comes back too often holds back what lay behind it, whoever was given up first', async () => {
      const often = header('user_events_put_back', '3');
      const at = (n: number, headers = [header('own', 'kept')]) => ({
        partition: 0,
        key: Buffer.from('u1'),
        value: Buffer.from(JSON.stringify({ userId: 'u1', n })),
        headers,
      });
      await log.append([at(0), at(1, [often]), at(2)]);
      // A share group gives its records up in any order, under no key.
      await letters.append([shareGroup(2), shareGroup(1), shareGroup(0)]);
      const result = await putBackAll(log, letters, database());
      expect(result.refused.map(({ reason }) => reason)).toEqual(['too often', 'behind refused']);
      expect(await numbersOf('u1')).toEqual([0, 1, 2, 0]);
    });

    test('one whose original is gone is refused', async () => {
      await letters.append([shareGroup(99)]);
      expect(await putBackAll(log, letters, database())).toMatchObject({
        putBack: 0,
        refused: [{ reason: 'original gone' }],
      });
    });
  });

  test('the topic itself is refused as a topic of dead letters', async () => {
    expect(await failureOf(putBackAll(log, log, database()))).toMatchObject({ code: 'USAGE' });
  });
});
