import { columnMapper } from '../../domain/column-values.ts';
import type { EnvelopeContext } from '../../domain/envelope.ts';
import { identityOfPlace } from '../../domain/event-identity.ts';
import type { CudOperation, LogEvent } from '../../domain/event.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Database } from '../../postgres/transaction.ts';
import { applyBatch, type ApplyBatch } from '../../postgres/sql/apply-batch.ts';
import { addGeneration, bindGroup, rebindCluster } from '../../postgres/sql/bind-group.ts';
import { executeAgain } from '../../postgres/sql/execute-again.ts';
import { findUsersTable } from '../../postgres/sql/find-users-table.ts';
import { probeEvents, type ProbeEvents } from '../../postgres/sql/probe-events.ts';
import { readBinding, type Binding } from '../../postgres/sql/read-binding.ts';
import { readFacts } from '../../postgres/sql/read-facts.ts';
import type { ReconcileContext } from '../reconcile/reconcile.ts';

/** One consumer group on one database, checked and ready: what consuming, retrying and skipping work with. */
export interface Ledger extends ReconcileContext {
  readonly binding: Binding;
}

/** Opens the ledger of a schema: reads its binding and the users table. NOT_INITIALISED, USERS_TABLE_INVALID. */
export async function openLedger(database: Database): Promise<Ledger> {
  const { pool, schema, address } = database;
  const binding = await readBinding(pool, schema);
  const table = await findUsersTable(pool, binding);
  return {
    binding,
    schema,
    rules: binding.rules,
    mapper: columnMapper(table),
    ours: { schema, table, address },
    readFacts: readFacts(schema, table),
    executeAgain: executeAgain(schema, table),
  };
}

export interface GroupOptions {
  readonly group: string;
  readonly acceptGap: boolean;
  readonly ignoreTypes: ReadonlySet<string>;
  readonly mapTypes: ReadonlyMap<string, CudOperation>;
}

export interface Group extends Ledger {
  readonly generation: number;
  readonly envelope: EnvelopeContext;
  readonly applyBatch: ApplyBatch;
  readonly probeEvents: ProbeEvents;
  readonly deriveId: (event: LogEvent) => string;
}

/**
 * Opens a consumer group: binds the schema to cluster, topic, partition count and group at first use, and refuses
 * another one later (DESIGN 4). BINDING_MISMATCH, LOG_REPLACED, TOPIC_NOT_FOUND, NOT_INITIALISED, USERS_TABLE_INVALID.
 */
export async function openGroup(log: EventLog, database: Database, options: GroupOptions): Promise<Group> {
  const ledger = await openLedger(database);
  const { clusterId, topic, partitionCount } = await log.describe();
  const { pool, schema } = database;
  const bound = await bindGroup(pool, schema, { clusterId, topic, partitionCount, group: options.group });
  requireSame('topic', bound.topic, topic, schema);
  requireSame('group', bound.group, options.group, schema);
  if (bound.clusterId !== clusterId) {
    if (!options.acceptGap) requireSame('cluster', bound.clusterId, clusterId, schema);
    await rebindCluster(pool, schema, clusterId);
  }
  if (partitionCount < bound.partitionCount && !options.acceptGap) {
    const message = `${topic} has ${String(partitionCount)} partitions and had ${String(bound.partitionCount)}: it was made anew`;
    throw new UserEventsError('LOG_REPLACED', message);
  }
  const generation =
    partitionCount > bound.partitionCount
      ? await grow(log, database, bound.partitionCount, partitionCount)
      : bound.generation;
  const { table } = ledger.mapper;
  const { ignoreTypes, mapTypes } = options;
  return {
    ...ledger,
    generation,
    envelope: { clusterId, topic, keyType: table.keyType, ignoreTypes, mapTypes },
    applyBatch: applyBatch(schema, table),
    probeEvents: probeEvents(table),
    deriveId: ({ partition, offset, timestamp }) => {
      const place = { partition, offset, timestamp, key: null, value: null, headers: [] };
      return identityOfPlace(place, clusterId, topic).eventId;
    },
  };
}

/** The topic has more partitions than recorded: fixes where the old ones have to be before the new ones begin. */
async function grow(log: EventLog, { pool, schema }: Database, from: number, to: number): Promise<number> {
  const ends = (await log.watermarks()).filter(({ partition }) => partition < from);
  const sorted = ends.toSorted((a, b) => a.partition - b.partition).map(({ high }) => high);
  return addGeneration(pool, schema, to, sorted);
}

function requireSame(what: string, bound: string, found: string, schema: string): void {
  if (bound === found) return;
  const message = `The schema ${schema} belongs to ${what} ${bound}, not to ${found}`;
  throw new UserEventsError('BINDING_MISMATCH', message);
}
