import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Applied } from '../../src/app/consume/apply-events.ts';
import { PartitionWorker } from '../../src/app/consume/partition-worker.ts';
import { openLedger } from '../../src/app/consume/open-group.ts';
import { applyBatch } from '../../src/postgres/sql/apply-batch.ts';
import { raiseRevisions } from '../../src/postgres/sql/positions.ts';
import {
  applyContext,
  claimPartition,
  cud,
  eventId,
  openApplier,
  prepareUsers,
  readStatuses,
} from '../support/apply-harness.ts';
import { userRecord } from '../support/consumer-harness.ts';
import { useTestDatabase } from '../support/test-database.ts';
import { waitFor } from '../support/wait-for.ts';

const database = useTestDatabase();
beforeEach(async () => {
  await prepareUsers(database());
  const { pool, schema } = database();
  await pool.query(`truncate public.users, ${schema}.ledger, ${schema}.position, ${schema}.attempt`);
});

const connectionLost = (): Error => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

describe('a statement whose answer was lost and that was not committed', () => {
  test('is folded anew on facts read anew where a failed event was skipped meanwhile', async () => {
    const { pool, schema } = database();
    const ledger = await openLedger(database());
    const whole = applyBatch(schema, ledger.mapper.table);
    let isLost = false;
    const applier = await openApplier(database(), {
      applyBatch: {
        ...whole,
        run: async (...call) => {
          if (isLost) {
            isLost = false;
            // The cause of what would be parked is passed over, as `skip` does it, before the answer is lost.
            await raiseRevisions(pool, schema, [0]);
            await pool.query(`update ${schema}.ledger set status = 'skipped' where event_id = $1`, [
              eventId(0),
            ]);
            throw connectionLost();
          }
          await whole.run(...call);
        },
      },
    });
    // The first fails, and from here on facts are read first.
    await applier.apply([cud(0, 'update', 'a', { name: 'nobody' })], 1n);
    isLost = true;
    await applier.apply([cud(1, 'create', 'a', { name: 'A' })], 2n);
    expect(await readStatuses(database())).toEqual(['skipped USER_NOT_FOUND', 'applied']);
  });
});

describe('a statement whose answer was lost and that is committed after it was given up', () => {
  test('is told of like any other: what it applied, what failed, and how far it came', async () => {
    const told: Applied[] = [];
    const context = await applyContext(database(), { onApplied: (applied) => told.push(applied) });
    const whole = context.applyBatch;
    let lost: Parameters<typeof whole.run> | null = null;
    let calls = 0;
    const worker = new PartitionWorker(await claimPartition(database()), {
      ...context,
      applyBatch: {
        ...whole,
        run: async (...call) => {
          // Predicted, refused by what is there; with facts, lost; and the lost one comes before the one in its place.
          if (++calls === 2) {
            lost = call;
            throw connectionLost();
          }
          if (lost !== null) await whole.run(...lost);
          lost = null;
          await whole.run(...call);
        },
      },
      envelope: {
        clusterId: 'cluster',
        topic: 'topic',
        keyType: 'text',
        ignoreTypes: new Set(),
        mapTypes: new Map(),
      },
      batchSize: 10,
      pause: () => undefined,
      resume: () => undefined,
      claimAgain: () => claimPartition(database()),
      gate: () => Promise.resolve(),
    });
    const records = [userRecord('update', 'nobody', { name: 'N' }), userRecord('create', 'a', { name: 'A' })];
    worker.push({
      partition: 0,
      records: records.map((record, at) => ({ timestamp: 1, ...record, partition: 0, offset: BigInt(at) })),
      nextOffset: 2n,
      highWatermark: 2n,
    });
    await waitFor(() => told.length > 0, { describe: 'the batch to be told of' });
    await worker.stop();
    expect(told).toMatchObject([
      {
        partition: 0,
        nextOffset: 2n,
        duplicates: 0,
        rollbacks: [],
        decisions: [
          { status: 'failed', event: { userId: 'nobody', offset: 0n }, error: { code: 'USER_NOT_FOUND' } },
          { status: 'applied', event: { userId: 'a', offset: 1n }, error: null },
        ],
      },
    ]);
    expect(await readStatuses(database())).toEqual(['failed USER_NOT_FOUND', 'applied']);
  });
});
