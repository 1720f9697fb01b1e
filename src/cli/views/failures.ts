import type { Failure, FailuresSummary } from '../../app/failures.ts';
import { ageText, shortTime } from '../age-text.ts';
import { visible } from '../sanitize.ts';
import { renderTable, type Column } from '../table.ts';
import { cutText, displayWidth } from '../text-width.ts';
import type { Paint, Style } from '../theme.ts';
import { wrapText } from '../wrap-text.ts';

interface FailuresShown {
  /** The newest, oldest first. */
  readonly shown: readonly Failure[];
  readonly summary: FailuresSummary;
  /** Only some were asked for. */
  readonly isFiltered: boolean;
  /** What the command that is named ends with, so that it means the same service: ` --schema x`, or nothing. */
  readonly flags: string;
}

/** A user's id is shown with so many columns at least. */
const LEAST_USER = 8;
const GAP = 2;
/** Of a terminal this wide there is room for the place and the time as it is. */
const WIDE = 110;

/**
 * Failed events, two lines each: who and what, then why; the counts by code below. The event's id is never cut: it is
 * what the next command takes. On a very narrow terminal it has a line of its own. `nowMs` is what ages are counted from.
 */
export function renderFailures(
  { shown, summary, isFiltered, flags }: FailuresShown,
  style: Style,
  nowMs: number,
): string {
  const { theme } = style;
  if (summary.failed === 0) {
    return isFiltered ? theme.dim('No failed event is like that.') : `${theme.good('✓')} Nothing failed`;
  }
  const { columns, cells, isIdBelow } = layOut(shown, style, nowMs);
  const userAt = columns.findIndex(({ title }) => title === 'USER');
  const room =
    style.width === null ? Infinity : Math.max(LEAST_USER, style.width - widthBeside(columns, cells, 'USER'));
  const fitted = cells.map((row) =>
    row.map((text, at) => (at === userAt ? cutText(visible(text), room) : text)),
  );
  const [head = '', ...lines] = renderTable(columns, fitted, style).split('\n');
  const rows = shown.flatMap((failure, at) => [
    lines[at] ?? '',
    ...(isIdBelow ? [`  ${failure.eventId}`] : []),
    reasonLine(failure, style),
  ]);
  const next = theme.dim(`Why, and what to do: user-events trace EVENT${visible(flags)}`);
  return [head, ...rows, '', renderSummary(shown.length, summary, style), next].join('\n');
}

interface FailureColumn extends Column {
  readonly text: (failure: Failure, nowMs: number) => string;
}

interface Layout {
  readonly columns: readonly FailureColumn[];
  readonly cells: readonly (readonly string[])[];
  readonly isIdBelow: boolean;
}

function layOut(shown: readonly Failure[], style: Style, nowMs: number): Layout {
  const cellsOf = (columns: readonly FailureColumn[]) =>
    shown.map((failure) => columns.map(({ text }) => text(failure, nowMs)));
  const columns = columnsFor(style);
  const cells = cellsOf(columns);
  const least = widthBeside(columns, cells, 'USER') + LEAST_USER;
  if (style.width === null || least <= style.width) return { columns, cells, isIdBelow: false };
  const narrow = columns.filter(({ title }) => title !== 'EVENT');
  return { columns: narrow, cells: cellsOf(narrow), isIdBelow: true };
}

function columnsFor({ width }: Style): readonly FailureColumn[] {
  const isWide = width === null || width >= WIDE;
  const failed: FailureColumn = isWide
    ? { title: 'FAILED', text: ({ decidedAt }) => shortTime(decidedAt) }
    : { title: 'FAILED', text: ({ decidedAt }, nowMs) => ageText(Date.parse(decidedAt), nowMs) };
  const place: FailureColumn = {
    title: 'POSITION',
    text: ({ partition, offset }) => `${String(partition)}@${offset.toString()}`,
  };
  return [
    { title: 'EVENT', text: ({ eventId }) => eventId },
    { title: 'USER', text: ({ userId }) => userId ?? '' },
    { title: 'OPERATION', text: ({ operation }) => operation ?? 'unreadable' },
    ...(isWide ? [place] : []),
    failed,
    {
      title: 'PARKED',
      align: 'right',
      text: ({ parked }) => (parked === 0 ? '' : parked.toLocaleString('en-US')),
    },
  ];
}

/** What all columns but one take, and the gaps between them. */
function widthBeside(
  columns: readonly FailureColumn[],
  cells: readonly (readonly string[])[],
  beside: string,
): number {
  const widths = columns.map(({ title }, at) =>
    title === beside ? 0 : Math.max(title.length, ...cells.map((row) => displayWidth(row[at] ?? ''))),
  );
  return widths.reduce((sum, each) => sum + each + GAP, -GAP);
}

/** Foreign key, unique, exclusion: of these the detail has the key's value, and the message only the constraint's name. */
const KEY_VIOLATIONS: ReadonlySet<string> = new Set(['23503', '23505', '23P01']);

function reasonLine({ code, sqlState, message, detail }: Failure, { theme, width }: Style): string {
  const constraint = detail?.['constraint'];
  const said = detail?.['detail'];
  const name = typeof constraint === 'string' ? ` ${constraint}` : '';
  const state = sqlState === null ? '' : ` ${sqlState}`;
  const text = sqlState !== null && KEY_VIOLATIONS.has(sqlState) && typeof said === 'string' ? said : message;
  const head = visible(`${code}${state}${name}`);
  const room = width === null ? Infinity : Math.max(0, width - 4 - displayWidth(head));
  return `  ${theme.bad(head)}  ${cutText(visible(text), room)}`.trimEnd();
}

/** Stands for a blank that no line is broken at: a number stays with what it counts. */
const UNBROKEN = '\u00a0';

/** `1,204 failed, 3,310 parked behind them: 1,192 DATABASE_CONSTRAINT, 12 USER_NOT_FOUND`, in a line where it fits. */
function renderSummary(
  shown: number,
  { failed, parked, codes }: FailuresSummary,
  { theme, width }: Style,
): string {
  const count = (value: number): string => value.toLocaleString('en-US');
  const plain = (text: string): string => text;
  const head = (bad: Paint, warn: Paint): string => {
    const behind =
      parked === 0 ? '' : `, ${warn(`${count(parked)} parked`)} behind ${failed === 1 ? 'it' : 'them'}`;
    return `${bad(`${count(failed)} failed`)}${behind}`;
  };
  const byCode = codes
    .map(({ code, failed: events }) => `${count(events)}${UNBROKEN}${visible(code)}`)
    .join(', ');
  const room = width ?? Infinity;
  const lines =
    head(plain, plain).length + 2 + byCode.length <= room
      ? [`${head(theme.bad, theme.warn)}: ${byCode.replaceAll(UNBROKEN, ' ')}`]
      : [
          head(theme.bad, theme.warn),
          ...wrapText(byCode, room - 2).map((line) => `  ${line.replaceAll(UNBROKEN, ' ')}`),
        ];
  if (shown < failed)
    lines.push(
      theme.dim(`Shown: the newest ${count(shown)} of ${count(failed)}. -n N shows more, --json all.`),
    );
  return lines.join('\n');
}
