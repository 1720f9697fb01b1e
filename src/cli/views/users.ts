import type { UserThen } from '../../app/user-then.ts';
import type { UserDetails, UserEvent, UsersList, UserText } from '../../app/users.ts';
import { shortTime } from '../age-text.ts';
import { renderFields, renderTable, type Cell } from '../table.ts';
import { statusPaint, type Style } from '../theme.ts';

/** The users as a table, a row each; a line where there are none. */
export function renderUsers({ columns, users }: UsersList, style: Style): string {
  if (users.length === 0) return style.theme.dim('No users.');
  const rows = users.map(({ texts }) => texts.map((text) => renderValue(text, style)));
  return renderTable(
    columns.map((title) => ({ title })),
    rows,
    style,
  );
}

/**
 * The users as CSV (RFC 4180) with a title line: fields are quoted where they must be, NULL is empty and an empty text is
 * quoted, as COPY writes them. Lines end in a line feed. For a file or a program: nothing is made safe for a terminal.
 */
export function renderUsersCsv({ columns, users }: UsersList): string {
  return [columns, ...users.map(({ texts }) => texts)].map((row) => row.map(csvField).join(',')).join('\n');
}

function csvField(text: string | null): string {
  if (text === null) return '';
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The flag that lists what comes next. */
export function wayOn(next: NonNullable<UsersList['next']>): string {
  return 'after' in next ? `--offset-id ${next.after}` : `--skip ${String(next.skip)}`;
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
          Object.entries(row).map(([column, { text }]) => [column, text] as const),
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

function renderHistory(history: readonly UserEvent[], style: Style): string {
  if (history.length === 0) return style.theme.dim('No events.');
  const columns = ['TIME', 'POSITION', 'OPERATION', 'STATUS', 'EVENT', 'WHY'].map((title) => ({ title }));
  const rows = history.map((entry): Cell[] => [
    entry.timestamp,
    `${String(entry.partition)}@${entry.offset.toString()}`,
    entry.operation ?? { text: 'unreadable', paint: style.theme.dim },
    { text: entry.status, paint: statusPaint(entry.status, style.theme) },
    entry.eventId,
    renderReason(entry),
  ]);
  return renderTable(columns, rows, style);
}

function renderReason({ error, blockedBy, status }: UserEvent): string {
  if (error !== null && status === 'rolled_back') return `withdrawn (was ${error.code})`;
  if (error !== null) return `${error.code}: ${error.message}`;
  return blockedBy === null ? '' : `behind ${blockedBy}`;
}

function renderValue(text: string | null, style: Style): Cell {
  return text === null ? { text: 'NULL', paint: style.theme.dim } : text;
}
