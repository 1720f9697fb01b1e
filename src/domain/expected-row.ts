import { addMembers, isEventError, setOwn, type ColumnMapper } from './column-values.ts';
import type { JsonObject } from './event.ts';
import { isCud, type HistoryEntry } from './history.ts';
import { fieldNamesOf } from './users-table.ts';

/** What the ledger says a user's row is now, as a base image and the changes since (see postgres/sql/find-drift). */
export interface LedgerRow {
  readonly imageOf: string | null;
  readonly exists: boolean;
  readonly changes: JsonObject;
  readonly extra: JsonObject;
  /** Columns that some event of this user has carried. */
  readonly carried: readonly string[];
}

/** Where the fold of a user's applied events begins. */
export type FoldBase =
  /** The nearest image: what a rewind compares with. A foreign change that an image has seen is part of it. */
  | 'newest image'
  /** The first one that is kept: guarantee I1 (DESIGN 4). */
  | 'first image';

/** Folds a history's applied events from an image on. Null: the image needed was pruned, or nothing is applied. */
export function ledgerRow(
  history: readonly HistoryEntry[],
  mapper: ColumnMapper,
  from: FoldBase = 'newest image',
): LedgerRow | null {
  const applied = history.filter((entry) => isCud(entry) && entry.status === 'applied');
  const hasImage = ({ beforeExists }: HistoryEntry): boolean => beforeExists !== null;
  const base = from === 'newest image' ? applied.findLastIndex(hasImage) : applied.findIndex(hasImage);
  const image = applied[base];
  if (image === undefined || (image.beforeExists === true && !image.hasImage)) return null;
  let state: FoldedRow = baseOf(image);
  for (const entry of applied.slice(base)) {
    const next = step(state, entry, mapper);
    if (next === null) return null;
    state = next;
  }
  return { ...state, carried: carriedColumns(applied, mapper) };
}

/** What the fold says a row was right before an event that has an image of it. */
export interface FoldedImage extends FoldedRow {
  readonly eventId: string;
}

/**
 * The images of a history as the fold from the first one has them, that one left out. Null as for `ledgerRow`. For
 * whoever sets a row to the fold: images that had seen something else would call the row drifted at the next rewind.
 */
export function foldedImages(
  history: readonly HistoryEntry[],
  mapper: ColumnMapper,
): readonly FoldedImage[] | null {
  const applied = history.filter((entry) => isCud(entry) && entry.status === 'applied');
  const base = applied.findIndex(({ beforeExists }) => beforeExists !== null);
  const first = applied[base];
  if (first === undefined || (first.beforeExists === true && !first.hasImage)) return null;
  let state: FoldedRow = baseOf(first);
  const images: FoldedImage[] = [];
  for (const entry of applied.slice(base)) {
    if (entry !== first && entry.beforeExists !== null) {
      images.push({
        eventId: entry.eventId,
        ...state,
        changes: { ...state.changes },
        extra: { ...state.extra },
      });
    }
    const next = step(state, entry, mapper);
    if (next === null) return null;
    state = next;
  }
  return images;
}

type FoldedRow = Omit<LedgerRow, 'carried'>;

function baseOf(image: HistoryEntry): FoldedRow {
  const exists = image.beforeExists === true;
  return { imageOf: exists ? image.eventId : null, exists, changes: {}, extra: {} };
}

/** One applied event on the folded row, whose `changes` and `extra` it adds to. Null: what it carried was pruned. */
function step(state: FoldedRow, entry: HistoryEntry, mapper: ColumnMapper): FoldedRow | null {
  if (entry.operation === 'delete') return { imageOf: null, exists: false, changes: {}, extra: {} };
  // By lenient rules an update of a user who does not exist is applied without effect.
  if (entry.operation === 'update' && !state.exists) return state;
  if (entry.fields === null) return null;
  addFields(entry.fields, mapper, state.changes, state.extra);
  return { ...state, exists: true };
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
