import { addMembers, isEventError, setOwn, type ColumnMapper } from './column-values.ts';
import type { JsonObject } from './event.ts';
import { isCud, type HistoryEntry } from './history.ts';
import { fieldNamesOf } from './users-table.ts';

/** What the ledger says a user's row is now, as a base image and the changes since (see postgres/sql/rewind-users). */
export interface LedgerRow {
  readonly imageOf: string | null;
  readonly exists: boolean;
  readonly changes: JsonObject;
  readonly extra: JsonObject;
  /** Columns that some event of this user has carried. */
  readonly carried: readonly string[];
}

/** Folds a history's applied events from the newest image on. Null: the image needed was pruned. */
export function ledgerRow(history: readonly HistoryEntry[], mapper: ColumnMapper): LedgerRow | null {
  const applied = history.filter((entry) => isCud(entry) && entry.status === 'applied');
  const base = applied.findLastIndex((entry) => entry.beforeExists !== null);
  const image = applied[base];
  if (image === undefined || (image.beforeExists === true && !image.hasImage)) return null;
  let imageOf = image.beforeExists === true ? image.eventId : null;
  let exists = image.beforeExists === true;
  let changes: JsonObject = {};
  let extra: JsonObject = {};
  for (const entry of applied.slice(base)) {
    if (entry.operation === 'delete') {
      [imageOf, exists, changes, extra] = [null, false, {}, {}];
      continue;
    }
    // By lenient rules an update of a user who does not exist is applied without effect.
    if (entry.operation === 'update' && !exists) continue;
    if (entry.fields === null) return null;
    exists = true;
    addFields(entry.fields, mapper, changes, extra);
  }
  return { imageOf, exists, changes, extra, carried: carriedColumns(applied, mapper) };
}

function carriedColumns(applied: readonly HistoryEntry[], mapper: ColumnMapper): readonly string[] {
  const changes: JsonObject = {};
  const extra: JsonObject = {};
  for (const { fields } of applied) if (fields !== null) addFields(fields, mapper, changes, extra);
  const { extraColumn } = mapper.table;
  const isExtraCarried = extraColumn !== null && Object.keys(extra).length > 0;
  return [...Object.keys(changes), ...(isExtraCarried ? [extraColumn] : [])];
}

function addFields(fields: JsonObject, mapper: ColumnMapper, changes: JsonObject, extra: JsonObject): void {
  const mapped = mapper.map(fields);
  if (isEventError(mapped)) return;
  mapper.table.columns.forEach((column, index) => {
    if (mapped.texts[index] === undefined) return;
    const field = [column.name, ...fieldNamesOf(column.name)].findLast((name) => Object.hasOwn(fields, name));
    const value = field === undefined ? undefined : fields[field];
    if (value !== undefined) setOwn(changes, column.name, value);
  });
  if (mapped.extra !== null) addMembers(extra, mapped.extra);
}
