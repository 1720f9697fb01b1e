import type { LogRow } from '../../app/log/printed.ts';
import { visible } from '../sanitize.ts';
import { cutText, displayWidth, padText } from '../text-width.ts';
import { statusPaint, type Paint, type Style } from '../theme.ts';

/** What the table can show, in the order in which it does. */
export const LOG_COLUMNS = ['time', 'position', 'operation', 'user', 'status', 'event', 'value'] as const;
export type LogColumn = (typeof LOG_COLUMNS)[number];

/** Text made safe, and its colour. */
interface Text {
  readonly text: string;
  readonly paint?: Paint;
}

interface Column {
  readonly name: LogColumn;
  readonly title: string;
  readonly align?: 'right';
  readonly cell: (row: LogRow, style: Style) => Text;
}

/** Columns between two columns of the table. */
const GAP = 2;
/** A user id is cut to this on a terminal, which is a UUID's; where there is less room, to that, but no further. */
const USER_WIDTH = 36;
const LEAST_USER_WIDTH = 8;
/** A value that would get less room than that is left out. */
const LEAST_VALUE_WIDTH = 10;

/**
 * A table that is printed page by page: the title line comes with the first page, and a column that has once been wide
 * stays so. On a terminal user ids and values take what room is left. An event id is whole or, where the terminal is too
 * narrow for it beside a user, left out: a part of one is of no use to anybody, and the position names the event too.
 * Times are UTC. `chosen`: these columns, in this order; undefined: all, without the status where the ledger cannot be read.
 */
export function createLogTable(
  style: Style,
  chosen?: readonly LogColumn[],
): (rows: readonly LogRow[]) => string {
  let columns: readonly Column[] | null = null;
  const wanted = new Map<Column, number>();
  return (rows) => {
    const [first] = rows;
    if (first === undefined) return '';
    const isFirst = columns === null;
    const all = columns ?? chooseColumns(chosen, first);
    const cells = rows.map((row) => new Map(all.map((column) => [column, column.cell(row, style)])));
    for (const column of all) {
      const least = wanted.get(column) ?? displayWidth(column.title);
      const texts = cells.map((row) => displayWidth(row.get(column)?.text ?? ''));
      wanted.set(
        column,
        texts.reduce((widest, width) => Math.max(widest, width), least),
      );
    }
    const shown = (columns ??= chosen === undefined ? withIdOrWithout(all, wanted, style) : all);
    const widths = fitWidths(shown, wanted, chosen !== undefined, style);
    const lines = cells.map((row) => renderRow((column) => row.get(column), widths, style));
    const title = ({ title: text }: Column): Text => ({ text, paint: style.theme.title });
    return (isFirst ? [renderRow(title, widths, style), ...lines] : lines).join('\n');
  };
}

function chooseColumns(chosen: readonly LogColumn[] | undefined, { status }: LogRow): readonly Column[] {
  if (chosen !== undefined) return chosen.flatMap((name) => COLUMNS.filter((column) => column.name === name));
  return status === null ? COLUMNS.filter((column) => column !== STATUS) : COLUMNS;
}

type Widths = ReadonlyMap<Column, number>;

function withIdOrWithout(columns: readonly Column[], wanted: Widths, { width }: Style): readonly Column[] {
  const least = Math.min(wanted.get(USER) ?? 0, LEAST_USER_WIDTH);
  const isRoom = width === null || rigidWidth(columns, wanted) + least <= width;
  return isRoom ? columns : columns.filter((column) => column !== EVENT);
}

/** What the columns take that are not cut, with a gap behind each. */
function rigidWidth(columns: readonly Column[], wanted: Widths): number {
  return columns
    .filter((column) => column !== USER && column !== VALUE)
    .reduce((sum, column) => sum + (wanted.get(column) ?? 0) + GAP, 0);
}

/** The widths that the columns get, in their order. A value that was not chosen makes room for the rest. */
function fitWidths(columns: readonly Column[], wanted: Widths, isChosen: boolean, { width }: Style): Widths {
  if (width === null) return new Map(columns.map((column) => [column, wanted.get(column) ?? 0]));
  const left = width - rigidWidth(columns, wanted);
  const isKept = isChosen && columns.includes(VALUE);
  const forUser = Math.max(LEAST_USER_WIDTH, isKept ? left - GAP - LEAST_VALUE_WIDTH : left);
  const user = Math.min(wanted.get(USER) ?? 0, USER_WIDTH, forUser);
  const forValue = columns.includes(USER) ? left - user - GAP : left;
  const value = Math.min(wanted.get(VALUE) ?? 0, forValue < LEAST_VALUE_WIDTH ? 0 : forValue);
  const fitted = new Map([
    [USER, user],
    [VALUE, value],
  ]);
  return new Map(columns.map((column) => [column, fitted.get(column) ?? wanted.get(column) ?? 0]));
}

function renderRow(cellOf: (column: Column) => Text | undefined, widths: Widths, { width }: Style): string {
  const last = [...widths.keys()].at(-1);
  let left = width ?? Infinity;
  let line = '';
  for (const [column, wide] of widths) {
    const { text = '', paint } = cellOf(column) ?? {};
    const room = Math.min(wide, left);
    if (room < 1) continue;
    const cut = width === null ? text : cutText(text, room);
    const padded = column === last ? cut : padText(cut, room, column.align);
    line += `${paint === undefined ? padded : paint(padded)}${' '.repeat(GAP)}`;
    left -= room + GAP;
  }
  return line.trimEnd();
}

const STATUS: Column = {
  name: 'status',
  title: 'STATUS',
  cell: ({ status }, { theme }) => ({ text: status ?? '?', paint: statusPaint(status ?? '', theme) }),
};

const USER: Column = {
  name: 'user',
  title: 'USER',
  cell: ({ userId }, { theme }) =>
    userId === null ? { text: 'none', paint: theme.dim } : { text: visible(userId), paint: theme.accent },
};

const EVENT: Column = { name: 'event', title: 'EVENT', cell: ({ eventId }) => ({ text: eventId }) };

const VALUE: Column = {
  name: 'value',
  title: 'VALUE',
  cell: ({ value }, { theme }) => {
    if (value === null) return { text: 'null', paint: theme.dim };
    return typeof value === 'number'
      ? { text: `${String(value)} bytes`, paint: theme.dim }
      : { text: visible(value) };
  },
};

const COLUMNS: readonly Column[] = [
  { name: 'time', title: 'TIME', cell: ({ timestamp }) => ({ text: timeOf(timestamp) }) },
  {
    name: 'position',
    title: 'POSITION',
    align: 'right',
    cell: ({ partition, offset }) => ({ text: `${String(partition)}@${String(offset)}` }),
  },
  {
    name: 'operation',
    title: 'OPERATION',
    cell: ({ operation, kind }, { theme }) =>
      operation === null ? { text: kind, paint: theme.warn } : { text: operation },
  },
  USER,
  STATUS,
  EVENT,
  VALUE,
];

/** `2026-01-31 08:30:15`, or the number where no calendar has it. */
function timeOf(timestamp: number): string {
  const date = new Date(timestamp);
  return Number.isNaN(date.getTime()) ? String(timestamp) : date.toISOString().slice(0, -5).replace('T', ' ');
}
