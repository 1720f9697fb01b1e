import Table from 'cli-table3';
import { visible } from './sanitize.ts';
import { cutText, displayWidth, padText } from './text-width.ts';
import type { Paint, Style } from './theme.ts';
import { wrapText } from './wrap-text.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Of ids, which are copied: the other columns are cut first, this one is left alone up to a UUID's width. */
  readonly isId?: boolean;
}

/** Raw text of the log or the database (made safe here), with the colour it is printed in. */
export type Cell = string | { readonly text: string; readonly paint: Paint };

/** Columns of the terminal between two columns of a table. */
export const COLUMN_GAP = 2;
/** A column is not cut below this, so that ids and times stay recognisable. */
const LEAST = 8;
/** What a column of ids is not cut below, where the terminal has so much: a UUID. */
const LEAST_ID = 36;
/** A character of the private use area: one column wide in every version of string-width. */
const PLACEHOLDER = '\ue000';

/**
 * A table without borders that fits the terminal: the widest columns are cut first, with `…`, and where that is not
 * enough the last columns are left out, with `…` in their place. Without a terminal nothing is cut. Control characters
 * in cells are made visible.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  style: Style,
): string {
  const heads = columns.map((column): Cell => ({ text: column.title, paint: style.theme.title }));
  const lines = [heads, ...rows].map((row) => columns.map((_, at) => readCell(row[at] ?? '')));
  const wanted = columns.map((_, at) =>
    lines.reduce((widest, line) => Math.max(widest, displayWidth(line[at]?.text ?? '')), 1),
  );
  const room = style.width ?? Infinity;
  const leasts = columns.map(({ isId = false }) => Math.min(isId ? LEAST_ID : LEAST, room - COLUMN_GAP - 1));
  const { widths, isCut } =
    style.width === null ? { widths: wanted, isCut: false } : fitWidths(wanted, leasts, style.width);
  const layout = layOut(isCut ? [...widths, 1] : widths);
  return lines
    .map((line) => {
      const cells = widths.map((width, at) => {
        const { text, paint } = line[at] ?? readCell('');
        return paint(padText(cutText(text, width), width, columns[at]?.align));
      });
      return fillIn(layout, isCut ? [...cells, '…'] : cells);
    })
    .join('\n');
}

/** Two columns, `label  value`: for one thing's fields. Values are made safe; on a terminal a long one goes on below. */
export function renderFields(
  fields: readonly (readonly [label: string, value: Cell])[],
  style: Style,
): string {
  const labelWidth = Math.max(0, ...fields.map(([label]) => displayWidth(label)));
  const indent = ' '.repeat(labelWidth + COLUMN_GAP);
  return fields
    .map(([label, cell]) => {
      const { text, paint } = readCell(cell);
      const [first = '', ...rest] =
        style.width === null ? [text] : wrapText(text, style.width - labelWidth - COLUMN_GAP);
      const head =
        `${style.theme.dim(padText(label, labelWidth))}${' '.repeat(COLUMN_GAP)}${paint(first)}`.trimEnd();
      return [head, ...rest.map((line) => `${indent}${paint(line)}`)].join('\n');
    })
    .join('\n');
}

function readCell(cell: Cell): { text: string; paint: Paint } {
  return typeof cell === 'string'
    ? { text: visible(cell), paint: (text) => text }
    : { text: visible(cell.text), paint: cell.paint };
}

/** `isCut`: the columns behind `widths` are left out, and one column for `…` was kept. */
function fitWidths(
  wanted: readonly number[],
  leasts: readonly number[],
  room: number,
): { widths: readonly number[]; isCut: boolean } {
  const leastOf = (count: number): number =>
    leasts
      .slice(0, count)
      .reduce((sum, least, at) => sum + Math.min(wanted[at] ?? 0, least) + COLUMN_GAP, -COLUMN_GAP);
  if (leastOf(wanted.length) <= room) return { widths: shrink(wanted, leasts, room), isCut: false };
  const roomBesideMark = room - COLUMN_GAP - 1;
  let count = wanted.length - 1;
  while (count > 1 && leastOf(count) > roomBesideMark) count -= 1;
  return { widths: shrink(wanted.slice(0, count), leasts, roomBesideMark), isCut: true };
}

/** Takes from the widest column that may give, one column at a time, until all fit or none may give any more. */
function shrink(wanted: readonly number[], leasts: readonly number[], room: number): readonly number[] {
  const widths = [...wanted];
  let excess = widths.reduce((sum, width) => sum + width + COLUMN_GAP, -COLUMN_GAP) - room;
  while (excess > 0) {
    const given = widths.map((width, at) => (width > (leasts[at] ?? LEAST) ? width : 0));
    const widest = Math.max(...given);
    if (widest === 0) break;
    widths[given.indexOf(widest)] = widest - 1;
    excess -= 1;
  }
  return widths;
}

/**
 * The layout of a line. cli-table3 measures with string-width 4, which takes emoji since Unicode 12 for one column and
 * would misalign the row, and its time grows with the square of the rows. So it lays out one row of placeholders, of
 * the widths that string-width 7 measured, and every row's cells replace them.
 */
function layOut(widths: readonly number[]): string {
  const table = new Table({
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: ' '.repeat(COLUMN_GAP),
    },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  table.push(widths.map((width) => PLACEHOLDER.repeat(width)));
  return table.toString();
}

function fillIn(layout: string, cells: readonly string[]): string {
  let next = 0;
  const filled = layout.replace(/\ue000+/g, () => cells[next++] ?? '');
  return filled.trimEnd();
}
