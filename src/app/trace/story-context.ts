import { columnMapper, type ColumnMapper } from '../../domain/column-values.ts';
import { UserEventsError } from '../../errors/user-events-error.ts';
import { findUsersTable } from '../../postgres/sql/find-users-table.ts';
import type { Binding } from '../../postgres/sql/read-binding.ts';
import type { Database } from '../../postgres/transaction.ts';

/** What reading a story needs to know of the service. */
export interface StoryContext {
  readonly schema: string;
  /** Null where the users table is not what it has to be: then the rows are left out of the story. */
  readonly mapper: ColumnMapper | null;
  /** Why there is no mapper. */
  readonly tableFault: string | null;
}

/** A users table that is not what it has to be is a part of the story, and no error. */
export async function storyContext({ pool, schema }: Database, binding: Binding): Promise<StoryContext> {
  try {
    return { schema, mapper: columnMapper(await findUsersTable(pool, binding)), tableFault: null };
  } catch (error) {
    if (!(error instanceof UserEventsError) || error.code !== 'USERS_TABLE_INVALID') throw error;
    return { schema, mapper: null, tableFault: error.message };
  }
}
