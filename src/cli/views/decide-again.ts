import type { DecidedAgain } from '../../app/decide-again.ts';
import { visible } from '../sanitize.ts';
import { renderTable } from '../table.ts';
import { statusPaint, type View } from '../theme.ts';

export interface DecidedAgainResult {
  readonly events: readonly DecidedAgain[];
}

const ROWS_SHOWN = 50;

/** One line an event, and the counts: for `retry` and `skip`. */
export const renderDecidedAgain: View<DecidedAgainResult> = ({ events }, style) => {
  if (events.length === 0) return 'No event is failed: nothing to do';
  const rows = events
    .slice(0, ROWS_SHOWN)
    .map((event) => [
      event.eventId,
      event.userId ?? '',
      { text: event.status, paint: statusPaint(event.status, style.theme) },
      noteOf(event),
    ]);
  const table = renderTable(
    [{ title: 'EVENT' }, { title: 'USER' }, { title: 'STATUS' }, { title: '' }],
    rows,
    style,
  );
  const summary = [countsText(events.map(({ status }) => [status, 1]))];
  const released = countsText(events.flatMap((event) => Object.entries(event.released)));
  if (released !== '') summary.push(`released: ${released}`);
  return events.length > 1 ? `${table}\n${summary.join('; ')}` : table;
};

function noteOf({ left, code, message, attempts, released }: DecidedAgain): string {
  if (left === 'not failed') return 'was not failed: left as it is';
  if (left === 'attempts') return `had ${String(attempts)} attempts: left as it is`;
  const why = code === null ? null : [code, message].filter((part) => part !== null).join(' ');
  const freed = countsText(Object.entries(released));
  return [freed === '' ? null : `released ${freed}`, why].filter((part) => part !== null).join('; ');
}

/** `2 applied, 1 failed`. */
function countsText(entries: readonly (readonly [status: string, events: number])[]): string {
  const counts = new Map<string, number>();
  for (const [status, events] of entries) counts.set(status, (counts.get(status) ?? 0) + events);
  return [...counts].map(([status, n]) => `${n.toLocaleString('en-US')} ${visible(status)}`).join(', ');
}

/** 7 where an event is still failed. */
export function exitOfDecided(events: readonly DecidedAgain[]): 0 | 7 {
  return events.some(({ status }) => status === 'failed') ? 7 : 0;
}
