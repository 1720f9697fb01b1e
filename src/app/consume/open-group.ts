import { columnMapper } from '../../domain/column-values.ts';
import type { EnvelopeContext } from '../../domain/envelope.ts';
import { identityOfPlace } from '../../domain/event-identity.ts';
import type { CudOperation, LogEvent } from '../../domain/event.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Database } from '../../postgres/transaction.ts';
import { applyBatch, type ApplyBatch } from '../../postgres/sql/apply-batch.ts';
import { executeAgain } from '../../postgres/sql/execute-again.ts';
import { findUsersTable } from '../../postgres/sql/find-users-table.ts';
import { probeEvents, type ProbeEvents } from '../../postgres/sql/probe-events.ts';
import { readBinding, type Binding } from '../../postgres/sql/read-binding.ts';
import { requireUtf8 } from '../../postgres/sql/read-server.ts';
import { readFacts } from '../../postgres/sql/read-facts.ts';
import type { ReconcileContext } from '../reconcile/reconcile.ts';
import { bindLog, type BindOptions } from './bind-log.ts';

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

export interface GroupOptions extends BindOptions {
  readonly ignoreTypes: ReadonlySet<string>;
  readonly mapTypes: ReadonlyMap<string, CudOperation>;
}

export interface Group extends Ledger {
  readonly envelope: EnvelopeContext;
  readonly applyBatch: ApplyBatch;
  readonly probeEvents: ProbeEvents;
  readonly deriveId: (event: LogEvent) => string;
}

/**
 * Opens a consumer group: the ledger, bound to the log (see `bindLog`). BINDING_MISMATCH, LOG_REPLACED, TOPIC_NOT_FOUND,
 * NOT_INITIALISED, USERS_TABLE_INVALID, DATABASE_ENCODING.
 */
export async function openGroup(log: EventLog, database: Database, options: GroupOptions): Promise<Group> {
  await requireUtf8(database.pool);
  const ledger = await openLedger(database);
  const { pool, schema } = database;
  const { clusterId, topic } = await bindLog(log, pool, schema, options);
  const { ignoreTypes, mapTypes } = options;
  return {
    ...statements(ledger),
    envelope: { clusterId, topic, keyType: ledger.mapper.table.keyType, ignoreTypes, mapTypes },
    deriveId: ({ partition, offset, timestamp }) => {
      const place = { partition, offset, timestamp, key: null, value: null, headers: [] };
      return identityOfPlace(place, clusterId, topic).eventId;
    },
  };
}

/** The group with the users table as the catalog has it now. NOT_INITIALISED, USERS_TABLE_INVALID. */
export async function rereadTable(group: Group, database: Database): Promise<Group> {
  const ledger = await openLedger(database);
  return { ...group, ...statements(ledger) };
}

function statements(ledger: Ledger): Ledger & Pick<Group, 'applyBatch' | 'probeEvents'> {
  const { table } = ledger.mapper;
  return { ...ledger, applyBatch: applyBatch(ledger.schema, table), probeEvents: probeEvents(table) };
}
