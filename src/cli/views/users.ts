import type { UserThen } from '../../app/user-then.ts';
import type { UserDetails, UserEvent, UsersList, UserText } from '../../app/users.ts';
import type { RawJson } from '../../domain/raw-json.ts';
import { shortTime } from '../age-text.ts';
import { shellWord } from '../same-service.ts';
import { visible } from '../sanitize.ts';
import { renderFields, renderTable, type Cell } from '../table.ts';
import { cutText, displayWidth } from '../text-width.ts';
import { statusPaint, type Style } from '../theme.ts';

/** The users as a table, a row each; a line where there are none. */
export function renderUsers({ columns, users }: UsersList, style: Style): string {
  if (users.length === 0) return style.theme.dim('No users.');
  const rows = users.map(({ texts }) => texts.map((text) => renderValue(text, style)));
  return renderTable(
    columns.map((title, at) => ({ title, isId: at === 0 })),
    rows,
    style,
  );
}

/**
 * The users as CSV with a title line: fields are quoted where they must be (RFC 4180), NULL is empty and an empty text is
 * quoted, as COPY writes them, and lines end in a line feed. For a file or a program: nothing is made safe for a terminal.
 */
export function renderUsersCsv({ columns, users }: UsersList): string {
  return [columns, ...users.map(({ texts }) => texts)].map((row) => row.map(csvField).join(',')).join('\n');
}

function csvField(text: string | null): string {
  if (text === null) return '';
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The flag that lists what comes next, as a shell takes it. */
export function wayOn(next: NonNullable<UsersList['next']>): string {
  return 'after' in next ? `--offset-id ${shellWord(next.after)}` : `--skip ${String(next.skip)}`;
}

/** One user as of then, and by which event. */
export function renderUserThen(
  { row, eventId, partition, offset, timestamp }: UserThen,
  style: Style,
): string {
  const shown =
    row === null
      ? style.theme.dim('There was no row.')
      : renderFields(
          Object.entries(row).map(([column, json]) => [column, renderValue(plainText(json), style)] as const),
          style,
        );
  const by = `as of event ${eventId} at ${String(partition)}@${String(offset)}, published ${shortTime(timestamp)}`;
  return `${shown}\n\n${style.theme.dim(by)}`;
}

/** One user's columns, and below them its history where it was asked for. */
export function renderUser(details: UserDetails, text: UserText | null, style: Style): string {
  const row =
    text === null
      ? style.theme.dim('There is no row: the user was deleted, or was never made.')
      : renderFields(
          text.columns.map((column, at) => [column, renderValue(text.texts[at] ?? null, style)] as const),
          style,
        );
  return details.history === undefined ? row : `${row}\n\n${renderHistory(details.history, style)}`;
}

/** What is known of each event, a line each; on a terminal what went wrong stands below it, not in a column. */
function renderHistory(history: readonly UserEvent[], style: Style): string {
  if (history.length === 0) return style.theme.dim('No events.');
  const reasons = history.map(renderReason);
  if (style.width === null) {
    const lines = history.map((entry, at) => [
      ...historyCells(entry, entry.timestamp, style),
      reasons[at] ?? '',
    ]);
    return renderTable([...HISTORY, { title: 'WHY' }], lines, style);
  }
  const { width } = style;
  const cells = history.map((entry) => historyCells(entry, shortTime(entry.timestamp), style));
  const whole = renderTable(HISTORY, cells, { ...style, width: null }).split('\n');
  // An id is copied, so that it is never cut: too wide for the line, it stands below it.
  const isBeside = whole.every((line) => displayWidth(line) <= width);
  const [head = '', ...lines] = isBeside
    ? whole
    : renderTable(HISTORY.slice(0, -1), cells, style).split('\n');
  const rows = lines.flatMap((line, at) => {
    const below = [isBeside ? '' : (history[at]?.eventId ?? ''), visible(reasons[at] ?? '')];
    const texts = below.filter((text) => text !== '');
    const joined = texts.join('  ');
    const shown = texts.length > 1 && displayWidth(joined) <= width - 2 ? [joined] : texts;
    return [line, ...shown.map((text) => `  ${cutText(text, width - 2)}`)];
  });
  return [head, ...rows].join('\n');
}

const HISTORY = ['TIME', 'POSITION', 'OPERATION', 'STATUS', 'EVENT'].map((title) => ({ title }));

function historyCells(entry: UserEvent, time: string, { theme }: Style): Cell[] {
  return [
    time,
    `${String(entry.partition)}@${entry.offset.toString()}`,
    entry.operation ?? { text: 'unreadable', paint: theme.dim },
    { text: entry.status, paint: statusPaint(entry.status, theme) },
    entry.eventId,
  ];
}

function renderReason({ error, blockedBy, status }: UserEvent): string {
  if (error !== null && status === 'rolled_back') return `withdrawn (was ${error.code})`;
  if (error !== null) return `${error.code}: ${error.message}`;
  return blockedBy === null ? '' : `behind ${blockedBy}`;
}

/** A text as it is, as the table's own columns are shown; everything else as JSON. */
function plainText({ text }: RawJson): string | null {
  if (text === 'null') return null;
  const value: unknown = text.startsWith('"') ? JSON.parse(text) : text;
  return typeof value === 'string' ? value : text;
}

function renderValue(text: string | null, style: Style): Cell {
  return text === null ? { text: 'NULL', paint: style.theme.dim } : text;
}
