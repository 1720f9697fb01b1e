import { UserEventsError } from '../errors/user-events-error.ts';
import { checkLedger, type Contradiction } from '../postgres/sql/check-ledger.ts';
import { countOpen, type OpenCounts } from '../postgres/sql/count-open.ts';
import { digestUsers, type PartitionDigest } from '../postgres/sql/digest-users.ts';
import { readPositions, type Position } from '../postgres/sql/positions.ts';
import { findUnknownRows, type UnknownRows } from '../postgres/sql/unknown-rows.ts';
import type { Database, PoolClient } from '../postgres/transaction.ts';
import type { Ledger } from './consume/open-group.ts';
import { compareLog, type ComparedLog, type LogSide } from './verify/compare-log.ts';
import { DifferenceList, type Difference } from './verify/difference.ts';
import { foldUsers, type FoldedUsers } from './verify/fold-users.ts';
import { withSnapshot } from './verify/snapshot.ts';

export interface VerifyRequest {
  /** Compare the ledger with the log, too; null = the ledger is believed. */
  readonly logSide: LogSide | null;
  /** A row of which the log knows nothing is a difference. */
  readonly isExact: boolean;
  /** Differences to name; all are counted. */
  readonly limit: number;
  /** Columns to digest the table over: names, or `all` that events can carry; null = no digest. */
  readonly digestColumns: readonly string[] | 'all' | null;
  readonly signal: AbortSignal;
  /** `done` of about `total`, in events. */
  readonly onProgress: (done: number, total: number, note: string) => void;
}

export interface VerifyResult {
  readonly table: string;
  readonly source: 'ledger' | 'log';
  /** Users with an applied event, and the events that were folded: those that are not pruned. */
  readonly users: number;
  readonly events: number;
  readonly rows: number;
  /** Rows of which the log knows nothing. */
  readonly unknownRows: number;
  /** Users of whom it cannot be told: what their fold needs was pruned. */
  readonly untold: number;
  readonly failed: number;
  readonly parked: number;
  /** What the proof is about: everything below these offsets. */
  readonly positions: readonly { readonly partition: number; readonly position: bigint }[];
  /** With the log: its records that were compared, and offsets of the ledger that the log does not have any more. */
  readonly log: { readonly records: number; readonly deletedOffsets: bigint } | null;
  readonly differenceCount: number;
  /** Of them, what the ledger says wrongly and setting rows does not mend. */
  readonly ledgerProblems: number;
  readonly differences: readonly Difference[];
  readonly digest: TableDigest | null;
}

export interface TableDigest {
  readonly columns: readonly string[];
  readonly partitions: readonly PartitionDigest[];
}

/** What it takes to repair: see `repair`. */
export interface Findings {
  readonly wrong: readonly string[];
  readonly unknown: readonly string[];
  readonly corrections: ComparedLog['corrections'];
}

const NOTHING_COMPARED: ComparedLog = {
  records: 0,
  deletedOffsets: 0n,
  corrections: new Map(),
  userIds: new Set(),
};

/**
 * Proves guarantee I1 (DESIGN 4): folds every user's applied events from the first image kept, and compares with the
 * table, on what events have carried; with the log, that the ledger says what the log says (I4). One snapshot for all of
 * it, while a consumer may run. Memory is flat but for the ids of users who differ. USAGE for a column to digest that
 * the table does not have.
 */
export async function verify(
  database: Database,
  ledger: Ledger,
  request: VerifyRequest,
): Promise<{ readonly result: VerifyResult; readonly findings: Findings }> {
  const columns = columnsToDigest(request.digestColumns, ledger);
  const list = new DifferenceList(request.limit);
  return withSnapshot(database.pool, async (clients) => {
    const [client] = clients;
    const positions = await readPositions(client, ledger.schema);
    const { compared, folded } = await compareAndFold(clients, ledger, request, positions, list);
    const { unknown, open, digest, contradictions } = await readRest(clients, ledger, request, columns);
    for (const contradiction of contradictions)
      list.add({ kind: 'ledger', ...contradiction, isMendable: false });
    for (const userId of unknown.userIds) list.add({ kind: 'row unknown', userId });
    const { table } = ledger.mapper;
    const { records, deletedOffsets, corrections } = compared;
    const result: VerifyResult = {
      table: `${table.schema}.${table.name}`,
      source: request.logSide === null ? 'ledger' : 'log',
      users: folded.users,
      events: folded.events,
      rows: unknown.rows,
      unknownRows: unknown.unknown,
      untold: folded.untold,
      failed: open.reduce((sum, { failed }) => sum + failed, 0),
      parked: open.reduce((sum, { parked }) => sum + parked, 0),
      positions: positions.map(({ partition, nextOffset }) => ({ partition, position: nextOffset })),
      log: request.logSide === null ? null : { records, deletedOffsets },
      differenceCount: list.count,
      ledgerProblems: list.ledgerProblems,
      differences: list.named,
      digest: digest === null || columns === null ? null : { columns, partitions: digest },
    };
    return { result, findings: { wrong: folded.wrong, unknown: unknown.userIds, corrections } };
  });
}

type Clients = readonly [PoolClient, ...PoolClient[]];

async function compareAndFold(
  clients: Clients,
  ledger: Ledger,
  { logSide, signal, onProgress }: VerifyRequest,
  positions: readonly Position[],
  list: DifferenceList,
): Promise<{ readonly compared: ComparedLog; readonly folded: FoldedUsers }> {
  const total = positions.reduce((sum, each) => sum + Number(each.nextOffset - each.startOffset), 0);
  const progress = (note: string) => (done: number) => {
    onProgress(done, total, note);
  };
  const onDifference = (difference: Difference): void => {
    list.add(difference);
  };
  const { schema } = ledger;
  const order = {
    schema,
    positions,
    signal,
    onDifference,
    onProgress: progress('records of the log compared'),
  };
  const compared = logSide === null ? NOTHING_COMPARED : await compareLog(clients[0], logSide, order);
  const folded = await foldUsers(clients, ledger, {
    corrections: compared.corrections,
    always: compared.userIds,
    signal,
    onDifference,
    onProgress: progress('events folded'),
  });
  return { compared, folded };
}

/** What needs no fold, on two connections: one query each at a time. */
async function readRest(
  clients: Clients,
  { schema, mapper }: Ledger,
  { isExact }: VerifyRequest,
  columns: readonly string[] | null,
): Promise<{
  readonly unknown: UnknownRows;
  readonly open: readonly OpenCounts[];
  readonly digest: readonly PartitionDigest[] | null;
  readonly contradictions: readonly Contradiction[];
}> {
  const [client, second = client] = clients;
  const readSecond = async () => ({
    digest: columns === null ? null : await digestUsers(second, schema, mapper.table, columns),
    contradictions: await checkLedger(second, schema),
    open: await countOpen(second, schema),
  });
  const [unknown, rest] = await Promise.all([
    findUnknownRows(client, schema, mapper.table, isExact),
    readSecond(),
  ]);
  return { unknown, ...rest };
}

function columnsToDigest(
  asked: VerifyRequest['digestColumns'],
  { mapper }: Ledger,
): readonly string[] | null {
  if (asked === null) return null;
  const { table } = mapper;
  const names = table.columns.map(({ name }) => name);
  if (asked === 'all') return names;
  const unknown = asked.filter((name) => !names.includes(name));
  if (unknown.length === 0) return asked;
  const message = `${table.schema}.${table.name} has no column ${unknown.join(', ')} that events can carry`;
  throw new UserEventsError('USAGE', message, { hint: `It has ${names.join(', ')}.` });
}
