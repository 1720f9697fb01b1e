import { TYPE_OF_OPERATION, type EnvelopeContext } from '../domain/envelope.ts';
import { CUD_OPERATIONS, type CudOperation } from '../domain/event.ts';
import type { KeyType } from '../domain/users-table.ts';
import { UserEventsError } from '../errors/user-events-error.ts';
import type { TopicDescription } from '../log/event-log.ts';
import type { Database } from '../postgres/transaction.ts';
import { findUsersTable } from '../postgres/sql/find-users-table.ts';
import { findBinding } from '../postgres/sql/read-binding.ts';
import { whereReadable } from '../postgres/sql/where-readable.ts';

/** Settings about other producers' types. */
export interface TypeSettings {
  readonly ignoreTypes: readonly string[];
  /** Foreign `ce_type` → ours (`user.created` …). */
  readonly mapTypes: ReadonlyMap<string, string>;
}

/** What reading records of a topic needs. Throws CONFIG_INVALID where a type is mapped to none of ours. */
export function envelopeContext(
  { clusterId, topic }: TopicDescription,
  keyType: KeyType,
  { ignoreTypes, mapTypes }: TypeSettings,
): EnvelopeContext {
  return { clusterId, topic, keyType, ignoreTypes: new Set(ignoreTypes), mapTypes: mapTypesOf(mapTypes) };
}

/** The mapping to our operations. Throws CONFIG_INVALID where a type is mapped to none of ours. */
export function mapTypesOf(mapTypes: TypeSettings['mapTypes']): ReadonlyMap<string, CudOperation> {
  const mapped = [...mapTypes].map(([foreign, ours]) => {
    const operation = CUD_OPERATIONS.find((each) => TYPE_OF_OPERATION[each] === ours);
    if (operation !== undefined) return [foreign, operation] as const;
    const known = CUD_OPERATIONS.map((each) => TYPE_OF_OPERATION[each]).join(', ');
    throw new UserEventsError(
      'CONFIG_INVALID',
      `mapTypes maps ${foreign} to ${ours}, which is none of ${known}`,
    );
  });
  return new Map(mapped);
}

/** The type of this service's key column, or null where it cannot be told: no database, away, or not set up. */
export async function findKeyType(db: Database): Promise<KeyType | null> {
  const table = await whereReadable(db, async () => {
    const binding = await findBinding(db.pool, db.schema);
    return binding === null ? null : findUsersTable(db.pool, binding);
  });
  return table?.keyType ?? null;
}
