/** The types a key column may have: those in which one user has exactly one canonical text. */
export const KEY_TYPES = ['text', 'varchar', 'uuid', 'int2', 'int4', 'int8'] as const;
export type KeyType = (typeof KEY_TYPES)[number];

/** One column that events can carry. Generated and identity columns, the key and stamps are not among them. */
export interface UserColumn {
  readonly name: string;
  /** The catalog's type name without modifiers, schema-qualified and quoted where needed: what a cast is written with. */
  readonly castType: string;
  /** How a JSON value becomes the text that is cast: json keeps JSON, array becomes an array literal, scalar its text. */
  readonly form: 'scalar' | 'json' | 'array';
  /** The column's default as the catalog prints it (an SQL expression), or null. */
  readonly defaultExpression: string | null;
}

/** The user's own table, as the catalog describes it. Read once per assignment. */
export interface UsersTable {
  readonly schema: string;
  readonly name: string;
  readonly keyColumn: string;
  readonly keyType: KeyType;
  /** Names of the unique constraints and indexes on the key alone: their violation means that the user exists. */
  readonly keyConstraints: readonly string[];
  /** At most 62: a mask of them travels as one int8. */
  readonly columns: readonly UserColumn[];
  /** The jsonb column into which fields without a column are merged; null where none is configured. Also in `columns`. */
  readonly extraColumn: string | null;
  /** Columns that take the event's own time when a row is made, and when it changes; null where there are none. */
  readonly createdColumn: string | null;
  readonly updatedColumn: string | null;
  /** Every column that an insert can write (not generated), in the table's order: what a before image restores. */
  readonly writableColumns: readonly string[];
}

/** The field names that reach a column: its own name, and the camelCase of a snake_case name. */
export function fieldNamesOf(column: string): readonly string[] {
  const camel = column.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return camel === column ? [column] : [column, camel];
}
