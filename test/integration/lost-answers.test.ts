import { beforeEach, describe, expect, test } from '@jest/globals';
import { openLedger } from '../../src/app/consume/open-group.ts';
import { applyBatch } from '../../src/postgres/sql/apply-batch.ts';
import { raiseRevisions } from '../../src/postgres/sql/positions.ts';
import { cud, eventId, openApplier, prepareUsers, readStatuses } from '../support/apply-harness.ts';
import { useTestDatabase } from '../support/test-database.ts';

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
