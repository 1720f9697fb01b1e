import type { LogRow } from '../../app/log/printed.ts';
import { visible } from '../sanitize.ts';
import { cutText, displayWidth, padText } from '../text-width.ts';
import { statusPaint, type Paint, type Style } from '../theme.ts';

/** What the table can show, in the order in which it does. */
export const LOG_COLUMNS = ['time', 'position', 'operation', 'user', 'status', 'event', 'value'] as const;
export type LogColumn = (typeof LOG_COLUMNS)[number];

interface Column {
  readonly name: LogColumn;
  readonly title: string;
  readonly align?: 'right';
  /** Text made safe, and its colour. */
  readonly cell: (row: LogRow, style: Style) => { readonly text: string; readonly paint?: Paint };
}

/** Columns between two columns of the table. */
const GAP = 2;
/** A user id is cut to this on a terminal; a value that would get less room than that is left out. */
const USER_WIDTH = 24;
const LEAST_VALUE_WIDTH = 10;

/**
 * A table that is printed page by page: the title line comes with the first page, and a column that has once been wide
 * stays so. On a terminal the value takes what room is left, and is left out where there is none. Times are UTC.
 * `chosen`: these columns, in this order; undefined: all, without the status where the ledger cannot be read.
 */
export function createLogTable(
  style: Style,
  chosen?: readonly LogColumn[],
): (rows: readonly LogRow[]) => string {
  let columns: readonly Column[] | null = null;
  let widths: number[] = [];
  return (rows) => {
    const [first] = rows;
    if (first === undefined) return '';
    const isFirst = columns === null;
    const shown = (columns ??= chooseColumns(chosen, first));
    if (isFirst) widths = shown.map(({ title }) => displayWidth(title));
    const cells = rows.map((row) => shown.map((column) => column.cell(row, style)));
    const measured = style.width === null ? cells : cells.map((row) => row.slice(0, -1));
    for (const row of measured) {
      row.forEach(({ text }, at) => {
        widths[at] = Math.max(widths[at] ?? 0, displayWidth(text));
      });
    }
    const lines = cells.map((row) => renderRow(row, shown, widths, style));
    const titles = shown.map(({ title }) => ({ text: title, paint: style.theme.title }));
    return (isFirst ? [renderRow(titles, shown, widths, style), ...lines] : lines).join('\n');
  };
}

function chooseColumns(chosen: readonly LogColumn[] | undefined, { status }: LogRow): readonly Column[] {
  if (chosen !== undefined) return chosen.flatMap((name) => COLUMNS.filter((column) => column.name === name));
  return status === null ? COLUMNS.filter((column) => column !== STATUS) : COLUMNS;
}

function renderRow(
  row: readonly { readonly text: string; readonly paint?: Paint }[],
  columns: readonly Column[],
  widths: readonly number[],
  { width }: Style,
): string {
  let left = width ?? Infinity;
  let line = '';
  row.forEach(({ text, paint }, at) => {
    const isLast = at === columns.length - 1;
    const room = isLast ? left : Math.min(widths[at] ?? 0, left);
    if (room < 1 || (isLast && room < LEAST_VALUE_WIDTH)) return;
    const cut = Number.isFinite(room) ? cutText(text, room) : text;
    const padded = isLast ? cut : padText(cut, room, columns[at]?.align);
    line += `${paint === undefined ? padded : paint(padded)}${isLast ? '' : ' '.repeat(GAP)}`;
    left -= room + GAP;
  });
  return line.trimEnd();
}

const STATUS: Column = {
  name: 'status',
  title: 'STATUS',
  cell: ({ status }, { theme }) => ({ text: status ?? '?', paint: statusPaint(status ?? '', theme) }),
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
  {
    name: 'user',
    title: 'USER',
    cell: ({ userId }, { theme, width }) => {
      if (userId === null) return { text: 'none', paint: theme.dim };
      const text = visible(userId);
      return { text: width === null ? text : cutText(text, USER_WIDTH), paint: theme.accent };
    },
  },
  STATUS,
  { name: 'event', title: 'EVENT', cell: ({ eventId }) => ({ text: eventId }) },
  {
    name: 'value',
    title: 'VALUE',
    cell: ({ value }, { theme }) => {
      if (value === null) return { text: 'null', paint: theme.dim };
      return typeof value === 'number'
        ? { text: `${String(value)} bytes`, paint: theme.dim }
        : { text: visible(value) };
    },
  },
];

/** `2026-01-31 08:30:15`, or the number where no calendar has it. */
function timeOf(timestamp: number): string {
  const date = new Date(timestamp);
  return Number.isNaN(date.getTime()) ? String(timestamp) : date.toISOString().slice(0, -5).replace('T', ' ');
}
