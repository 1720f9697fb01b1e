import type { ColumnMapper } from '../../domain/column-values.ts';

/** What reading a story needs to know of the service. */
export interface StoryContext {
  readonly schema: string;
  /** Null where the users table is not what it has to be: then the rows are left out of the story. */
  readonly mapper: ColumnMapper | null;
  /** Why there is no mapper. */
  readonly tableFault: string | null;
}
