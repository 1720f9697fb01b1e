import { addMembers, type ColumnValues } from './column-values.ts';
import type { JsonObject } from './event.ts';

/** What one batch does to one user's row. `upsert` is for a user of whom it is not known whether the row exists. */
export type RowAction = 'none' | 'insert' | 'update' | 'delete' | 'upsert';

export interface UserWrite {
  readonly userId: string;
  /** Index of the decision that carries the write: the user's first executed event of the batch. */
  readonly at: number;
  /** What must hold before the batch: the row exists, it does not, or (null) either. */
  readonly expects: boolean | null;
  readonly action: RowAction;
  /** Merged values, parallel to the table's columns; undefined = not carried. */
  readonly texts: readonly (string | null | undefined)[];
  readonly extra: JsonObject | null;
  /** Time of the event that makes the row, ms: what the column for its making takes. */
  readonly madeAt: number;
  /** Time of the last event in it, ms: what the column for the last change takes. */
  readonly touchedAt: number;
}

/** The pending net change of one user's row, relative to the row before the batch. */
export class RowChange {
  #at: number;
  #isPlaced = false;
  #expects: boolean | null;
  #action: RowAction = 'none';
  #texts: (string | null | undefined)[] = [];
  #extra: JsonObject | null = null;
  #madeAt = 0;
  #touchedAt = 0;

  /** `expects`: whether the row exists before the batch, null where that is not known (yet). */
  constructor(at: number, expects: boolean | null) {
    this.#at = at;
    this.#expects = expects;
  }

  /** Fixes a prediction: the statement verifies it. */
  expect(exists: boolean): void {
    this.#expects = exists;
  }

  /**
   * False where a put (or create) must begin a new batch: the row that is deleted in this one may exist before it
   * (one statement cannot delete and insert a key), or an update of a row that may not exist came before.
   */
  canPut(exists: boolean | null): boolean {
    if (this.#action === 'delete') return false;
    return !(exists === null && this.#action === 'update');
  }

  /**
   * An event counts as executed. The first one carries the write and with it the before image: whatever is rewound to
   * it or to a later one finds the row as it was before the batch.
   */
  place(at: number): void {
    if (!this.#isPlaced) this.#at = at;
    this.#isPlaced = true;
  }

  /** Merges values into a row that exists by now; `exists` null: into one that may exist. */
  put(values: ColumnValues, timestamp: number, exists: boolean | null): void {
    if (this.#action === 'none')
      this.#begin(exists === null ? 'upsert' : exists ? 'update' : 'insert', timestamp);
    this.#merge(values, timestamp);
  }

  update(values: ColumnValues, timestamp: number): void {
    if (this.#action === 'none') this.#begin('update', timestamp);
    this.#merge(values, timestamp);
  }

  delete(timestamp: number): void {
    this.#begin(this.#action === 'insert' ? 'none' : 'delete', timestamp);
  }

  toWrite(userId: string): UserWrite {
    return {
      userId,
      at: this.#at,
      expects: this.#expects,
      action: this.#action,
      texts: this.#texts,
      extra: this.#extra,
      madeAt: this.#madeAt,
      touchedAt: this.#touchedAt,
    };
  }

  #begin(action: RowAction, timestamp: number): void {
    this.#action = action;
    this.#madeAt = timestamp;
    this.#texts = [];
    this.#extra = null;
  }

  #merge(values: ColumnValues, timestamp: number): void {
    this.#touchedAt = timestamp;
    if (this.#texts.length === 0) this.#texts = values.texts;
    else values.texts.forEach((text, index) => text !== undefined && (this.#texts[index] = text));
    if (values.extra === null) return;
    if (this.#extra === null) this.#extra = values.extra;
    else addMembers(this.#extra, values.extra);
  }
}
