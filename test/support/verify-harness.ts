import { openLedger } from '../../src/app/consume/open-group.ts';
import { repair, type Repaired } from '../../src/app/verify/repair.ts';
import { verify, type Findings, type VerifyRequest, type VerifyResult } from '../../src/app/verify.ts';
import type { Database } from '../../src/postgres/pool.ts';
import { cud, openApplier, prepareUsers, rollback } from './apply-harness.ts';
import type { TestDatabase } from './test-database.ts';

/** Verifies a database as the command does, without the log unless one is given. */
export async function verifyDatabase(
  database: Database,
  request: Partial<VerifyRequest> = {},
): Promise<{ readonly result: VerifyResult; readonly findings: Findings }> {
  return verify(database, await openLedger(database), {
    logSide: null,
    isExact: false,
    limit: 100,
    digestColumns: null,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...request,
  });
}

/** The differences as short sentences: `a.name: B, not X`. */
export async function differencesOf(
  database: Database,
  request: Partial<VerifyRequest> = {},
): Promise<readonly string[]> {
  const { result } = await verifyDatabase(database, request);
  return result.differences.map((difference) => {
    switch (difference.kind) {
      case 'field':
        return `${difference.userId}.${difference.column}: ${difference.ledger ?? 'NULL'}, not ${difference.row ?? 'NULL'}`;
      case 'ledger':
        return `${difference.userId ?? '?'}: ${difference.problem}`;
      case 'row missing':
      case 'row unexpected':
      case 'row unknown':
        return `${difference.userId}: ${difference.kind}`;
    }
  });
}

/** Sets what differs, as `verify --fix` and `rebuild` do once they are confirmed. */
export async function repairDatabase(database: Database, findings: Findings): Promise<Repaired> {
  return repair(database, await openLedger(database), {
    userIds: findings.wrong,
    unknown: findings.unknown,
    corrections: findings.corrections,
    operator: 'tester',
    reason: 'test',
    onProgress: () => undefined,
  });
}

/** A ledger of some events of four users, by the applier: two rows, a deletion, a rollback, a failure and what it parks. */
export async function applyStory(database: TestDatabase): Promise<void> {
  await prepareUsers(database);
  const { pool, schema } = database;
  await pool.query(`truncate public.users, ${schema}.ledger, ${schema}.position, ${schema}.attempt`);
  const applier = await openApplier(database);
  await applier.apply(
    [
      cud(0, 'create', 'a', { name: 'A', email: 'a@x', age: 1, attributes: { plan: 'free' }, colour: 'red' }),
      cud(1, 'create', 'b', { name: 'B', age: 2 }),
      cud(2, 'create', 'c', { name: 'C' }),
    ],
    3n,
  );
  await applier.apply(
    [
      cud(3, 'update', 'a', { name: 'AA', attributes: { seats: 3 } }),
      cud(4, 'delete', 'c'),
      cud(5, 'update', 'b', { age: 3 }),
      cud(6, 'update', 'b', { age: 4 }),
      rollback(7, 'b', [6]),
      cud(8, 'create', 'd', { name: 'bad' }),
      cud(9, 'update', 'd', { age: 9 }),
    ],
    10n,
  );
}
