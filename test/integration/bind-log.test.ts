import { beforeEach, describe, expect, test } from '@jest/globals';
import { bindLog } from '../../src/app/consume/bind-log.ts';
import { openLedger } from '../../src/app/consume/open-group.ts';
import { Patience } from '../../src/app/consume/patience.ts';
import { takeOver } from '../../src/app/consume/take-over.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { addGeneration, recordTopicId } from '../../src/postgres/sql/bind-group.ts';
import { acceptGap } from '../../src/postgres/sql/newest-row.ts';
import { readPositions, startPositions } from '../../src/postgres/sql/positions.ts';
import { readBinding } from '../../src/postgres/sql/read-binding.ts';
import { records } from '../conformance/harness.ts';
import { prepareUsers } from '../support/apply-harness.ts';
import { describeEachLog } from '../support/each-log.ts';

const OPTIONS = { group: 'group', acceptGap: false, operator: 'tester' };

describeEachLog('a schema and its topic', ({ database, open }) => {
  const bind = (log: EventLog, more: Partial<typeof OPTIONS> = {}) =>
    bindLog(log, database().pool, database().schema, { ...OPTIONS, ...more });

  /** What is bound: as if to another topic, which had this one's name before. */
  async function bindTo(topicId: string | null): Promise<void> {
    await database().pool.query(`update ${database().schema}.binding set topic_id = $1`, [topicId]);
  }

  async function boundId(): Promise<string | null> {
    const { rows } = await database().pool.query<{ topic_id: string | null }>(
      `select topic_id from ${database().schema}.binding`,
    );
    return rows[0]?.topic_id ?? null;
  }

  /** From here on the schema is bound for good. */
  async function consumeSome(): Promise<void> {
    await startPositions(database().pool, database().schema, [
      { partition: 0, offset: 1n, generation: 0 },
      { partition: 1, offset: 40n, generation: 2 },
    ]);
  }

  beforeEach(async () => {
    const { pool, schema } = database();
    await pool.query(`truncate ${schema}.binding, ${schema}.position, ${schema}.gap, ${schema}.generation`);
    await prepareUsers(database());
  });

  test('belong together by its id from the first use on', async () => {
    const log = await open(2);
    const topicId = await log.topicId();
    expect(await bind(log)).toMatchObject({ topicId });
    expect(await boundId()).toBe(topicId);
    await consumeSome();
    await bindTo('another');
    await expect(bind(log)).rejects.toMatchObject({ code: 'LOG_REPLACED' });
  });

  test('that were bound before ids were recorded learn it when the other checks have passed', async () => {
    const log = await open(2);
    const topicId = await log.topicId();
    await bind(log);
    await consumeSome();
    await bindTo(null);
    expect(await bind(log)).toMatchObject({ topicId });
    expect(await boundId()).toBeNull();
    await recordTopicId(database().pool, database().schema, topicId ?? '');
    expect(await boundId()).toBe(topicId);
  });

  test('are bound with group and topic when something is consumed, and not by a start that was refused', async () => {
    await bind(await open(3), { group: 'not mine' });
    const log = await open(2);
    await bind(log);
    await consumeSome();
    await expect(bind(log, { group: 'not mine' })).rejects.toMatchObject({ code: 'BINDING_MISMATCH' });
    await expect(bind(await open(2))).rejects.toMatchObject({ code: 'BINDING_MISMATCH' });
  });

  describe('of which the topic was made anew', () => {
    test('are bound anew where the gap is accepted, once, and every position moves to its start', async () => {
      const { pool, schema } = database();
      const log = await open(2);
      const topicId = await log.topicId();
      await log.append(records(10));
      await bind(log);
      await consumeSome();
      await bindTo('another');
      // Two members start with --accept-gap.
      await Promise.all([bind(log, { acceptGap: true }), bind(log, { acceptGap: true })]);
      expect(await boundId()).toBe(topicId);
      expect(await readPositions(pool, schema)).toMatchObject([
        { partition: 0, nextOffset: 0n, startOffset: 0n, generation: 3, revision: 1n },
        { partition: 1, nextOffset: 0n, startOffset: 0n, generation: 3, revision: 1n },
      ]);
      const { rows } = await pool.query(
        `select partition, from_offset, to_offset, reason, operator from ${schema}.gap order by partition`,
      );
      const gap = { to_offset: 0n, reason: 'LOG_REPLACED', operator: 'tester' };
      expect(rows).toEqual([
        { partition: 0, from_offset: 1n, ...gap },
        { partition: 1, from_offset: 40n, ...gap },
      ]);
    });

    test('have all partitions of the new one, those that are added to it at once too, in one later generation', async () => {
      const { pool, schema } = database();
      const log = await open(3);
      const { topic, clusterId } = await log.describe();
      await bind(log);
      await startPositions(pool, schema, [
        { partition: 0, offset: 7n, generation: 0 },
        { partition: 1, offset: 40n, generation: 0 },
      ]);
      await bindTo('another');
      await pool.query(`update ${schema}.binding set partition_count = 2`);
      await bind(log, { acceptGap: true });
      const signal = new AbortController().signal;
      const { ours } = await openLedger(database());
      const claims = await takeOver(
        {
          ...OPTIONS,
          log,
          pool,
          schema,
          schemaId: 'schema',
          envelope: { clusterId, topic, keyType: 'text', ignoreTypes: new Set(), mapTypes: new Map() },
          from: 'start',
        },
        new Patience({ ours, signal, onTrouble: () => undefined }),
        [0, 1, 2],
      );
      expect(claims.map(({ generation }) => generation)).toEqual([1, 1, 1]);
      // Growth comes behind them, and so does the next log.
      expect(await addGeneration(pool, schema, 6, [0n, 0n, 0n])).toBe('executed');
      expect(await addGeneration(pool, schema, 6, [0n, 0n, 0n])).toBe('known');
      expect((await readBinding(pool, schema)).generation).toBe(2);
      await acceptGap(pool, schema, {
        partition: 0,
        from: 0n,
        to: 0n,
        reason: 'LOG_REPLACED',
        operator: 'tester',
      });
      expect((await readPositions(pool, schema)).map(({ generation }) => generation)).toEqual([3, 1, 1]);
      expect(await addGeneration(pool, schema, 12, [])).toBe('executed');
      expect((await readBinding(pool, schema)).generation).toBe(4);
    });
  });

  describe('of which the topic grew', () => {
    test.each([
      [4, 6, 'behind', ['4 to 6'], [0, 2]],
      [4, 6, 'executed', [], [3, 3]],
      [3, 6, 'executed', [], [0, 2]],
    ])(
      'from %i to %i partitions, %s: tells of users who moved between old ones %j, and they go on in generations %j',
      async (from, to, state, told, generations) => {
        const { pool, schema } = database();
        const log = await open(to);
        await bind(log);
        await consumeSome();
        if (state === 'behind') await log.append(records(1).map((record) => ({ ...record, partition: 2 })));
        await pool.query(`update ${schema}.binding set partition_count = $1`, [from]);
        const growths: string[] = [];
        const observe = {
          onUnevenGrowth: (old: number, now: number) => growths.push(`${String(old)} to ${String(now)}`),
        };
        await bindLog(log, pool, schema, { ...OPTIONS, observe });
        await bindLog(log, pool, schema, { ...OPTIONS, observe });
        expect(growths).toEqual(told);
        expect((await readPositions(pool, schema)).map(({ generation }) => generation)).toEqual(generations);
      },
    );
  });
});
