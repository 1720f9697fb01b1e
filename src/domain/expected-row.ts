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

/** What pruned events made of a user's row: what their columns hold, and what they merged into the extra column. */
export interface BaseRow {
  readonly exists: boolean;
  readonly changes: JsonObject;
  readonly extra: JsonObject;
}

/**
 * Folds a history's applied events from an image on; where a pruning kept a base of the user, the fold from the first
 * image begins there. Null: the image needed was pruned, or nothing is applied.
 */
export function ledgerRow(
  history: readonly HistoryEntry[],
  mapper: ColumnMapper,
  from: FoldBase = 'newest image',
  base: BaseRow | null = null,
): LedgerRow | null {
  const applied = history.filter(isApplied);
  if (from === 'first image' && base !== null) {
    const state = foldFrom(copyOf(base), applied.slice(keptFrom(applied)), mapper);
    return state === null
      ? null
      : { ...state, carried: [...carriedBy(base, mapper), ...carriedColumns(applied, mapper)] };
  }
  const start = from === 'newest image' ? applied.findLastIndex(hasBefore) : firstImage(applied);
  const image = applied[start];
  if (image === undefined || (image.beforeExists === true && !image.hasImage)) return null;
  const state = foldFrom(baseOf(image), applied.slice(start), mapper);
  return state === null ? null : { ...state, carried: carriedColumns(applied, mapper) };
}

/**
 * The base to keep of events that are about to be pruned, all of a user's that are applied: folded from the base that an
 * earlier pruning kept, else from the first image. Null: it cannot be told.
 */
export function foldBase(
  history: readonly HistoryEntry[],
  mapper: ColumnMapper,
  base: BaseRow | null,
): BaseRow | null {
  const applied = history.filter(isApplied);
  const rest = applied.slice(keptFrom(applied));
  const [first] = rest;
  if (first === undefined) return base;
  const begin = base !== null ? copyOf(base) : hasBefore(first) ? baseOf(first) : null;
  const state = begin === null ? null : foldFrom(begin, rest, mapper);
  return state === null ? null : { exists: state.exists, changes: state.changes, extra: state.extra };
}

/** Columns that pruned events have carried. */
function carriedBy({ changes, extra }: BaseRow, { table }: ColumnMapper): readonly string[] {
  const isExtra = Object.keys(extra).length > 0 && table.extraColumn !== null;
  return [...Object.keys(changes), ...(isExtra ? [table.extraColumn] : [])];
}

function copyOf({ exists, changes, extra }: BaseRow): FoldedRow {
  return { imageOf: null, exists, changes: { ...changes }, extra: { ...extra } };
}

/** Where the events begin of which what they carried is kept. */
function keptFrom(applied: readonly HistoryEntry[]): number {
  return applied.findLastIndex(isPruned) + 1;
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
  base: BaseRow | null = null,
): readonly FoldedImage[] | null {
  const applied = history.filter(isApplied);
  const start = base === null ? firstImage(applied) : keptFrom(applied);
  const begin = applied[start];
  if (begin === undefined) return [];
  if (begin.beforeExists === true && !begin.hasImage) return null;
  let state: FoldedRow | null = base === null ? baseOf(begin) : copyOf(base);
  // With a base, the first image is compared with it like any other.
  const first = base === null ? begin : null;
  const images: FoldedImage[] = [];
  for (const entry of applied.slice(start)) {
    if (entry !== first && hasBefore(entry)) {
      const { changes, extra } = state;
      images.push({ eventId: entry.eventId, ...state, changes: { ...changes }, extra: { ...extra } });
    }
    state = step(state, entry, mapper);
    if (state === null) return null;
  }
  return images;
}

function isApplied(entry: HistoryEntry): boolean {
  return isCud(entry) && entry.status === 'applied';
}

function hasBefore({ beforeExists }: HistoryEntry): boolean {
  return beforeExists !== null;
}

/** True where what the event carried, or the image it had, is not kept any more. */
function isPruned({ fields, beforeExists, hasImage }: HistoryEntry): boolean {
  return fields === null || (beforeExists === true && !hasImage);
}

/** The first event, behind whatever was pruned, that has an image; -1 where there is none. */
function firstImage(applied: readonly HistoryEntry[]): number {
  const kept = keptFrom(applied);
  return applied.findIndex((entry, index) => index >= kept && hasBefore(entry));
}

function foldFrom(base: FoldedRow, applied: readonly HistoryEntry[], mapper: ColumnMapper): FoldedRow | null {
  let state: FoldedRow | null = base;
  for (const entry of applied) {
    state = step(state, entry, mapper);
    if (state === null) return null;
  }
  return state;
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
  if (isEventError(mapped)) {
    // The table was changed since: a field that has no place any more must not take the others with it.
    const names = Object.keys(fields);
    if (names.length > 1) {
      for (const name of names) {
        const value = fields[name];
        if (value !== undefined) addFields(Object.fromEntries([[name, value]]), mapper, changes, extra);
      }
    }
    return;
  }
  mapper.table.columns.forEach((column, index) => {
    if (mapped.texts[index] === undefined) return;
    const field = [column.name, ...fieldNamesOf(column.name)].findLast((name) => Object.hasOwn(fields, name));
    const value = field === undefined ? undefined : fields[field];
    if (value !== undefined) setOwn(changes, column.name, value);
  });
  if (mapped.extra !== null) addMembers(extra, mapped.extra);
}
