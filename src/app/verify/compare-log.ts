import type { EnvelopeContext } from '../../domain/envelope.ts';
import type { LogEvent } from '../../domain/event.ts';
import { readEnvelope } from '../../domain/read-envelope.ts';
import { operationOf } from '../../domain/sameness.ts';
import type { EventLog, RecordBatch } from '../../log/event-log.ts';
import type { Position } from '../../postgres/sql/positions.ts';
import { readKnownIds, readSpan, type SpanRow } from '../../postgres/sql/read-span.ts';
import type { PoolClient } from '../../postgres/transaction.ts';
import type { Difference, LedgerProblem } from './difference.ts';
import type { Correction, Corrections } from './examine.ts';

export interface LogSide {
  readonly log: EventLog;
  readonly envelope: EnvelopeContext;
}

export interface ComparedLog {
  readonly records: number;
  /** Offsets from the group's start that the log does not have any more (retention): not compared. */
  readonly deletedOffsets: bigint;
  readonly corrections: Corrections;
  /** Users of whose events the log says something else. */
  readonly userIds: ReadonlySet<string>;
}

export interface CompareLogOrder {
  readonly schema: string;
  readonly positions: readonly Position[];
  readonly signal: AbortSignal;
  readonly onDifference: (difference: Difference) => void;
  readonly onProgress: (records: number) => void;
}

/**
 * Compares the ledger with the log, record by record, from where the group began (or the log begins by now) to the
 * position: every offset has its row (guarantee I4), and the row says what the record says. Flat memory but for what
 * differs. In the caller's snapshot.
 */
export async function compareLog(
  client: PoolClient,
  { log, envelope }: LogSide,
  order: CompareLogOrder,
): Promise<ComparedLog> {
  const lows = new Map((await log.watermarks()).map(({ partition, low }) => [partition, low]));
  const comparison = new LogComparison(client, envelope, order);
  const ranges = order.positions.flatMap(({ partition, startOffset, nextOffset }) => {
    const low = lows.get(partition) ?? 0n;
    const from = low < startOffset ? startOffset : low > nextOffset ? nextOffset : low;
    comparison.begin(partition, from, from - startOffset);
    return from < nextOffset ? [{ partition, from, to: nextOffset }] : [];
  });
  if (ranges.length === 0) return comparison;
  for await (const batch of log.read(ranges, { signal: order.signal })) {
    await comparison.compare(batch);
    order.onProgress(comparison.records);
  }
  await comparison.end();
  return comparison;
}

/** Rows of the ledger read at once where the log has ended. */
const OFFSETS_AT_ONCE = 5_000n;

class LogComparison implements ComparedLog {
  records = 0;
  deletedOffsets = 0n;
  readonly corrections = new Map<string, Correction>();
  readonly userIds = new Set<string>();
  readonly #client: PoolClient;
  readonly #envelope: EnvelopeContext;
  readonly #order: CompareLogOrder;
  /** Per partition the first offset not compared yet. */
  readonly #next = new Map<number, bigint>();

  constructor(client: PoolClient, envelope: EnvelopeContext, order: CompareLogOrder) {
    this.#client = client;
    this.#envelope = envelope;
    this.#order = order;
  }

  begin(partition: number, from: bigint, deletedOffsets: bigint): void {
    this.#next.set(partition, from);
    this.deletedOffsets += deletedOffsets;
  }

  async compare(batch: RecordBatch): Promise<void> {
    const { partition, records } = batch;
    const { schema, positions } = this.#order;
    const span = { partition, from: this.#next.get(partition) ?? 0n, to: endOf(batch, positions) };
    const read = await readSpan(this.#client, schema, span);
    const rows = new Map(read.map((row) => [row.offset, row] as const));
    const missing: LogEvent[] = [];
    for (const record of records) {
      const event = readEnvelope(record, this.#envelope);
      const row = rows.get(record.offset);
      if (row === undefined) missing.push(event);
      else this.#compareRow(event, row);
      rows.delete(record.offset);
    }
    const ids = missing.map(({ eventId }) => eventId);
    const known = ids.length === 0 ? new Set() : await readKnownIds(this.#client, schema, ids);
    for (const { eventId, userId } of missing) {
      // An event that was delivered again has its one row at its first place.
      if (!known.has(eventId)) this.#tell(userId, eventId, 'not in the ledger', false);
    }
    for (const { eventId, userId } of rows.values()) this.#tell(userId, eventId, 'not in the log', false);
    this.#next.set(partition, span.to);
    this.records += records.length;
  }

  /** What the ledger has up to the positions, and the log did not give: it has lost its tail. */
  async end(): Promise<void> {
    const { schema, positions } = this.#order;
    for (const { partition, nextOffset } of positions) {
      let from = this.#next.get(partition) ?? nextOffset;
      for (; from < nextOffset; from += OFFSETS_AT_ONCE) {
        const to = from + OFFSETS_AT_ONCE < nextOffset ? from + OFFSETS_AT_ONCE : nextOffset;
        for (const { eventId, userId } of await readSpan(this.#client, schema, { partition, from, to }))
          this.#tell(userId, eventId, 'not in the log', false);
      }
    }
  }

  #compareRow(event: LogEvent, row: SpanRow): void {
    const problem = problemOf(event, row);
    if (problem === null) return;
    const isMendable = problem === 'another value' && event.kind === 'cud' && event.userId === row.userId;
    if (isMendable) {
      const value = event.value?.toString('utf8') ?? null;
      this.corrections.set(row.eventId, { operation: event.operation, fields: event.fields, value });
    }
    this.#tell(event.userId, row.eventId, problem, isMendable);
  }

  #tell(userId: string | null, eventId: string, problem: LedgerProblem, isMendable: boolean): void {
    this.#order.onDifference({ kind: 'ledger', userId, eventId, problem, isMendable });
    if (userId !== null) this.userIds.add(userId);
  }
}

/** Rows up to the batch's end belong to it, those in its gaps included; never beyond the position. */
function endOf({ partition, nextOffset }: RecordBatch, positions: readonly Position[]): bigint {
  const position = positions.find((each) => each.partition === partition)?.nextOffset ?? nextOffset;
  return nextOffset < position ? nextOffset : position;
}

function problemOf(event: LogEvent, row: SpanRow): LedgerProblem | null {
  if (!row.isReused && row.eventId !== event.eventId) return 'another record';
  if (event.userId !== row.userId || operationOf(event) !== row.operation) return 'another value';
  // What was pruned says nothing.
  const kept = row.data ?? row.raw?.toString('utf8') ?? null;
  return kept === null || kept === event.value?.toString('utf8') ? null : 'another value';
}
