import type { UserDetails, UserEvent, UsersList, UserText } from '../../app/users.ts';
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
