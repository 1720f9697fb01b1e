import { foldedImages, ledgerRow, type BaseRow, type FoldedImage } from '../../domain/expected-row.ts';
import type { CudOperation, JsonObject } from '../../domain/event.ts';
import { isCud, type HistoryEntry } from '../../domain/history.ts';
import { planReconcile } from '../../domain/reconcile-plan.ts';
import { findDrift, type ExpectedRow } from '../../postgres/sql/find-drift.ts';
import { notRefused, outcomeOf } from '../../postgres/sql/outcome.ts';
import { readBases } from '../../postgres/sql/prune-events.ts';
import { readHistories } from '../../postgres/sql/read-history.ts';
import { savepoint, type PoolClient } from '../../postgres/transaction.ts';
import type { Ledger } from '../consume/open-group.ts';
import type { Difference } from './difference.ts';
import { portionsOf } from './portions.ts';

/** What the log says of an event of which the ledger says something else. The log is believed. */
export interface Correction {
  readonly operation: CudOperation;
  readonly fields: JsonObject;
  /** The value as it lies in the log; null for a tombstone. */
  readonly value: string | null;
}

/** By event id. */
export type Corrections = ReadonlyMap<string, Correction>;

/** A user whose row is not the fold's, with what it takes to set it. */
export interface WrongRow extends ExpectedRow {
  readonly images: readonly FoldedImage[];
  /** The newest applied event: where the audit trail is written. */
  readonly lastEventId: string;
  /** Times of the events that made and last changed the row, ms: for the columns that keep them. */
  readonly madeAt: number;
  readonly touchedAt: number;
}

export interface Examined {
  readonly differences: readonly Difference[];
  readonly wrong: readonly WrongRow[];
  /** Users of whom it cannot be told: what their fold needs was pruned. */
  readonly untold: number;
}

/** Folds users one by one, exactly as the domain has it, and compares with their rows. In the caller's transaction. */
export async function examineUsers(
  client: PoolClient,
  ledger: Ledger,
  userIds: readonly string[],
  corrections: Corrections,
): Promise<Examined> {
  const all = { differences: new Array<Difference>(), wrong: new Array<WrongRow>(), untold: 0 };
  for await (const ids of portionsOf(client, ledger.schema, userIds)) {
    const examined = await examineSome(client, ledger, ids, corrections);
    all.differences.push(...examined.differences);
    all.wrong.push(...examined.wrong);
    all.untold += examined.untold;
  }
  return all;
}

async function examineSome(
  client: PoolClient,
  ledger: Ledger,
  userIds: readonly string[],
  corrections: Corrections,
): Promise<Examined> {
  const histories = await readHistories(client, ledger.schema, userIds);
  const bases = await readBases(client, ledger.schema, userIds);
  const differences: Difference[] = [];
  const expected: WrongRow[] = [];
  let untold = 0;
  for (const [userId, kept] of histories) {
    const history = correct(kept, corrections);
    const [step] = planReconcile(history).steps;
    if (step !== undefined) {
      const { eventId } = step.entry;
      differences.push({ kind: 'ledger', userId, eventId, problem: 'not what stands', isMendable: false });
    }
    const row = expectedRow(userId, history, bases.get(userId) ?? null, ledger);
    if (row === 'untold') untold++;
    else if (row !== null) expected.push(row);
  }
  const wrong = new Map<string, WrongRow>();
  for (const found of await compare(client, ledger, expected)) {
    differences.push(...found.differences);
    if (found.isRowWrong) wrong.set(found.row.userId, found.row);
  }
  return { differences, wrong: [...wrong.values()], untold };
}

function correct(history: readonly HistoryEntry[], corrections: Corrections): readonly HistoryEntry[] {
  if (corrections.size === 0) return history;
  return history.map((entry) => {
    const correction = corrections.get(entry.eventId);
    return correction === undefined
      ? entry
      : { ...entry, operation: correction.operation, fields: correction.fields };
  });
}

/**
 * Null: nothing of the user is applied, so the fold says nothing of the row; unless all of it was withdrawn and it began
 * with a create, which strict rules execute only where there is none: then there is none again.
 */
function expectedRow(
  userId: string,
  history: readonly HistoryEntry[],
  base: BaseRow | null,
  { mapper, rules }: Ledger,
): WrongRow | 'untold' | null {
  const cud = history.filter(isCud);
  const applied = cud.filter(({ status }) => status === 'applied');
  const last = applied.at(-1);
  if (last === undefined) {
    const [begin] = cud;
    const isWithdrawn = cud.every(({ status }) => status === 'rolled_back');
    if (begin?.operation !== 'create' || begin.error !== null || !isWithdrawn || rules !== 'strict')
      return null;
    const { eventId: lastEventId, timestamp } = begin;
    const none = { imageOf: null, exists: false, changes: {}, extra: {}, carried: [], images: [] };
    return { userId, ...none, lastEventId, madeAt: timestamp, touchedAt: timestamp };
  }
  const row = ledgerRow(history, mapper, 'first image', base);
  const images = foldedImages(history, mapper, base);
  if (row === null || images === null) return 'untold';
  const born = applied.findLastIndex(({ operation }) => operation === 'delete') + 1;
  return {
    userId,
    ...row,
    images,
    lastEventId: last.eventId,
    madeAt: applied[born]?.timestamp ?? last.timestamp,
    touchedAt: last.timestamp,
  };
}

interface Compared {
  readonly row: WrongRow;
  readonly isRowWrong: boolean;
  readonly differences: readonly Difference[];
}

/** Where the events of a user hold what the table cannot take (the ledger was changed by hand), only that user is named. */
async function compare(
  client: PoolClient,
  ledger: Ledger,
  expected: readonly WrongRow[],
): Promise<readonly Compared[]> {
  if (expected.length === 0) return [];
  const { ours, schema, mapper } = ledger;
  const outcome = await outcomeOf(ours, () =>
    savepoint(client, () => findDrift(client, schema, mapper.table, expected)),
  );
  const [first] = expected;
  if (outcome.kind === 'done') {
    const rows = new Map(expected.map((row) => [row.userId, row]));
    return outcome.value.flatMap(({ userId, isThere, columns }) => {
      const row = rows.get(userId);
      if (row === undefined) return [];
      const differences = columns.map((column): Difference => ({ kind: 'field', userId, ...column }));
      if (isThere !== row.exists)
        differences.unshift({ kind: isThere ? 'row unexpected' : 'row missing', userId });
      return [{ row, isRowWrong: true, differences }];
    });
  }
  if (outcome.kind !== 'refused' || first === undefined) throw notRefused(outcome);
  if (expected.length === 1) {
    const { userId, lastEventId } = first;
    const difference = {
      kind: 'ledger',
      userId,
      eventId: lastEventId,
      problem: 'data does not fit',
      isMendable: false,
    } as const;
    return [{ row: first, isRowWrong: false, differences: [difference] }];
  }
  const half = Math.ceil(expected.length / 2);
  const left = await compare(client, ledger, expected.slice(0, half));
  return [...left, ...(await compare(client, ledger, expected.slice(half)))];
}
