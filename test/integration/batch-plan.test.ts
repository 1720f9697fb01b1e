import { beforeAll, expect, test } from '@jest/globals';
import { openLedger } from '../../src/app/consume/open-group.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { applyBatch } from '../../src/postgres/sql/apply-batch.ts';
import { CONSUMER_SESSION } from '../../src/postgres/sql/consumer-session.ts';
import { executeAgain } from '../../src/postgres/sql/execute-again.ts';
import { prepareUsers } from '../support/apply-harness.ts';
import { useTestDatabase } from '../support/test-database.ts';

const database = useTestDatabase();
beforeAll(() => prepareUsers(database()));

/** The generic plan, made while the tables are empty: the one that ran at an eighth of the speed before (BATCH.md). */
async function genericPlan(text: string): Promise<string[]> {
  const pool = createPool({ connectionString: database().connectionString, settings: CONSUMER_SESSION });
  try {
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain (generic_plan) ${text}`);
    return rows.map((row) => row['QUERY PLAN'].trim());
  } finally {
    await pool.end();
  }
}

test('the batch statement reaches users and ledger by their indexes alone, also while they are empty', async () => {
  const { mapper } = await openLedger(database());
  const plan = await genericPlan(applyBatch(database().schema, mapper.table).text);
  const scans = plan.filter((line) => /Scan.* on (?:users|ledger|"position")/.test(line));
  expect(scans.map((scan) => scan.replace(/^-> {2}| {2}\(cost.*$/g, '')).toSorted()).toEqual([
    'Index Only Scan using ledger_open on ledger l',
    'Index Scan using position_pkey on "position"',
    'Index Scan using users_pkey on users t',
    'Tid Scan on users u_1',
    'Tid Scan on users u_2',
  ]);
  // By the user, not all of what is open against all of the batch.
  expect(plan[plan.findIndex((line) => line.includes('ledger_open')) + 1]).toContain('user_id = b_4.user_id');
});

test('what is executed again is found by its id', async () => {
  const { mapper } = await openLedger(database());
  const plan = await genericPlan(executeAgain(database().schema, mapper.table).text);
  expect(plan.join('\n')).toMatch(/Index Scan using ledger_event_id on ledger/);
  expect(plan.join('\n')).not.toMatch(/Seq Scan on (?:users|ledger)/);
});
