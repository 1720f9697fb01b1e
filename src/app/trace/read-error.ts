import type { EventError } from '../../domain/column-values.ts';
import type { JsonObject } from '../../domain/event.ts';
import type { RawJson } from '../../domain/raw-json.ts';
import type { UsersTable } from '../../domain/users-table.ts';
import { ERROR_CODES } from '../../errors/codes.ts';
import { findHolder, readConstraint, type ConstraintDefinition } from '../../postgres/sql/read-constraint.ts';
import { readInvalidValues } from '../../postgres/sql/read-invalid-values.ts';
import type { PoolClient } from '../../postgres/transaction.ts';
import type { TracedError } from './event-trace.ts';
import type { StoryContext } from './story-context.ts';
import type { RowEffect } from './row-effect.ts';

/** An error with what the catalog says of its constraint, and who is in the way where that is a unique one. */
export async function readError(
  client: PoolClient,
  { mapper }: StoryContext,
  error: EventError,
  effect: RowEffect | null,
): Promise<TracedError> {
  // A ledger that a newer version wrote may have codes of its own.
  const hint = Object.hasOwn(ERROR_CODES, error.code) ? ERROR_CODES[error.code].hint : '';
  const constraint = await readNamed(client, error.detail ?? {});
  const open = effect?.kind === 'would' ? effect : null;
  if (mapper === null || open === null) {
    return {
      ...error,
      hint,
      constraint: constraint === null ? null : { ...constraint, heldBy: null },
      invalid: [],
    };
  }
  const heldBy = constraint === null ? null : await readHolder(client, mapper.table, constraint, open);
  const invalid =
    error.code === 'DATABASE_VALUE' ? await readInvalidValues(client, mapper.table, carriedTexts(open)) : [];
  return { ...error, hint, constraint: constraint === null ? null : { ...constraint, heldBy }, invalid };
}

/** What the event carries, by column, as it is cast. */
function carriedTexts({ fields }: RowEffect): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { field, after, isCarried } of fields) {
    const text = isCarried ? textOf(after) : null;
    if (text !== null) texts.set(field, text);
  }
  return texts;
}

function readNamed(client: PoolClient, detail: JsonObject): Promise<ConstraintDefinition | null> {
  const { schema, table, constraint } = detail;
  if (typeof schema !== 'string' || typeof table !== 'string' || typeof constraint !== 'string')
    return Promise.resolve(null);
  return readConstraint(client, { schema, table, constraint });
}

async function readHolder(
  client: PoolClient,
  table: UsersTable,
  { columns, isUnique }: ConstraintDefinition,
  { after }: RowEffect,
): Promise<string | null> {
  if (!isUnique || columns.length === 0 || after === undefined || after === null) return null;
  const values = new Map<string, string>();
  for (const column of columns) {
    const text = textOf(after[column]);
    if (text === null) return null;
    values.set(column, text);
  }
  return findHolder(client, table, values);
}

/** The text that is cast to the column's type; null for NULL, which is equal to nothing. */
function textOf(value: RawJson | undefined): string | null {
  if (value === undefined || value.text === 'null') return null;
  const parsed: unknown = JSON.parse(value.text);
  return typeof parsed === 'string' ? parsed : value.text;
}
